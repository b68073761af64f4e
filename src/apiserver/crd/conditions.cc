#include "apiserver/crd/conditions.h"

#include <algorithm>

namespace apiserver {

using ::api::apiextensions::v1::CustomResourceDefinitionCondition;

bool is_condition(const CustomResourceDefinition& definition, std::string_view type, std::string_view status) {
  return std::ranges::any_of(definition.status.conditions, [&](const CustomResourceDefinitionCondition& each) {
    return each.type == type && each.status == status;
  });
}

ConditionChange set_condition(CustomResourceDefinition& definition, const CrdCondition& condition, object::Time now) {
  now.nanos = 0;
  auto& all = definition.status.conditions;
  auto found = std::ranges::find(all, condition.type, &CustomResourceDefinitionCondition::type);
  if (found == all.end()) {
    found = all.insert(all.end(), CustomResourceDefinitionCondition());
    found->type = condition.type;
    found->last_transition_time = now;
  } else if (found->status == condition.status && found->reason == condition.reason &&
             found->message == condition.message) {
    return ConditionChange::kNone;
  } else if (found->status != condition.status) {
    found->last_transition_time = now;
  }
  found->status = condition.status;
  found->reason = condition.reason;
  found->message = condition.message;
  return ConditionChange::kChanged;
}

ConditionChange remove_condition(CustomResourceDefinition& definition, std::string_view type) {
  return std::erase_if(definition.status.conditions, [&](const auto& each) { return each.type == type; }) > 0
             ? ConditionChange::kChanged
             : ConditionChange::kNone;
}

bool mark_definition_for_cleanup(api::AnyObject& object, object::Time now) {
  if (&object.message() != &gen::message_of<CustomResourceDefinition>()) return false;
  auto& definition = object.as<CustomResourceDefinition>();
  if (definition.metadata.deletion_timestamp) return false;
  now.nanos = 0;
  definition.metadata.deletion_timestamp = now;
  auto& finalizers = definition.metadata.finalizers;
  if (std::ranges::find(finalizers, kCleanupFinalizer) == finalizers.end()) finalizers.emplace_back(kCleanupFinalizer);
  set_condition(definition,
                {"Terminating", "True", "InstanceDeletionPending",
                 "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon"},
                now);
  return true;
}

}  // namespace apiserver
