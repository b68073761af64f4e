// The rules of Nodes.
#include <algorithm>
#include <set>

#include "api/core/pod_spec.h"
#include "api/core/pod_validation.h"
#include "api/kinds.h"
#include "api/meta_validation.h"
#include "object/names.h"
#include "object/time.h"

namespace api {
namespace {

using core::v1::Node;
using core::v1::Taint;
using object::FieldErrors;
using object::FieldPath;

// Compat: upstream prints its internal struct.
object::BadValue shown_taint(const Taint& taint) {
  auto quoted = [](const std::string& text) { return object::BadValue(text).text(); };
  const std::string added = taint.time_added ? quoted(object::format_time(*taint.time_added)) : "null";
  return object::BadValue::verbatim("{\"Key\":" + quoted(taint.key) + ",\"Value\":" + quoted(taint.value) +
                                    ",\"Effect\":" + quoted(taint.effect) + ",\"TimeAdded\":" + added + "}");
}

std::string join(const std::vector<std::string>& parts, std::string_view separator) {
  std::string out;
  for (const auto& part : parts) {
    if (!out.empty()) out += separator;
    out += part;
  }
  return out;
}

// Compat: reported below "metadata".
void validate_taints(const std::vector<Taint>& taints, FieldErrors& errors) {
  const FieldPath metadata("metadata");
  const FieldPath path = metadata.child("taints");
  std::set<std::pair<std::string_view, std::string_view>> seen;
  for (size_t i = 0; i < taints.size(); ++i) {
    const Taint& taint = taints[i];
    const FieldPath at = path.index(i);
    validate_label_name(taint.key, at.child("key"), errors);
    const auto messages = object::validate_label_value(taint.value);
    if (!messages.empty()) errors.invalid(at.child("value"), taint.value, join(messages, ";"));
    if (taint.effect.empty()) {
      errors.required(at.child("effect"));
    } else {
      validate_taint_effect(taint.effect, at.child("effect"), errors);
    }
    if (seen.insert({taint.key, taint.effect}).second) continue;
    errors.add({object::FieldErrorType::kDuplicate, at.to_string(), shown_taint(taint).text(),
                "taints must be unique by key and effect pair"});
  }
}

void validate_resources(const ResourceList& resources, std::string_view name, FieldErrors& errors) {
  const FieldPath status("status");
  const FieldPath path = status.child(name);
  for (const auto& [resource, quantity] : resources) {
    validate_resource_quantity(resource, quantity, path.child(resource), errors);
  }
}

void validate_pod_cidrs(const std::vector<std::string>& cidrs, FieldErrors& errors) {
  const FieldPath spec("spec");
  const FieldPath path = spec.child("podCIDRs");
  int v4 = 0, v6 = 0;
  for (size_t i = 0; i < cidrs.size(); ++i) {
    errors.invalid_each(path.index(i), cidrs[i], object::validate_cidr(cidrs[i]));
    object::IpPrefix prefix;
    if (object::parse_cidr(cidrs[i], prefix)) ++(prefix.address.is_v4() ? v4 : v6);
  }
  if (cidrs.size() < 2) return;
  if (cidrs.size() > 2 || v4 != 1 || v6 != 1) {
    errors.invalid(path, shown(cidrs), "may specify no more than one CIDR for each IP family");
  }
  std::set<std::string_view> seen;
  for (size_t i = 0; i < cidrs.size(); ++i) {
    if (!seen.insert(cidrs[i]).second) errors.duplicate(path.index(i), cidrs[i]);
  }
}

void validate_node(const Node& node, FieldErrors& errors) {
  validate_taints(node.spec.taints, errors);
  validate_resources(node.status.capacity, "capacity", errors);
  validate_resources(node.status.allocatable, "allocatable", errors);
  validate_pod_cidrs(node.spec.pod_cidrs, errors);
}

void validate_addresses(const Node& node, FieldErrors& errors) {
  const FieldPath status("status");
  const FieldPath path = status.child("addresses");
  std::set<std::pair<std::string_view, std::string_view>> seen;
  for (size_t i = 0; i < node.status.addresses.size(); ++i) {
    const auto& address = node.status.addresses[i];
    if (seen.insert({address.type, address.address}).second) continue;
    errors.duplicate(path.index(i),
                     object::BadValue::verbatim("{\"Type\":" + object::BadValue(address.type).text() +
                                                ",\"Address\":" + object::BadValue(address.address).text() + "}"));
  }
}

// What an update may not change: addresses of Pods and the machine's identity, once they are known.
void validate_node_update(const Node& node, const Node& old, FieldErrors& errors) {
  const FieldPath spec("spec");
  validate_resources(node.status.capacity, "capacity", errors);
  validate_resources(node.status.allocatable, "allocatable", errors);
  validate_addresses(node, errors);
  constexpr std::string_view kPodCidr = "node updates may not change podCIDR except from \"\" to valid";
  const auto &cidrs = node.spec.pod_cidrs, &before = old.spec.pod_cidrs;
  if (!before.empty()) {
    if (cidrs.size() != before.size()) {
      errors.forbidden(spec.child("podCIDRs"), kPodCidr);
    } else {
      for (size_t i = 0; i < cidrs.size(); ++i) {
        if (cidrs[i] != before[i]) errors.forbidden(spec.child("podCIDRs"), kPodCidr);
      }
    }
  }
  if (!old.spec.provider_id.empty() && node.spec.provider_id != old.spec.provider_id) {
    errors.forbidden(spec.child("providerID"), "node updates may not change providerID except from \"\" to valid");
  }
  validate_taints(node.spec.taints, errors);
  if (node.spec.external_id != old.spec.external_id) errors.forbidden(spec.child("externalID"), "may not be updated");
}

void node_warnings(const Node& node, std::vector<std::string>& warnings) {
  if (node.spec.config_source) warnings.emplace_back("spec.configSource: the feature is no longer available");
  if (!node.spec.external_id.empty()) {
    warnings.emplace_back("spec.externalID: this field is deprecated, and is unused by Kubernetes");
  }
}

std::string node_state(const Node& node) {
  const auto ready = std::ranges::find(node.status.conditions, "Ready", &core::v1::NodeCondition::type);
  std::string state = ready == node.status.conditions.end() ? "Unknown"
                      : ready->status == "True"             ? "Ready"
                                                            : "NotReady";
  if (node.spec.unschedulable) state += ",SchedulingDisabled";
  return state;
}

std::string node_roles(const Node& node) {
  constexpr std::string_view kPrefix = "node-role.kubernetes.io/";
  std::set<std::string> roles;
  for (const auto& [key, value] : node.metadata.labels) {
    if (key.starts_with(kPrefix) && key.size() > kPrefix.size()) roles.insert(key.substr(kPrefix.size()));
    if (key == "kubernetes.io/role" && !value.empty()) roles.insert(value);
  }
  return roles.empty() ? "<none>" : join({roles.begin(), roles.end()}, ",");
}

std::string address_of(const Node& node, std::string_view type) {
  const auto found = std::ranges::find(node.status.addresses, type, &core::v1::NodeAddress::type);
  return found == node.status.addresses.end() ? "<none>" : found->address;
}

std::string or_unknown(const std::string& text) { return text.empty() ? "<unknown>" : text; }

class NodeRules final : public RulesFor<Node> {
 public:
  NodeRules() : RulesFor("", "v1", "Node") {}

  void set_defaults(Node& node) const override {
    // Compat: podCIDR is an alias of the first of podCIDRs; when they differ, podCIDR wins.
    auto& spec = node.spec;
    if (!spec.pod_cidr.empty() && (spec.pod_cidrs.empty() || spec.pod_cidrs[0] != spec.pod_cidr)) {
      spec.pod_cidrs = {spec.pod_cidr};
    } else if (spec.pod_cidr.empty() && !spec.pod_cidrs.empty()) {
      spec.pod_cidr = spec.pod_cidrs[0];
    }
    if (node.status.allocatable.empty()) node.status.allocatable = node.status.capacity;
    set_resource_list_defaults(node.status.capacity);
    set_resource_list_defaults(node.status.allocatable);
  }
  // A kubelet registers its node with a status.
  void prepare_for_create(RuleContext&, Node& node) const override {
    node.spec.config_source.reset();
    node.status.declared_features.clear();
  }
  void prepare_for_update(RuleContext&, Node& node, const Node& old) const override {
    node.status = old.status;
    if (!old.spec.config_source) node.spec.config_source.reset();
  }
  void prepare_for_subresource(std::string_view subresource, RuleContext&, Node& node, const Node& old) const override {
    if (subresource != "status") return;
    node.spec = old.spec;
    if (!old.status.config) node.status.config.reset();
    if (old.status.declared_features.empty()) node.status.declared_features.clear();
  }
  void validate(RuleContext& context, const Node& node, FieldErrors& errors) const override {
    validate_node(node, errors);
    if (errors.empty()) node_warnings(node, *context.warnings);
  }
  void validate_update(RuleContext& context, const Node& node, const Node& old, FieldErrors& errors) const override {
    validate_node(node, errors);
    validate_node_update(node, old, errors);
    if (errors.empty()) node_warnings(node, *context.warnings);
  }
  void validate_subresource(std::string_view subresource, RuleContext&, const Node& node, const Node& old,
                            FieldErrors& errors) const override {
    if (subresource == "status") validate_node_update(node, old, errors);
  }
  void cells(const Node& node, base::WallTime now, TableRow& row) const override {
    const auto& info = node.status.node_info;
    row.cells.emplace_back(node.metadata.name);
    row.cells.emplace_back(node_state(node));
    row.cells.emplace_back(node_roles(node));
    row.cells.emplace_back(object::human_age(node.metadata.creation_timestamp, now));
    row.cells.emplace_back(info.kubelet_version);
    row.cells.emplace_back(address_of(node, "InternalIP"));
    row.cells.emplace_back(address_of(node, "ExternalIP"));
    row.cells.emplace_back(or_unknown(info.os_image));
    row.cells.emplace_back(or_unknown(info.kernel_version));
    row.cells.emplace_back(or_unknown(info.container_runtime_version));
  }
  std::vector<SelectableField> selectable_fields(const Node& node) const override {
    return {{"spec.unschedulable", node.spec.unschedulable ? "true" : "false"}};
  }
};

}  // namespace

std::unique_ptr<const KindRules> node_rules() { return std::make_unique<NodeRules>(); }

}  // namespace api
