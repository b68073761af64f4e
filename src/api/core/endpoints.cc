#include "api/shared/cells.h"
#include "api/shared/checks.h"
#include "object/names.h"

namespace api {
namespace {

void check_address(const core::v1::EndpointAddress& address, const FieldPath& path, FieldErrors& errors) {
  const FieldPath ip = path.child("ip");
  errors.invalid_each(ip, address.ip, object::validate_ip(address.ip));
  if (!address.hostname.empty()) validate_dns1123_label(address.hostname, path.child("hostname"), errors);
  if (address.node_name) validate_dns1123_subdomain(*address.node_name, path.child("nodeName"), errors);
  check_non_special_ip(address.ip, ip, errors);
}

enum class PortName : uint8_t { kOptional, kRequired };

void check_port(const core::v1::EndpointPort& port, PortName name, const FieldPath& path, FieldErrors& errors) {
  if (!port.name.empty()) {
    validate_dns1123_label(port.name, path.child("name"), errors);
  } else if (name == PortName::kRequired) {
    errors.required(path.child("name"));
  }
  errors.invalid_each(path.child("port"), port.port, object::validate_port_number(port.port));
  check_enum(port.protocol, path.child("protocol"), errors, {"SCTP", "TCP", "UDP"});
  if (port.app_protocol) validate_qualified_name(*port.app_protocol, path.child("appProtocol"), errors);
}

void check_subset(const core::v1::EndpointSubset& subset, const FieldPath& path, FieldErrors& errors) {
  if (subset.addresses.empty() && subset.not_ready_addresses.empty()) {
    errors.required(path, "must specify `addresses` or `notReadyAddresses`");
  }
  const FieldPath addresses = path.child("addresses"), not_ready = path.child("notReadyAddresses");
  const FieldPath ports = path.child("ports");
  for (size_t i = 0; i < subset.addresses.size(); ++i) {
    check_address(subset.addresses[i], addresses.index(i), errors);
  }
  for (size_t i = 0; i < subset.not_ready_addresses.size(); ++i) {
    check_address(subset.not_ready_addresses[i], not_ready.index(i), errors);
  }
  const PortName name = subset.ports.size() > 1 ? PortName::kRequired : PortName::kOptional;
  for (size_t i = 0; i < subset.ports.size(); ++i) check_port(subset.ports[i], name, ports.index(i), errors);
}

std::string host_port(const std::string& ip, int32_t port) {
  return (ip.find(':') == std::string::npos ? ip : "[" + ip + "]") + ":" + std::to_string(port);
}

std::string format_endpoints(const core::v1::Endpoints& endpoints) {
  if (endpoints.subsets.empty()) return "<none>";
  std::vector<std::string> all;
  for (const auto& subset : endpoints.subsets) {
    if (subset.ports.empty()) {
      for (const auto& address : subset.addresses) all.push_back(address.ip);
    }
    for (const auto& port : subset.ports) {
      for (const auto& address : subset.addresses) all.push_back(host_port(address.ip, port.port));
    }
  }
  return join_some(all, 3, "");
}

class EndpointsRules final : public RulesFor<core::v1::Endpoints> {
 public:
  EndpointsRules() : RulesFor("", "v1", "Endpoints") {}
  CreateOnUpdate create_on_update() const override { return CreateOnUpdate::kAllowed; }

  void set_defaults(core::v1::Endpoints& endpoints) const override {
    for (auto& subset : endpoints.subsets) {
      for (auto& port : subset.ports) {
        if (port.protocol.empty()) port.protocol = "TCP";
      }
    }
  }
  void validate(RuleContext&, const core::v1::Endpoints& endpoints, FieldErrors& errors) const override {
    const FieldPath subsets("subsets");
    for (size_t i = 0; i < endpoints.subsets.size(); ++i) {
      check_subset(endpoints.subsets[i], subsets.index(i), errors);
    }
  }
  void validate_update(RuleContext& context, const core::v1::Endpoints& endpoints, const core::v1::Endpoints&,
                       FieldErrors& errors) const override {
    validate(context, endpoints, errors);
  }
  void cells(const core::v1::Endpoints& endpoints, base::WallTime now, TableRow& row) const override {
    row.cells = {endpoints.metadata.name, format_endpoints(endpoints), age_cell(endpoints.metadata, now)};
  }
};

}  // namespace

std::unique_ptr<const KindRules> endpoints_rules() { return std::make_unique<EndpointsRules>(); }

}  // namespace api
