#include "api/core/service.h"

#include <algorithm>

#include "api/shared/cells.h"
#include "api/shared/checks.h"

namespace api {
namespace {

using core::v1::Service;

constexpr int32_t kAffinitySeconds = 10800;

std::string ports_cell(const Service& service) {
  std::vector<std::string> parts;
  for (const auto& port : service.spec.ports) {
    std::string text = std::to_string(port.port);
    if (port.node_port > 0) text += ":" + std::to_string(port.node_port);
    parts.push_back(text + "/" + port.protocol);
  }
  return or_text(join(parts, ","), "<none>");
}

// Addresses of the load balancer: each once, sorted.
std::vector<std::string> balancer_addresses(const Service& service) {
  std::vector<std::string> addresses;
  for (const auto& ingress : service.status.load_balancer.ingress) {
    const std::string& address = ingress.ip.empty() ? ingress.hostname : ingress.ip;
    if (!address.empty()) addresses.push_back(address);
  }
  std::ranges::sort(addresses);
  addresses.erase(std::ranges::unique(addresses).begin(), addresses.end());
  return addresses;
}

std::string external_ip_cell(const Service& service) {
  const auto& spec = service.spec;
  if (spec.type == "ClusterIP" || spec.type == "NodePort") return or_text(join(spec.external_ips, ","), "<none>");
  if (spec.type == "ExternalName") return spec.external_name;
  if (spec.type != "LoadBalancer") return "<unknown>";
  auto addresses = balancer_addresses(service);
  addresses.insert(addresses.end(), spec.external_ips.begin(), spec.external_ips.end());
  return or_text(join(addresses, ","), "<pending>");
}

void warn_of_fields(const Service& service, RuleContext& context) {
  const auto& spec = service.spec;
  auto ignored = [&](std::string_view field, std::string_view when) {
    context.warnings->push_back("spec." + std::string(field) + " is ignored " + std::string(when));
  };
  if (spec.type == "ExternalName" && !spec.external_ips.empty()) {
    ignored("externalIPs", "when spec.type is \"ExternalName\"");
  } else if (spec.type != "ExternalName" && !spec.external_name.empty()) {
    ignored("externalName", "when spec.type is not \"ExternalName\"");
  }
  if (!service_is_headless(service)) return;
  if (!spec.load_balancer_ip.empty()) ignored("loadBalancerIP", "for headless services");
  if (!spec.external_ips.empty()) ignored("externalIPs", "for headless services");
  if (spec.session_affinity != "None") ignored("SessionAffinity", "for headless services");
}

void set_affinity_defaults(core::v1::ServiceSpec& spec) {
  if (spec.session_affinity.empty()) spec.session_affinity = "None";
  if (spec.session_affinity == "None") spec.session_affinity_config.reset();
  if (spec.session_affinity != "ClientIP") return;
  auto& client = spec.session_affinity_config.ensure().client_ip.ensure();
  if (!client.timeout_seconds) client.timeout_seconds = kAffinitySeconds;
}

class ServiceRules final : public RulesFor<Service> {
 public:
  ServiceRules() : RulesFor("", "v1", "Service") {}
  NameValidator name_validator() const override { return name_is_dns1035_label; }
  CreateOnUpdate create_on_update() const override { return CreateOnUpdate::kAllowed; }

  void set_defaults(Service& service) const override {
    auto& spec = service.spec;
    set_affinity_defaults(spec);
    if (spec.type.empty()) spec.type = "ClusterIP";
    for (auto& port : spec.ports) {
      if (port.protocol.empty()) port.protocol = "TCP";
      const auto& target = port.target_port;
      if (target.is_string() ? target.str_val.empty() : target.int_val == 0) {
        port.target_port = {.type = 0, .int_val = port.port, .str_val = ""};
      }
    }
    if (service_externally_accessible(service) && spec.external_traffic_policy.empty()) {
      spec.external_traffic_policy = "Cluster";
    }
    if (!spec.internal_traffic_policy && spec.type != "ExternalName") spec.internal_traffic_policy = "Cluster";
    if (spec.type != "LoadBalancer") return;
    if (!spec.allocate_load_balancer_node_ports) spec.allocate_load_balancer_node_ports = true;
    for (auto& ingress : service.status.load_balancer.ingress) {
      if (!ingress.ip.empty() && !ingress.ip_mode) ingress.ip_mode = "VIP";
    }
  }
  void prepare_for_create(RuleContext& context, Service& service) const override {
    service.status = {};
    normalize_cluster_ips(service, nullptr);
    warn_of_fields(service, context);
  }
  void prepare_for_update(RuleContext& context, Service& service, const Service& old) const override {
    service.status = old.status;
    normalize_cluster_ips(service, &old);
    keep_allocated_values(service, old);
    drop_fields_of_old_type(service, old);
    warn_of_fields(service, context);
  }
  void prepare_for_subresource(std::string_view subresource, RuleContext&, Service& service,
                               const Service& old) const override {
    if (subresource == "status") service.spec = old.spec;
  }
  void validate(RuleContext&, const Service& service, FieldErrors& errors) const override {
    const auto clashes =
        service_needs_node_port(service) ? NodePortClashes::kLeftToAllocation : NodePortClashes::kChecked;
    validate_service(service, clashes, errors);
  }
  void validate_update(RuleContext&, const Service& service, const Service& old, FieldErrors& errors) const override {
    validate_service_update(service, old, errors);
  }
  void validate_subresource(std::string_view, RuleContext&, const Service& service, const Service&,
                            FieldErrors& errors) const override {
    validate_service_status(service, errors);
  }
  void cells(const Service& service, base::WallTime now, TableRow& row) const override {
    const auto& ips = service.spec.cluster_ips;
    row.cells = {service.metadata.name,
                 service.spec.type,
                 ips.empty() ? std::string("<none>") : ips[0],
                 external_ip_cell(service),
                 ports_cell(service),
                 age_cell(service.metadata, now),
                 format_labels(service.spec.selector)};
  }
  std::vector<SelectableField> selectable_fields(const Service& service) const override {
    return {{"spec.clusterIP", service.spec.cluster_ip}, {"spec.type", service.spec.type}};
  }
};

}  // namespace

std::unique_ptr<const KindRules> service_rules() { return std::make_unique<ServiceRules>(); }

}  // namespace api
