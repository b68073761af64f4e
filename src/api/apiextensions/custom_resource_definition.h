// What the server asks of a CustomResourceDefinition beyond its rules. Pure; thread: any.
#pragma once

#include <optional>
#include <string_view>

#include "gen/apiextensions/v1.h"

namespace api {

// The NonStructuralSchema condition that the definition should have, without a transition time; nullopt: none.
std::optional<apiextensions::v1::CustomResourceDefinitionCondition> non_structural_condition(
    const apiextensions::v1::CustomResourceDefinition& definition);

// The KubernetesAPIApprovalPolicyConformant condition of a definition in a *.k8s.io or *.kubernetes.io group, without a
// transition time; nullopt for other groups.
std::optional<apiextensions::v1::CustomResourceDefinitionCondition> api_approval_condition(
    const apiextensions::v1::CustomResourceDefinition& definition);

bool is_condition_true(const apiextensions::v1::CustomResourceDefinition& definition, std::string_view type);

}  // namespace api
