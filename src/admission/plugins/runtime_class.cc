// A RuntimeClass gives its Pods their overhead, node selector and tolerations.
#include "admission/plugins/common.h"
#include "admission/plugins/plugins.h"
#include "codec/json_text.h"
#include "gen/codec.h"
#include "gen/node/v1.h"
#include "object/quantity.h"

namespace admission {
namespace {

using api::core::v1::Pod;
using api::core::v1::Toleration;
using api::node::v1::RuntimeClass;
using Quantities = std::map<std::string, object::Quantity>;

bool same_amounts(const Quantities& a, const Quantities& b) {
  if (a.size() != b.size()) return false;
  for (auto i = a.begin(), j = b.begin(); i != a.end(); ++i, ++j) {
    if (i->first != j->first || object::compare(i->second, j->second) != 0) return false;
  }
  return true;
}

// Does `wide` tolerate all that `narrow` does?
bool covers(const Toleration& wide, const Toleration& narrow) {
  if (wide == narrow) return true;
  const bool any_key = wide.key.empty() && wide.operator_ == "Exists";
  if (narrow.key != wide.key && !any_key) return false;
  if (narrow.effect != wide.effect && !wide.effect.empty()) return false;
  if (wide.effect == "NoExecute" && wide.toleration_seconds) {
    if (!narrow.toleration_seconds || *narrow.toleration_seconds > *wide.toleration_seconds) return false;
  }
  if (wide.operator_ == "Exists") return true;
  const auto is_equal = [](const Toleration& t) { return t.operator_.empty() || t.operator_ == "Equal"; };
  return is_equal(wide) && is_equal(narrow) && wide.value == narrow.value;
}

// Both lists in order, without those that another one covers; of equal ones the first stays.
std::vector<Toleration> merge(const std::vector<Toleration>& first, const std::vector<Toleration>& second) {
  std::vector<Toleration> all = first;
  all.insert(all.end(), second.begin(), second.end());
  std::vector<Toleration> merged;
  for (size_t i = 0; i < all.size(); ++i) {
    bool redundant = false;
    for (const Toleration& kept : merged) redundant = redundant || covers(kept, all[i]);
    for (size_t j = i + 1; j < all.size(); ++j) {
      redundant = redundant || (!(all[j] == all[i]) && covers(all[j], all[i]));
    }
    if (!redundant) merged.push_back(all[i]);
  }
  return merged;
}

// The class that the Pod names, or nothing when it names none.
base::Result<std::optional<RuntimeClass>> class_of(const Attributes& attributes, const Pod& pod, const Lookup& lookup) {
  if (!pod.spec.runtime_class_name) return std::nullopt;
  auto raw = lookup.get("node.k8s.io", "runtimeclasses", "", *pod.spec.runtime_class_name);
  if (!raw) {
    return forbid(attributes,
                  "pod rejected: RuntimeClass " + codec::go_quoted(*pod.spec.runtime_class_name) + " not found");
  }
  TRY_ASSIGN(RuntimeClass found, gen::decode<RuntimeClass>(*raw));
  return std::optional(std::move(found));
}

std::unexpected<base::Error> overhead_differs(const Attributes& attributes) {
  return forbid(attributes, "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead");
}

base::Result<void> schedule(const Attributes& attributes, Pod& pod, const api::node::v1::Scheduling& scheduling) {
  for (const auto& [key, value] : scheduling.node_selector) {
    const auto [at, added] = pod.spec.node_selector.try_emplace(key, value);
    if (added || at->second == value) continue;
    return forbid(attributes, "conflict: runtimeClass.scheduling.nodeSelector[" + key + "] = " + value +
                                  "; pod.spec.nodeSelector[" + key + "] = " + at->second);
  }
  pod.spec.tolerations = merge(pod.spec.tolerations, scheduling.tolerations);
  return {};
}

class RuntimeClassPlugin final : public Plugin {
 public:
  std::string_view name() const override { return "RuntimeClass"; }

  base::Result<void> admit(Attributes& attributes, const Lookup& lookup) override {
    Pod* pod = created_pod(attributes);
    if (!pod) return {};
    TRY_ASSIGN(const auto found, class_of(attributes, *pod, lookup));
    if (!found) return {};
    if (found->overhead) {
      const Quantities& fixed = found->overhead->pod_fixed;
      if (!pod->spec.overhead.empty() && !same_amounts(pod->spec.overhead, fixed)) return overhead_differs(attributes);
      pod->spec.overhead = fixed;
    }
    if (!found->scheduling) return {};
    return schedule(attributes, *pod, *found->scheduling);
  }

  base::Result<void> validate(const Attributes& attributes, const Lookup& lookup) override {
    const Pod* pod = created_pod(attributes);
    if (!pod) return {};
    TRY_ASSIGN(const auto found, class_of(attributes, *pod, lookup));
    if (found && found->overhead) {
      return same_amounts(pod->spec.overhead, found->overhead->pod_fixed) ? base::Result<void>()
                                                                          : overhead_differs(attributes);
    }
    if (pod->spec.overhead.empty()) return {};
    return forbid(attributes, "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead");
  }
};

}  // namespace

std::unique_ptr<Plugin> make_runtime_class() { return std::make_unique<RuntimeClassPlugin>(); }

}  // namespace admission
