#include "api/apiextensions/rule_expressions.h"

#include <algorithm>
#include <cstdio>
#include <limits>
#include <optional>
#include <vector>

#include "api/apiextensions/compiled_rule.h"
#include "api/apiextensions/rule_schema.h"
#include "api/apiextensions/schema_json.h"
#include "gen/catalogue.h"
#include "gen/meta/v1.h"
#include "schema/structural/structurality.h"

namespace api {
namespace {

using object::BadValue;
using object::FieldErrors;
using object::FieldPath;
using object::Object;
using object::Value;

constexpr uint64_t kUnlimited = std::numeric_limits<uint64_t>::max();

uint64_t times(uint64_t a, uint64_t b) { return a != 0 && kUnlimited / a < b ? kUnlimited : a * b; }

// Compat: the factor is precise only where it is small.
std::string too_costly(std::string_view what, uint64_t cost, uint64_t limit) {
  const double factor = static_cast<double>(cost) / static_cast<double>(limit);
  char text[64];
  if (factor > 100) {
    std::snprintf(text, sizeof(text), "more than 100x");
  } else {
    std::snprintf(text, sizeof(text), factor < 1.5 ? "%fx" : "%.1fx", factor);
  }
  return std::string(what) + " exceeds budget by factor of " + text +
         " (try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings "
         "are declared)";
}

// How often the children of a schema may be there for each time that it is; nullopt: no limit.
std::optional<uint64_t> max_elements(const Object& json) {
  const auto limit = [&](std::string_view name) -> std::optional<uint64_t> {
    const Value* value = json.find(name);
    if (!value || !value->int_if()) return std::nullopt;
    return static_cast<uint64_t>(std::max<int64_t>(*value->int_if(), 0));
  };
  const std::string_view type = text_at(json, "type");
  if (type == "array") return limit("maxItems");
  if (type == "object" && json.contains("additionalProperties")) return limit("maxProperties");
  return 1;
}

// A place in the schema as expressions see it.
struct Context {
  const Object& json;
  const cel::DeclType* decl = nullptr;  // null: nothing at or above has rules, or it has no type
  schema::SchemaNode node;
  std::optional<uint64_t> cardinality;  // nullopt: unlimited
  const FieldPath* uncorrelated = nullptr;
  bool is_resource = false;
};

class ExpressionCheck {
 public:
  ExpressionCheck(const ExpressionRequirements& requirements, const std::set<std::string>& bad_parts,
                  FieldErrors& errors)
      : requirements_(requirements), bad_parts_(bad_parts), errors_(errors) {}

  void check(Context context, const FieldPath& path) {
    const bool has_rules = !list_at(context.json, "x-kubernetes-validations").empty();
    if (has_rules && !context.decl) context.decl = build(context.json, context.is_resource);
    check_children(context, path);
    if (has_rules && !(!bad_parts_.empty() && bad_parts_.contains(path.to_string()))) check_rules(context, path);
  }

  void check_total(const FieldPath& path) {
    if (total_ <= cel::kTotalExpressionCostLimit) return;
    std::ranges::sort(expensive_, std::greater<>(), &Expensive::cost);
    for (size_t i = 0; i < std::min<size_t>(expensive_.size(), 4); ++i) {
      errors_.add({object::FieldErrorType::kForbidden, expensive_[i].path, "",
                   "contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema"});
    }
    errors_.forbidden(path, too_costly("x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema",
                                       total_, cel::kTotalExpressionCostLimit));
  }

 private:
  struct Expensive {
    std::string path;
    uint64_t cost;
  };

  const cel::DeclType* build(const Object& json, bool is_resource) {
    return types_->build(RuleSchema(json), "selfType" + std::to_string(built_++),
                         is_resource ? cel::SchemaRoot::kResource : cel::SchemaRoot::kPlain);
  }

  Context below(const Context& context, const Object& json, const cel::DeclType* decl, schema::SchemaNode node) const {
    Context out{json, decl, node, std::nullopt, context.uncorrelated, true_at(json, "x-kubernetes-embedded-resource")};
    if (const auto elements = max_elements(context.json); elements && context.cardinality) {
      out.cardinality = times(*context.cardinality, *elements);
    }
    return out;
  }

  void check_children(const Context& context, const FieldPath& path) {
    if (const Object* schema = object_at(context.json, "additionalProperties")) {
      check(
          below(context, *schema, context.decl ? context.decl->element : nullptr, context.node.additional_properties()),
          path.child("additionalProperties"));
    }
    if (const Object* properties = object_at(context.json, "properties")) {
      const FieldPath at = path.child("properties");
      const std::string_view map_type = text_at(context.json, "x-kubernetes-map-type");
      const bool correlated =
          !context.json.contains("x-kubernetes-map-type") || map_type == "granular" || map_type == "atomic";
      for (const object::Member& member : *properties) {
        if (!member.value.is_object()) continue;
        const cel::DeclField* field = context.decl ? context.decl->find_json(member.key) : nullptr;
        Context inner =
            below(context, *member.value.object_if(), field ? field->type : nullptr, context.node.property(member.key));
        if (!correlated && !inner.uncorrelated) inner.uncorrelated = &path;
        check(inner, at.key(member.key));
      }
    }
    if (const Object* items = object_at(context.json, "items")) {
      Context inner = below(context, *items, context.decl ? context.decl->element : nullptr, context.node.items());
      if (text_at(context.json, "x-kubernetes-list-type") != "map" && !inner.uncorrelated) inner.uncorrelated = &path;
      check(inner, path.child("items"));
    }
  }

  void observe(const FieldPath& path, uint64_t cost) {
    total_ = kUnlimited - total_ < cost ? kUnlimited : total_ + cost;
    if (cost >= cel::kTotalExpressionCostLimit / 100) expensive_.push_back({path.to_string(), cost});
  }

  void check_cost(uint64_t cost, std::string_view what, const FieldPath& path) {
    if (!requirements_.unchanged && cost > cel::kExpressionCostLimit) {
      errors_.forbidden(path, too_costly(what, cost, cel::kExpressionCostLimit));
    }
    observe(path, cost);
  }

  // Old expressions may use what only this server has.
  std::vector<CompiledRule> compile(const Context& context) const {
    const RuleScope scope{context.json, *context.decl, types_, context.node};
    const object::Array& rules = list_at(context.json, "x-kubernetes-validations");
    const bool stored = std::ranges::all_of(rules, [&](const Value& rule) {
      return requirements_.old_rules.contains(std::string(rule.string_at({"rule"})));
    });
    return compile_rules(scope, stored ? stored_ : new_);
  }

  void check_rules(const Context& context, const FieldPath& path) {
    const FieldPath rules_path = path.child("x-kubernetes-validations");
    if (!context.decl) {
      errors_.internal(
          rules_path,
          "internal error: failed to construct type information for x-kubernetes-validations rules: unable "
          "to convert structural schema to CEL declarations");
      return;
    }
    const object::Array& json = list_at(context.json, "x-kubernetes-validations");
    const std::vector<CompiledRule> rules = compile(context);
    for (size_t i = 0; i < rules.size(); ++i) check_rule(context, rules[i], json[i], rules_path.index(i));
  }

  void check_rule(const Context& context, const CompiledRule& rule, const Value& json, const FieldPath& path) {
    const uint64_t cardinality = context.cardinality.value_or(max_cardinality(*context.decl));
    check_cost(times(rule.max_cost, cardinality), "estimated rule cost", path.child("rule"));
    if (!rule.error.empty()) errors_.invalid(path.child("rule"), shown_rule(json), rule.error);
    if (!rule.message_error.empty()) {
      errors_.invalid(path.child("messageExpression"), shown_rule(json), rule.message_error);
    } else if (rule.message_program) {
      check_cost(rule.message_max_cost, "estimated messageExpression cost", path.child("messageExpression"));
    }
    if (rule.uses_old_self) {
      if (!context.uncorrelated) return;
      errors_.invalid(path.child("rule"), rule.rule,
                      "oldSelf cannot be used on the uncorrelatable portion of the schema within " +
                          context.uncorrelated->to_string());
    } else if (rule.states_optional_old_self) {
      errors_.invalid(path.child("optionalOldSelf"), rule.optional_old_self,
                      "may not be set if oldSelf is not used in rule");
    }
  }

  const ExpressionRequirements& requirements_;
  const std::set<std::string>& bad_parts_;
  FieldErrors& errors_;
  const cel::Environment stored_ = rule_language(Expressions::kStored), new_ = rule_language(Expressions::kNew);
  std::shared_ptr<cel::DeclTypes> types_ = std::make_shared<cel::DeclTypes>();
  int built_ = 0;
  uint64_t total_ = 0;
  std::vector<Expensive> expensive_;
};

}  // namespace

void validate_rule_expressions(const Value& schema, const ExpressionRequirements& requirements,
                               const std::set<std::string>& bad_parts, const FieldPath& path, FieldErrors& errors) {
  const bool any =
      schema::any_schema(schema, [](const Object& json) { return json.contains("x-kubernetes-validations"); });
  if (!any) return;
  const auto compiled = schema::StructuralSchema::compile(schema, gen::message_of<meta::v1::ObjectMeta>());
  if (!compiled) return;
  ExpressionCheck check(requirements, bad_parts, errors);
  check.check({*schema.object_if(), nullptr, (*compiled)->root(), 1, nullptr, true}, path);
  check.check_total(path);
}

}  // namespace api
