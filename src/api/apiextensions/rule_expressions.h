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

// `path` is that of the schema, which is structural and whose defaults are valid; `schema_errors` are those that its
// other rules gave: a part with such an error at or below it is left alone.
void validate_rule_expressions(const object::Value& schema, const ExpressionRequirements& requirements,
                               const object::FieldErrors& schema_errors, const object::FieldPath& path,
                               object::FieldErrors& errors);

}  // namespace api
