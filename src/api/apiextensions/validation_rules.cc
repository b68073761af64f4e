#include "api/apiextensions/validation_rules.h"

#include <algorithm>
#include <map>
#include <optional>

#include "api/apiextensions/compiled_rule.h"
#include "api/apiextensions/rule_schema.h"
#include "api/apiextensions/schema_json.h"
#include "api/apiextensions/schema_validation.h"
#include "cel/cel.h"
#include "schema/structural/correlation.h"
#include "schema/structural/structurality.h"

namespace api {

using object::BadValue;
using object::FieldError;
using object::FieldErrors;
using object::FieldPath;
using object::Object;
using object::Value;
using schema::SchemaNode;
using schema::structural::Correlation;

// Parallel to the schema, where it has rules at or below.
struct RuleNode {
  std::vector<CompiledRule> rules;
  const cel::DeclType* decl = nullptr;
  SchemaNode node;
  std::string type;  // of the schema
  bool any_uses_old_self = false;
  std::shared_ptr<cel::DeclTypes> types;  // that `decl` is of
  std::unique_ptr<const RuleNode> items, additional;
  std::map<std::string, std::unique_ptr<const RuleNode>, std::less<>> properties;
};

namespace {

class TreeBuilder {
 public:
  std::unique_ptr<const RuleNode> build(const Object& json, SchemaNode node, const cel::DeclType* decl) {
    auto out = std::make_unique<RuleNode>();
    out->decl = decl;
    out->node = node;
    out->type = text_at(json, "type");
    out->types = types_;
    if (decl) out->rules = compile_rules({json, *decl, types_, node}, language_);
    out->any_uses_old_self = std::ranges::any_of(out->rules, &CompiledRule::uses_old_self);
    const cel::DeclType* element = decl ? decl->element : nullptr;
    if (const Object* items = object_at(json, "items")) out->items = build(*items, node.items(), element);
    if (const Object* schema = object_at(json, "additionalProperties")) {
      out->additional = build(*schema, node.additional_properties(), element);
    }
    build_properties(json, node, decl, *out);
    const bool empty = out->rules.empty() && !out->items && !out->additional && out->properties.empty();
    return empty ? nullptr : std::move(out);
  }

  const cel::DeclType* decl_of(const Object& json, schema::Place place) {
    return types_->build(RuleSchema(json), "selfType" + std::to_string(built_++),
                         place == schema::Place::kResource ? cel::SchemaRoot::kResource : cel::SchemaRoot::kPlain);
  }

 private:
  void build_properties(const Object& json, SchemaNode node, const cel::DeclType* decl, RuleNode& out) {
    const Object* properties = object_at(json, "properties");
    if (!properties || !decl) return;
    for (const object::Member& member : *properties) {
      const Object* schema = member.value.object_if();
      if (!schema) continue;
      const cel::DeclType* below = nullptr;
      if (cel::escape(member.key)) {
        const cel::DeclField* field = decl->find_json(member.key);
        below = field ? field->type : nullptr;
      } else {
        // A name that no expression can write: the part stands by itself.
        const bool embedded = true_at(*schema, "x-kubernetes-embedded-resource");
        below = decl_of(*schema, embedded ? schema::Place::kResource : schema::Place::kPart);
      }
      if (!below) continue;
      if (auto child = build(*schema, node.property(member.key), below)) {
        out.properties.emplace(member.key, std::move(child));
      }
    }
  }

  const cel::Environment language_ = rule_language(Expressions::kStored);
  std::shared_ptr<cel::DeclTypes> types_ = std::make_shared<cel::DeclTypes>();
  int built_ = 0;
};

// What part of the old object belongs to a part of the new one, for errors that did not arise with this update.
struct Ratchet {
  const Correlation* current = nullptr;
  const Correlation* parent = nullptr;

  bool holds() const { return current ? current->equal() : parent && parent->equal(); }
};

constexpr std::string_view kOutOfBudget =
    "validation failed due to running out of cost budget, no further validation rules will be run";

class Run {
 public:
  Run(FieldErrors& errors, std::vector<std::string>* warnings) : errors_(errors), warnings_(warnings) {}

  // False when the budget is spent.
  bool check(const RuleNode& node, const Value& value, const Value* old, const Ratchet& ratchet,
             const FieldPath& path) {
    if (value.is_null()) return true;
    if (!node.rules.empty() && !check_rules(node, value, old, ratchet, path)) return false;
    if (const object::Array* items = value.array_if()) return check_items(node, value, *items, old, ratchet, path);
    if (const Object* members = value.object_if()) return check_members(node, *members, old, ratchet, path);
    return true;
  }

 private:
  bool check_items(const RuleNode& node, const Value& value, const object::Array& items, const Value* old,
                   const Ratchet& ratchet, const FieldPath& path) {
    if (!node.items) return true;
    const Value nothing;
    const Correlation by_key(*node.node.compiled(), *node.node.node(), value, old ? *old : nothing);
    for (size_t i = 0; i < items.size(); ++i) {
      const auto matched = by_key.item(items[i]);
      std::optional<Correlation> below;
      if (ratchet.current) below = ratchet.current->item(items[i]);
      const Ratchet inner = ratchet.current ? Ratchet{below ? &*below : nullptr, ratchet.current} : ratchet;
      if (!check(*node.items, items[i], matched ? &matched->old() : nullptr, inner, path.index(i))) return false;
    }
    return true;
  }

  bool check_member(const RuleNode& node, const object::Member& member, const Value* old, const Ratchet& ratchet,
                    const FieldPath& path) {
    const Value* old_value = old ? old->find(member.key) : nullptr;
    if (!ratchet.current) return check(node, member.value, old_value, ratchet, path);
    // Compat: changes of the type are not seen, so they are never ratcheted.
    if (!ratchet.parent && (member.key == "apiVersion" || member.key == "kind")) {
      return check(node, member.value, old_value, {}, path);
    }
    const auto below = ratchet.current->member(member.key, member.value);
    return check(node, member.value, old_value, {below ? &*below : nullptr, ratchet.current}, path);
  }

  bool check_members(const RuleNode& node, const Object& members, const Value* old, const Ratchet& ratchet,
                     const FieldPath& path) {
    for (const object::Member& member : members) {
      const auto found = node.properties.find(member.key);
      if (found != node.properties.end()) {
        if (!check_member(*found->second, member, old, ratchet, path.child(member.key))) return false;
      } else if (node.additional && !node.node.property(member.key)) {
        if (!check_member(*node.additional, member, old, ratchet, path.key(member.key))) return false;
      }
    }
    return true;
  }

  void invalid(const RuleNode& node, const FieldPath& path, const std::string& detail) {
    errors_.invalid(path, node.type, detail);
  }

  bool check_rules(const RuleNode& node, const Value& value, const Value* old, const Ratchet& ratchet,
                   const FieldPath& path) {
    if (budget_ == 0) {
      invalid(node, path, std::string(kOutOfBudget));
      return false;
    }
    arena_.reset();
    const cel::Value self = cel::Value::of(value, node.decl, &arena_);
    cel::Value old_self;
    if (old && old->is_null()) old = nullptr;
    if (old && node.any_uses_old_self) old_self = cel::Value::of(*old, node.decl, &arena_);
    for (const CompiledRule& rule : node.rules) {
      if (!rule.error.empty()) {
        invalid(node, path, "rule compile error: " + rule.error);
        continue;
      }
      if (!rule.program || (rule.uses_old_self && !old && !rule.optional_old_self)) continue;
      cel::Activation variables(2);
      variables.set(kSelf, self);
      if (rule.optional_old_self) {
        variables.set(kOldSelf, old ? cel::Value::optional_of(arena_, old_self) : cel::Value::none());
      } else if (old) {
        variables.set(kOldSelf, old_self);
      }
      if (!check_rule(node, rule, variables, value, ratchet, path)) return false;
    }
    return true;
  }

  // Takes the cost from the budget; false when it is spent.
  bool pay(uint64_t cost) {
    if (cost > budget_) return false;
    budget_ -= cost;
    return true;
  }

  bool check_rule(const RuleNode& node, const CompiledRule& rule, const cel::Activation& variables, const Value& value,
                  const Ratchet& ratchet, const FieldPath& path) {
    const cel::Outcome outcome = rule.program->evaluate(arena_, variables, {});
    if (!pay(outcome.cost)) {
      invalid(node, path, std::string(kOutOfBudget));
      return false;
    }
    if (outcome.stop != cel::Stop::kNone) {
      invalid(node, path,
              "'operation cancelled: actual cost limit exceeded': no further validation rules will be run due to call "
              "cost exceeds limit for rule: " +
                  rule.shown());
      return false;
    }
    if (outcome.value.is_error()) {
      const std::string message(outcome.value.message());
      if (message.starts_with("no such overload")) {
        invalid(node, path,
                '\'' + message +
                    "': call arguments did not match a supported operator, function or macro signature for rule: " +
                    rule.shown());
      } else {
        invalid(node, path, message + " evaluating rule: " + rule.shown());
      }
      return true;
    }
    if (outcome.value.is_true()) return true;
    return report(node, rule, variables, value, ratchet, path);
  }

  void add(const CompiledRule& rule, const Ratchet& ratchet, FieldErrors found) {
    if (!rule.uses_old_self && ratchet.holds()) {
      if (warnings_) warnings_->push_back(found.errors().front().to_string());
    } else {
      errors_.append(std::move(found));
    }
  }

  // The rule is false: says so in its own words.
  bool report(const RuleNode& node, const CompiledRule& rule, const cel::Activation& variables, const Value& value,
              const Ratchet& ratchet, const FieldPath& path) {
    const FieldPath child = path.child(rule.field_path);
    const FieldPath& at = rule.field_path.empty() ? path : child;
    std::string detail = rule.message.empty() ? "failed rule: " + rule.rule : rule.message;
    FieldErrors found;
    if (rule.message_program) {
      std::string failure;
      if (!evaluate_message(rule, variables, detail, failure)) {
        found.invalid(at, node.type, failure);
        add(rule, ratchet, std::move(found));
        return false;
      }
    }
    const bool compound = node.type == "object" || node.type == "array";
    const BadValue shown = compound ? BadValue::omitted() : BadValue(value);
    if (!rule.reason || *rule.reason == "FieldValueInvalid") {
      found.invalid(at, shown, detail);
    } else if (*rule.reason == "FieldValueForbidden") {
      found.forbidden(at, detail);
    } else if (*rule.reason == "FieldValueRequired") {
      found.required(at, detail);
    } else if (*rule.reason == "FieldValueDuplicate") {
      found.duplicate(at, shown);
    } else {
      found.invalid(at, shown, detail);
    }
    add(rule, ratchet, std::move(found));
    return true;
  }

  // Puts the message into `detail`, or leaves that when the expression gives none; false with `failure` when the
  // budget is spent.
  bool evaluate_message(const CompiledRule& rule, const cel::Activation& variables, std::string& detail,
                        std::string& failure) {
    const cel::Outcome outcome = rule.message_program->evaluate(arena_, variables, {});
    if (!pay(outcome.cost)) {
      failure =
          "messageExpression evaluation failed due to running out of cost budget, no further validation rules will be "
          "run";
      return false;
    }
    if (outcome.stop != cel::Stop::kNone) {
      failure = "no further validation rules will be run due to call cost exceeds limit for messageExpression: \"" +
                rule.message_expression + '"';
      return false;
    }
    if (!outcome.value.is_string()) return true;
    std::string text = without_surrounding_space(outcome.value.text());
    if (!text.empty() && text.size() <= cel::kMaxMessageBytes && text.find('\n') == std::string::npos) {
      detail = std::move(text);
    }
    return true;
  }

  FieldErrors& errors_;
  std::vector<std::string>* warnings_;
  cel::Arena arena_;
  uint64_t budget_ = cel::kRuntimeCostBudget;
};

}  // namespace

ValidationRules::ValidationRules() = default;
ValidationRules::~ValidationRules() = default;

std::shared_ptr<const ValidationRules> ValidationRules::compile(const Value& json,
                                                                std::shared_ptr<const schema::StructuralSchema> schema,
                                                                schema::Place place) {
  const bool any =
      schema::any_schema(json, [](const Object& part) { return part.contains("x-kubernetes-validations"); });
  if (!any) return nullptr;
  const Object* members = json.object_if();
  TreeBuilder builder;
  auto root = builder.build(*members, schema->root(), builder.decl_of(*members, place));
  if (!root) return nullptr;
  std::shared_ptr<ValidationRules> rules(new ValidationRules());
  rules->schema_ = std::move(schema);
  rules->root_ = std::move(root);
  return rules;
}

void ValidationRules::validate(const Value& object, const Value* old, const FieldPath& path, FieldErrors& errors,
                               Ratcheting ratcheting, std::vector<std::string>* warnings) const {
  std::optional<Correlation> correlation;
  const SchemaNode node = schema_->root();
  if (old && ratcheting == Ratcheting::kOn) correlation.emplace(*node.compiled(), *node.node(), object, *old);
  Run(errors, warnings).check(*root_, object, old, {correlation ? &*correlation : nullptr, nullptr}, path);
}

bool blocks_rules(FieldErrors& errors) {
  const bool blocked = std::ranges::any_of(errors.errors(), [](const FieldError& error) {
    using Type = object::FieldErrorType;
    return error.type == Type::kNotSupported || error.type == Type::kRequired || error.type == Type::kTooLong ||
           error.type == Type::kTooMany || error.type == Type::kTypeInvalid;
  });
  if (blocked) {
    errors.invalid(FieldPath(), BadValue::verbatim("null"),
                   "some validation rules were not checked because the object was invalid; correct the existing errors "
                   "to complete validation");
  }
  return blocked;
}

}  // namespace api
