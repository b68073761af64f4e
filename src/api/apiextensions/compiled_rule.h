// The x-kubernetes-validations of one schema, compiled. Immutable; thread: any.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cel/cel.h"
#include "cel/decl_type.h"
#include "object/value.h"
#include "schema/structural/structural_schema.h"

namespace api {

// What an expression may be written in: those of a new definition may not use what the version before lacks, so that
// it can be stored on a server that is rolled back.
enum class Expressions : uint8_t { kNew, kStored };

struct CompiledRule {
  std::string rule, message, message_expression;
  std::optional<std::string> reason;
  bool optional_old_self = false;
  bool states_optional_old_self = false;  // optionalOldSelf is given, be it false
  std::string field_path;                 // normalized; "" = none

  std::unique_ptr<const cel::Program> program;          // null: not compiled, `error` says why; or an empty rule
  std::unique_ptr<const cel::Program> message_program;  // null: none
  std::string error, message_error;
  bool uses_old_self = false;
  uint64_t max_cost = 0, message_max_cost = 0;

  // As messages name the rule.
  const std::string& shown() const { return message.empty() ? rule : message; }
};

// The variables' slots.
inline constexpr size_t kSelf = 0, kOldSelf = 1;

struct RuleScope {
  const object::Object& json;             // the schema that has the rules
  const cel::DeclType& decl;              // of self
  std::shared_ptr<cel::DeclTypes> types;  // that `decl` is of
  schema::SchemaNode node;                // of the schema; null: field paths are not looked up
};

// The language without variables; make one for all rules of a schema.
cel::Environment rule_language(Expressions expressions);
std::vector<CompiledRule> compile_rules(const RuleScope& scope, const cel::Environment& language);

// How often data of the type fits into a request.
uint64_t max_cardinality(const cel::DeclType& decl);

std::string without_surrounding_space(std::string_view text);

}  // namespace api
