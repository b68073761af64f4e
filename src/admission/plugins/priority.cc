// priorityClassName becomes priority and preemptionPolicy; at most one PriorityClass is the global default.
#include "admission/plugins/common.h"
#include "admission/plugins/plugins.h"
#include "gen/codec.h"
#include "gen/scheduling/v1.h"
#include "schema/metadata_view.h"

namespace admission {
namespace {

using api::core::v1::Pod;
using api::scheduling::v1::PriorityClass;

constexpr uint32_t kGlobalDefault = 3, kValue = 2;

// Compat: of several global defaults (written before the check, or in a race) the lowest value counts.
std::optional<PriorityClass> global_default(const Lookup& lookup) {
  std::string best;
  int64_t best_value = 0;
  lookup.each("scheduling.k8s.io", "priorityclasses", "", [&](std::string_view, std::string_view raw) {
    if (schema::find_int(raw, {kGlobalDefault}).value_or(0) == 0) return;
    const int64_t value = schema::find_int(raw, {kValue}).value_or(0);
    if (!best.empty() && best_value <= value) return;
    best = std::string(raw);
    best_value = value;
  });
  if (best.empty()) return std::nullopt;
  auto decoded = gen::decode<PriorityClass>(best);
  return decoded ? std::optional(std::move(*decoded)) : std::nullopt;
}

class Priority final : public Plugin {
 public:
  std::string_view name() const override { return "Priority"; }

  base::Result<void> admit(Attributes& attributes, const Lookup& lookup) override {
    if (!attributes.is("", "pods")) return {};
    Pod* pod = object_as<Pod>(attributes);
    if (!pod) return {};
    if (attributes.operation == Operation::kUpdate) {
      keep(*pod, old_as<Pod>(attributes));
      return {};
    }
    if (attributes.operation != Operation::kCreate) return {};
    TRY_ASSIGN(PriorityClass priority_class, class_of(attributes, *pod, lookup));
    return apply(attributes, *pod, priority_class);
  }

  base::Result<void> validate(const Attributes& attributes, const Lookup& lookup) override {
    if (attributes.operation != Operation::kCreate && attributes.operation != Operation::kUpdate) return {};
    if (!attributes.is("scheduling.k8s.io", "priorityclasses")) return {};
    const auto* object = object_as<PriorityClass>(attributes);
    if (!object || !object->global_default) return {};
    auto other = global_default(lookup);
    if (!other) return {};
    if (attributes.operation == Operation::kUpdate && other->metadata.name == object->metadata.name) return {};
    return forbid(attributes, "PriorityClass " + other->metadata.name +
                                  " is already marked as default. Only one default can exist");
  }

 private:
  // Compat: an update that leaves them out keeps what creation computed.
  static void keep(Pod& pod, const Pod* old) {
    if (!old) return;
    if (!pod.spec.priority) pod.spec.priority = old->spec.priority;
    if (!pod.spec.preemption_policy) pod.spec.preemption_policy = old->spec.preemption_policy;
  }

  static base::Result<PriorityClass> class_of(const Attributes& attributes, Pod& pod, const Lookup& lookup) {
    const std::string& wanted = pod.spec.priority_class_name;
    if (wanted.empty()) {
      PriorityClass none;
      none.preemption_policy = "PreemptLowerPriority";
      auto found = global_default(lookup);
      if (!found) return none;
      pod.spec.priority_class_name = found->metadata.name;
      return std::move(*found);
    }
    auto raw = lookup.get("scheduling.k8s.io", "priorityclasses", "", wanted);
    if (!raw) return forbid(attributes, "no PriorityClass with name " + wanted + " was found");
    return gen::decode<PriorityClass>(*raw);
  }

  static base::Result<void> apply(const Attributes& attributes, Pod& pod, const PriorityClass& from) {
    if (pod.spec.priority && *pod.spec.priority != from.value) {
      return forbid(attributes, "the integer value of priority (" + std::to_string(*pod.spec.priority) +
                                    ") must not be provided in pod spec; priority admission controller computed " +
                                    std::to_string(from.value) + " from the given PriorityClass name");
    }
    pod.spec.priority = from.value;
    if (!from.preemption_policy) return {};
    if (pod.spec.preemption_policy && *pod.spec.preemption_policy != *from.preemption_policy) {
      return forbid(attributes, "the string value of PreemptionPolicy (" + *pod.spec.preemption_policy +
                                    ") must not be provided in pod spec; priority admission controller computed " +
                                    *from.preemption_policy + " from the given PriorityClass name");
    }
    pod.spec.preemption_policy = from.preemption_policy;
    return {};
  }
};

}  // namespace

std::unique_ptr<Plugin> make_priority() { return std::make_unique<Priority>(); }

}  // namespace admission
