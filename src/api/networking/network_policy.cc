#include "api/shared/cells.h"
#include "api/shared/strategy.h"
#include "gen/networking/v1.h"
#include "object/names.h"

namespace api {
namespace {

using networking::v1::NetworkPolicy;
using networking::v1::NetworkPolicyPeer;
using networking::v1::NetworkPolicyPort;

void check_port(const NetworkPolicyPort& rule, const FieldPath& path, FieldErrors& errors) {
  const FieldPath port = path.child("port"), end = path.child("endPort");
  if (rule.protocol && *rule.protocol != "TCP" && *rule.protocol != "UDP" && *rule.protocol != "SCTP") {
    errors.not_supported(path.child("protocol"), *rule.protocol, {"SCTP", "TCP", "UDP"});
  }
  if (!rule.port) {
    if (rule.end_port) errors.invalid(end, *rule.end_port, "must not be specified when `port` is not specified");
  } else if (rule.port->is_string()) {
    if (rule.end_port) errors.invalid(end, *rule.end_port, "may not be specified when `port` is non-numeric");
    errors.invalid_each(port, rule.port->str_val, object::validate_port_name(rule.port->str_val));
  } else {
    if (rule.end_port) {
      if (*rule.end_port < rule.port->int_val) {
        errors.invalid(end, rule.port->int_val, "must be greater than or equal to `port`");
      }
      errors.invalid_each(end, *rule.end_port, object::validate_port_number(*rule.end_port));
    }
    errors.invalid_each(port, rule.port->int_val, object::validate_port_number(rule.port->int_val));
  }
}

void check_ip_block(const networking::v1::IPBlock& block, const FieldPath& path, FieldErrors& errors) {
  const FieldPath cidr = path.child("cidr"), list = path.child("except");
  if (block.cidr.empty()) return errors.required(cidr);
  const auto messages = object::validate_cidr(block.cidr);
  errors.invalid_each(cidr, block.cidr, messages);
  object::IpPrefix whole;
  if (!messages.empty() || !object::parse_cidr(block.cidr, whole)) return;
  for (size_t i = 0; i < block.except.size(); ++i) {
    const auto problems = object::validate_cidr(block.except[i]);
    errors.invalid_each(list.index(i), block.except[i], problems);
    object::IpPrefix part;
    if (!problems.empty() || !object::parse_cidr(block.except[i], part)) continue;
    if (!whole.contains(part.network()) || whole.bits >= part.bits) {
      errors.invalid(list.index(i), block.except[i], "must be a strict subset of `cidr`");
    }
  }
}

void check_peer(const NetworkPolicyPeer& peer, const FieldPath& path, FieldErrors& errors) {
  int count = 0;
  if (peer.pod_selector) {
    ++count;
    validate_label_selector(*peer.pod_selector, path.child("podSelector"), errors);
  }
  if (peer.namespace_selector) {
    ++count;
    validate_label_selector(*peer.namespace_selector, path.child("namespaceSelector"), errors);
  }
  if (peer.ip_block) {
    ++count;
    check_ip_block(*peer.ip_block, path.child("ipBlock"), errors);
  }
  if (count == 0) {
    errors.required(path, "must specify a peer");
  } else if (count > 1 && peer.ip_block) {
    errors.forbidden(path, "may not specify both ipBlock and another peer");
  }
}

void check_rule(const std::vector<NetworkPolicyPort>& ports, const std::vector<NetworkPolicyPeer>& peers,
                std::string_view peers_field, const FieldPath& path, FieldErrors& errors) {
  const FieldPath port_list = path.child("ports"), peer_list = path.child(peers_field);
  for (size_t i = 0; i < ports.size(); ++i) check_port(ports[i], port_list.index(i), errors);
  for (size_t i = 0; i < peers.size(); ++i) check_peer(peers[i], peer_list.index(i), errors);
}

void set_port_defaults(std::vector<NetworkPolicyPort>& ports) {
  for (auto& port : ports) {
    if (!port.protocol) port.protocol = "TCP";
  }
}

class NetworkPolicyRules final : public SpecRules<NetworkPolicy> {
 public:
  NetworkPolicyRules() : SpecRules("networking.k8s.io", "v1", "NetworkPolicy") {}

  void set_defaults(NetworkPolicy& policy) const override {
    auto& spec = policy.spec;
    for (auto& rule : spec.ingress) set_port_defaults(rule.ports);
    for (auto& rule : spec.egress) set_port_defaults(rule.ports);
    if (!spec.policy_types.empty()) return;
    spec.policy_types = {"Ingress"};
    if (!spec.egress.empty()) spec.policy_types.emplace_back("Egress");
  }
  void validate(RuleContext&, const NetworkPolicy& policy, FieldErrors& errors) const override {
    const FieldPath path("spec");
    const auto& spec = policy.spec;
    validate_label_selector(spec.pod_selector, path.child("podSelector"), errors);
    const FieldPath ingress = path.child("ingress"), egress = path.child("egress"), types = path.child("policyTypes");
    for (size_t i = 0; i < spec.ingress.size(); ++i) {
      check_rule(spec.ingress[i].ports, spec.ingress[i].from, "from", ingress.index(i), errors);
    }
    for (size_t i = 0; i < spec.egress.size(); ++i) {
      check_rule(spec.egress[i].ports, spec.egress[i].to, "to", egress.index(i), errors);
    }
    if (spec.policy_types.size() > 2) {
      return errors.invalid(types, shown(spec.policy_types), "may not specify more than two policyTypes");
    }
    for (size_t i = 0; i < spec.policy_types.size(); ++i) {
      const std::string& type = spec.policy_types[i];
      if (type != "Ingress" && type != "Egress") errors.not_supported(types.index(i), type, {"Egress", "Ingress"});
    }
  }
  void validate_update(RuleContext& context, const NetworkPolicy& policy, const NetworkPolicy&,
                       FieldErrors& errors) const override {
    validate(context, policy, errors);
  }
  void cells(const NetworkPolicy& policy, base::WallTime now, TableRow& row) const override {
    row.cells = {policy.metadata.name, format_label_selector(policy.spec.pod_selector), age_cell(policy.metadata, now)};
  }
};

}  // namespace

std::unique_ptr<const KindRules> network_policy_rules() { return std::make_unique<NetworkPolicyRules>(); }

}  // namespace api
