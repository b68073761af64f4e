#include <set>
#include <tuple>

#include "api/shared/cells.h"
#include "api/shared/strategy.h"
#include "gen/discovery/v1.h"
#include "object/names.h"

namespace api {
namespace {

using discovery::v1::EndpointSlice;

constexpr size_t kMaxEndpoints = 1000;
constexpr size_t kMaxAddresses = 100;
constexpr size_t kMaxPorts = 20000;
constexpr size_t kMaxTopologyLabels = 16;
constexpr size_t kMaxHints = 8;

void check_fqdn(const std::string& address, const FieldPath& path, FieldErrors& errors) {
  if (address.empty()) return errors.required(path);
  std::string_view name = address;
  if (name.ends_with('.')) name.remove_suffix(1);
  auto messages = object::validate_dns1123_subdomain(name);
  if (!messages.empty()) return errors.invalid_each(path, name, messages);
  if (name.find('.') == std::string_view::npos) {
    errors.invalid(path, name, "should be a domain with at least two segments separated by dots");
  }
}

void check_address(const std::string& type, const std::string& address, const FieldPath& path, size_t i,
                   FieldErrors& errors) {
  if (type == "FQDN") return check_fqdn(address, path.index(i), errors);
  if (type != "IPv4" && type != "IPv6") return;
  object::IpAddress ip;
  const bool valid = object::parse_ip(address, ip);
  // Compat: the wrong family is reported at the list, a special address at its entry.
  if (!valid || ip.is_v4() != (type == "IPv4")) {
    errors.invalid(path, address, type == "IPv4" ? "must be an IPv4 address" : "must be an IPv6 address");
  }
  check_non_special_ip(address, path.index(i), errors);
}

template <typename Hint>
void check_hints(const std::vector<Hint>& hints, const FieldPath& path, FieldErrors& errors) {
  if (hints.size() > kMaxHints) {
    return errors.too_many(path, static_cast<int64_t>(hints.size()), static_cast<int64_t>(kMaxHints));
  }
  std::set<std::string_view> seen;
  for (size_t i = 0; i < hints.size(); ++i) {
    const FieldPath item = path.index(i);
    if (!seen.insert(hints[i].name).second) {
      errors.duplicate(item.child("name"), hints[i].name);
      continue;
    }
    if constexpr (std::is_same_v<Hint, discovery::v1::ForZone>) {
      errors.invalid_each(item.child("name"), hints[i].name, object::validate_label_value(hints[i].name));
    } else {
      errors.invalid_each(item.child("name"), hints[i].name, object::validate_dns1123_subdomain(hints[i].name));
    }
  }
}

void check_endpoint(const discovery::v1::Endpoint& endpoint, const std::string& type, const FieldPath& path,
                    FieldErrors& errors) {
  const FieldPath addresses = path.child("addresses");
  if (endpoint.addresses.empty()) {
    errors.required(addresses, "must contain at least 1 address");
  } else if (endpoint.addresses.size() > kMaxAddresses) {
    errors.too_many(addresses, static_cast<int64_t>(endpoint.addresses.size()), kMaxAddresses);
  }
  for (size_t i = 0; i < endpoint.addresses.size(); ++i) {
    check_address(type, endpoint.addresses[i], addresses, i, errors);
  }
  if (endpoint.node_name) validate_dns1123_subdomain(*endpoint.node_name, path.child("nodeName"), errors);
  const FieldPath topology = path.child("deprecatedTopology");
  if (endpoint.deprecated_topology.size() > kMaxTopologyLabels) {
    errors.too_many(topology, static_cast<int64_t>(endpoint.deprecated_topology.size()), kMaxTopologyLabels);
  }
  for (const auto& [key, value] : endpoint.deprecated_topology) {
    validate_label_name(key, topology, errors);
    if (key == "topology.kubernetes.io/zone") {
      errors.invalid(topology.key(key), value, "please use zone field instead");
    }
  }
  if (endpoint.hostname) validate_dns1123_label(*endpoint.hostname, path.child("hostname"), errors);
  if (endpoint.hints) {
    const FieldPath hints = path.child("hints");
    check_hints(endpoint.hints->for_zones, hints.child("forZones"), errors);
    check_hints(endpoint.hints->for_nodes, hints.child("forNodes"), errors);
  }
}

void check_ports(const std::vector<discovery::v1::EndpointPort>& ports, const FieldPath& path, FieldErrors& errors) {
  if (ports.size() > kMaxPorts) return errors.too_many(path, static_cast<int64_t>(ports.size()), kMaxPorts);
  std::set<std::string_view> seen;
  for (size_t i = 0; i < ports.size(); ++i) {
    const auto& port = ports[i];
    const FieldPath item = path.index(i);
    const std::string name = port.name.value_or("");
    if (!name.empty()) validate_dns1123_label(name, item.child("name"), errors);
    if (!seen.insert(port.name ? *port.name : std::string_view()).second) errors.duplicate(item.child("name"), name);
    check_enum(port.protocol.value_or(""), item.child("protocol"), errors, {"SCTP", "TCP", "UDP"});
    if (port.port) errors.invalid_each(item.child("port"), *port.port, object::validate_port_number(*port.port));
    if (port.app_protocol) validate_qualified_name(*port.app_protocol, item.child("appProtocol"), errors);
  }
}

class EndpointSliceRules final : public RulesFor<EndpointSlice> {
 public:
  EndpointSliceRules() : RulesFor("discovery.k8s.io", "v1", "EndpointSlice") {}

  void set_defaults(EndpointSlice& slice) const override {
    for (auto& port : slice.ports) {
      if (!port.name) port.name = "";
      if (!port.protocol) port.protocol = "TCP";
    }
  }
  void prepare_for_create(RuleContext&, EndpointSlice& slice) const override { slice.metadata.generation = 1; }
  void prepare_for_update(RuleContext&, EndpointSlice& slice, const EndpointSlice& old) const override {
    // Compat: labels count too, as kube-proxy selects by them.
    follow_generation(slice.metadata, old.metadata,
                      std::tie(slice.address_type, slice.endpoints, slice.ports, slice.metadata.labels),
                      std::tie(old.address_type, old.endpoints, old.ports, old.metadata.labels));
  }
  void validate(RuleContext&, const EndpointSlice& slice, FieldErrors& errors) const override {
    check_enum(slice.address_type, FieldPath("addressType"), errors, {"FQDN", "IPv4", "IPv6"});
    check_ports(slice.ports, FieldPath("ports"), errors);
    const FieldPath endpoints("endpoints");
    if (slice.endpoints.size() > kMaxEndpoints) {
      return errors.too_many(endpoints, static_cast<int64_t>(slice.endpoints.size()), kMaxEndpoints);
    }
    for (size_t i = 0; i < slice.endpoints.size(); ++i) {
      check_endpoint(slice.endpoints[i], slice.address_type, endpoints.index(i), errors);
    }
  }
  void validate_update(RuleContext& context, const EndpointSlice& slice, const EndpointSlice& old,
                       FieldErrors& errors) const override {
    validate(context, slice, errors);
    validate_immutable(slice.address_type, old.address_type, FieldPath("addressType"), errors);
  }
  void cells(const EndpointSlice& slice, base::WallTime now, TableRow& row) const override {
    std::vector<std::string> ports, addresses;
    for (const auto& port : slice.ports) {
      ports.push_back(port.port ? std::to_string(*port.port) : port.name ? *port.name : "*");
    }
    for (const auto& endpoint : slice.endpoints) {
      addresses.insert(addresses.end(), endpoint.addresses.begin(), endpoint.addresses.end());
    }
    row.cells = {slice.metadata.name, slice.address_type, or_text(join_some(ports, 3, ""), "<unset>"),
                 join_some(addresses, 3, "<unset>"), age_cell(slice.metadata, now)};
  }
};

}  // namespace

std::unique_ptr<const KindRules> endpoint_slice_rules() { return std::make_unique<EndpointSliceRules>(); }

}  // namespace api
