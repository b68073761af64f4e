// What webhook configurations and admission policies share. Pure; thread: any.
#pragma once

#include <cstdint>
#include <vector>

#include "api/shared/checks.h"
#include "gen/admissionregistration/v1.h"

namespace api {

using RuleWithOperations = admissionregistration::v1::RuleWithOperations;
using MatchCondition = admissionregistration::v1::MatchCondition;

void set_rule_defaults(RuleWithOperations& rule);
void validate_rule(const RuleWithOperations& rule, const FieldPath& path, FieldErrors& errors);
enum class HasParams : uint8_t { kNo, kYes };
// `stored`: those of the object before an update, none on create. They may use what is newer.
void validate_match_conditions(const std::vector<MatchCondition>& conditions, const std::vector<MatchCondition>& stored,
                               HasParams params, const FieldPath& path, FieldErrors& errors);
void validate_failure_policy(const std::optional<std::string>& policy, const FieldPath& path, FieldErrors& errors);
void validate_client_config(const admissionregistration::v1::WebhookClientConfig& config, const FieldPath& path,
                            FieldErrors& errors);
void validate_review_versions(const std::vector<std::string>& versions, const FieldPath& path, FieldErrors& errors);
// Of policies and their bindings.
void set_match_resources_defaults(admissionregistration::v1::MatchResources& match);
void validate_match_resources(const admissionregistration::v1::MatchResources& match, const FieldPath& path,
                              FieldErrors& errors);

}  // namespace api
