// Conditions of CustomResourceDefinitions. Pure.
#pragma once

#include <string>
#include <string_view>

#include "api/rules.h"
#include "gen/apiextensions/v1.h"
#include "object/types.h"

namespace apiserver {

using CustomResourceDefinition = ::api::apiextensions::v1::CustomResourceDefinition;

inline constexpr std::string_view kCleanupFinalizer = "customresourcecleanup.apiextensions.k8s.io";

struct CrdCondition {
  std::string_view type;
  std::string_view status;
  std::string reason;
  std::string message;
};

bool is_condition(const CustomResourceDefinition& definition, std::string_view type, std::string_view status);
// The transition time changes with the status. False when it was so already.
enum class ConditionChange : uint8_t { kNone, kChanged };
ConditionChange set_condition(CustomResourceDefinition& definition, const CrdCondition& condition, object::Time now);
ConditionChange remove_condition(CustomResourceDefinition& definition, std::string_view type);

// What a delete does to a definition that is not being deleted yet: it stays until its objects are gone. False for any
// other object.
bool mark_definition_for_cleanup(api::AnyObject& object, object::Time now);

}  // namespace apiserver
