// What validating and mutating admission policies and their bindings share. Pure; thread: any.
#pragma once

#include <string>
#include <vector>

#include "api/admissionregistration/policy_expressions.h"
#include "api/shared/checks.h"
#include "gen/admissionregistration/v1.h"

namespace api {

void validate_param_kind(const admissionregistration::v1::ParamKind& kind, const FieldPath& path, FieldErrors& errors);
std::string param_kind_cell(const base::Box<admissionregistration::v1::ParamKind>& kind);

void validate_policy_name(const std::string& name, const FieldPath& path, FieldErrors& errors);
void validate_param_ref(const admissionregistration::v1::ParamRef& reference, const FieldPath& path,
                        FieldErrors& errors);
std::string param_ref_cell(const base::Box<admissionregistration::v1::ParamRef>& reference);

// `names`: what its expression may name; PolicyExpressions::kVariables for the variables before it.
void validate_variable(const admissionregistration::v1::Variable& variable, uint8_t names,
                       PolicyExpressions& expressions, const FieldPath& path, FieldErrors& errors);

bool is_blank(std::string_view text);

}  // namespace api
