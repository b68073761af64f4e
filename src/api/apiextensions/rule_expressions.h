// Do the rules of a CRD's schema compile, and are they cheap enough? Pure; thread: any.
#pragma once

#include <set>
#include <string>

#include "object/field_error.h"
#include "object/value.h"

namespace api {

struct ExpressionRequirements {
  // Expressions that the old definition has are compiled as stored ones.
  std::set<std::string> old_rules;
  // The schema did not change: each rule may cost what it did.
  bool unchanged = false;
};

// `path` is that of the schema, which is structural and whose defaults are valid; `bad_parts` are the paths of the
// parts at or below which its other rules gave errors: they are left alone.
void validate_rule_expressions(const object::Value& schema, const ExpressionRequirements& requirements,
                               const std::set<std::string>& bad_parts, const object::FieldPath& path,
                               object::FieldErrors& errors);

}  // namespace api
