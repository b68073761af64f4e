#include "api/apiextensions/compiled_rule.h"

#include "api/apiextensions/schema_field_path.h"
#include "api/apiextensions/schema_json.h"

namespace api {
namespace {

using object::Object;
using object::Value;

// The server's own version, and the one before.
constexpr cel::Version kServer{1, 35}, kBefore{1, 34};

class RuleEnvironments {
 public:
  RuleEnvironments(const RuleScope& scope, const cel::Environment& language) : plain_(language), optional_(language) {
    for (cel::Environment* environment : {&plain_, &optional_}) {
      environment->add_types(scope.types);
      environment->declare("self", scope.decl);
    }
    plain_.declare("oldSelf", scope.decl);
    optional_.declare("oldSelf", scope.types->pool().optional(scope.decl.type));
  }
  const cel::Environment& of(const CompiledRule& rule) const { return rule.optional_old_self ? optional_ : plain_; }

 private:
  cel::Environment plain_, optional_;
};

void compile_message(const cel::Environment& environment, CompiledRule& rule) {
  auto program = environment.compile(rule.message_expression);
  if (!program) {
    rule.message_error = "messageExpression compilation failed: " + program.error().message;
    return;
  }
  if (program->result_kind() != cel::TypeKind::kString) {
    rule.message_error = "messageExpression must evaluate to a string";
    return;
  }
  if (!program->problem().empty()) {
    rule.message_error = "messageExpression instantiation failed: " + program->problem();
    return;
  }
  rule.message_max_cost = program->estimated_cost().max;
  rule.message_program = std::make_unique<const cel::Program>(*std::move(program));
}

void compile_rule(const cel::Environment& environment, CompiledRule& rule) {
  if (without_surrounding_space(rule.rule).empty()) return;
  auto program = environment.compile(rule.rule);
  if (!program) {
    rule.error = "compilation failed: " + program.error().message;
    return;
  }
  if (program->result_kind() != cel::TypeKind::kBool) {
    rule.error = "cel expression must evaluate to a bool";
    return;
  }
  rule.uses_old_self = program->uses(kOldSelf);
  if (!program->problem().empty()) {
    rule.error = "program instantiation failed: " + program->problem();
    return;
  }
  rule.max_cost = program->estimated_cost().max;
  rule.program = std::make_unique<const cel::Program>(*std::move(program));
  if (!rule.message_expression.empty()) compile_message(environment, rule);
}

}  // namespace

std::string without_surrounding_space(std::string_view text) {
  constexpr std::string_view kSpace = " \t\n\r\f\v";
  const size_t from = text.find_first_not_of(kSpace);
  if (from == std::string_view::npos) return "";
  return std::string(text.substr(from, text.find_last_not_of(kSpace) - from + 1));
}

uint64_t max_cardinality(const cel::DeclType& decl) {
  // One comma between two of them.
  return static_cast<uint64_t>(cel::kMaxRequestBytes / (decl.min_serialized_size + 1));
}

cel::Environment rule_language(Expressions expressions) {
  return cel::Environment::kubernetes(expressions == Expressions::kNew ? kBefore : kServer);
}

std::vector<CompiledRule> compile_rules(const RuleScope& scope, const cel::Environment& language) {
  std::vector<CompiledRule> out;
  const object::Array& rules = list_at(scope.json, "x-kubernetes-validations");
  if (rules.empty()) return out;
  const RuleEnvironments environments(scope, language);
  out.reserve(rules.size());
  for (const Value& value : rules) {
    static const Object kEmpty;
    const Object& json = value.object_if() ? *value.object_if() : kEmpty;
    CompiledRule& rule = out.emplace_back();
    rule.rule = text_at(json, "rule");
    rule.message = text_at(json, "message");
    rule.message_expression = text_at(json, "messageExpression");
    if (const Value* reason = json.find("reason"); reason && reason->string_if()) rule.reason = *reason->string_if();
    rule.states_optional_old_self = json.contains("optionalOldSelf");
    rule.optional_old_self = true_at(json, "optionalOldSelf");
    compile_rule(environments.of(rule), rule);
    rule.rule = without_surrounding_space(rule.rule);
    rule.message = without_surrounding_space(rule.message);
    if (const std::string_view path = text_at(json, "fieldPath"); !path.empty() && scope.node) {
      if (auto parsed = parse_schema_field_path(path, scope.node, ArrayNotation::kAllowed)) {
        rule.field_path = parsed->to_string();
      }
    }
  }
  return out;
}

}  // namespace api
