// kubernetes.authorization.*: builders of a question, and what its answer says.
#include "cel/libraries/authorizer.h"

#include "cel/libraries/libraries.h"

namespace cel {

namespace {

enum class Part : uint8_t { kAuthorizer, kPathCheck, kGroupCheck, kResourceCheck, kDecision };

const Type* type_of_part(Part part) {
  static const Type kTypes[] = {
      {TypeKind::kOpaque, "kubernetes.authorization.Authorizer", {}},
      {TypeKind::kOpaque, "kubernetes.authorization.PathCheck", {}},
      {TypeKind::kOpaque, "kubernetes.authorization.GroupCheck", {}},
      {TypeKind::kOpaque, "kubernetes.authorization.ResourceCheck", {}},
      {TypeKind::kOpaque, "kubernetes.authorization.Decision", {}},
  };
  return &kTypes[static_cast<size_t>(part)];
}

struct Check : Opaque {
  Check(Part p, const AuthorizerPort& q) : part(p), port(&q) {}
  const Type* type() const override { return type_of_part(part); }
  Part part;
  const AuthorizerPort* port;
  AuthorizationQuestion question;
  AuthorizationAnswer answer;
};

const Check& of(const Value& value) { return *static_cast<const Check*>(value.as_opaque()); }

// The same check one step further.
template <typename Change>
Value next(CallContext& context, const Value& from, Part part, Change change) {
  Check* check = context.arena.make<Check>(of(from));
  check->part = part;
  change(*check);
  return Value::of_opaque(check);
}

std::string text(std::span<const Value> args, size_t index = 1) { return std::string(args[index].text()); }

Value path(CallContext& context, std::span<const Value> args) {
  if (args[1].text().empty()) return Value::error("path must not be empty");
  return next(context, args[0], Part::kPathCheck, [&](Check& check) { check.question.path = text(args); });
}
Value group(CallContext& context, std::span<const Value> args) {
  return next(context, args[0], Part::kGroupCheck, [&](Check& check) { check.question.group = text(args); });
}
Value service_account(CallContext& context, std::span<const Value> args) {
  return next(context, args[0], Part::kAuthorizer,
              [&](Check& check) { check.question.service_account = std::pair(text(args), text(args, 2)); });
}
Value resource(CallContext& context, std::span<const Value> args) {
  return next(context, args[0], Part::kResourceCheck, [&](Check& check) { check.question.resource = text(args); });
}
Value subresource(CallContext& context, std::span<const Value> args) {
  return next(context, args[0], Part::kResourceCheck, [&](Check& check) { check.question.subresource = text(args); });
}
Value namespace_of(CallContext& context, std::span<const Value> args) {
  return next(context, args[0], Part::kResourceCheck,
              [&](Check& check) { check.question.namespace_name = text(args); });
}
Value name(CallContext& context, std::span<const Value> args) {
  return next(context, args[0], Part::kResourceCheck, [&](Check& check) { check.question.name = text(args); });
}
Value field_selector(CallContext& context, std::span<const Value> args) {
  return next(context, args[0], Part::kResourceCheck,
              [&](Check& check) { check.question.field_selector = text(args); });
}
Value label_selector(CallContext& context, std::span<const Value> args) {
  return next(context, args[0], Part::kResourceCheck,
              [&](Check& check) { check.question.label_selector = text(args); });
}
Value check(CallContext& context, std::span<const Value> args) {
  return next(context, args[0], Part::kDecision, [&](Check& decision) {
    decision.question.verb = text(args);
    decision.answer = decision.port->check(decision.question);
  });
}
Value errored(CallContext&, std::span<const Value> args) { return Value::of_bool(!of(args[0]).answer.error.empty()); }
Value error(CallContext&, std::span<const Value> args) { return Value::of_string(of(args[0]).answer.error); }
Value allowed(CallContext&, std::span<const Value> args) { return Value::of_bool(of(args[0]).answer.allowed); }
Value reason(CallContext&, std::span<const Value> args) { return Value::of_string(of(args[0]).answer.reason); }

#define AUTHORIZATION "kubernetes.authorization."
constexpr Declaration kAuthorizer[] = {
    {"authorizer_path", AUTHORIZATION "Authorizer.path(string): " AUTHORIZATION "PathCheck", path},
    {"authorizer_group", AUTHORIZATION "Authorizer.group(string): " AUTHORIZATION "GroupCheck", group},
    {"authorizer_serviceaccount",
     AUTHORIZATION "Authorizer.serviceAccount(string, string): " AUTHORIZATION "Authorizer", service_account},
    {"groupcheck_resource", AUTHORIZATION "GroupCheck.resource(string): " AUTHORIZATION "ResourceCheck", resource},
    {"resourcecheck_subresource", AUTHORIZATION "ResourceCheck.subresource(string): " AUTHORIZATION "ResourceCheck",
     subresource},
    {"resourcecheck_namespace", AUTHORIZATION "ResourceCheck.namespace(string): " AUTHORIZATION "ResourceCheck",
     namespace_of},
    {"resourcecheck_name", AUTHORIZATION "ResourceCheck.name(string): " AUTHORIZATION "ResourceCheck", name},
    {"pathcheck_check", AUTHORIZATION "PathCheck.check(string): " AUTHORIZATION "Decision", check},
    {"resourcecheck_check", AUTHORIZATION "ResourceCheck.check(string): " AUTHORIZATION "Decision", check},
    {"decision_errored", AUTHORIZATION "Decision.errored(): bool", errored},
    {"decision_error", AUTHORIZATION "Decision.error(): string", error},
    {"decision_allowed", AUTHORIZATION "Decision.allowed(): bool", allowed},
    {"decision_reason", AUTHORIZATION "Decision.reason(): string", reason},
};
constexpr Declaration kSelectors[] = {
    {"authorizer_fieldselector", AUTHORIZATION "ResourceCheck.fieldSelector(string): " AUTHORIZATION "ResourceCheck",
     field_selector},
    {"authorizer_labelselector", AUTHORIZATION "ResourceCheck.labelSelector(string): " AUTHORIZATION "ResourceCheck",
     label_selector},
};
#undef AUTHORIZATION

}  // namespace

const Type* authorizer_type() { return type_of_part(Part::kAuthorizer); }
const Type* resource_check_type() { return type_of_part(Part::kResourceCheck); }

Value make_authorizer(Arena& arena, const AuthorizerPort& port) {
  return Value::of_opaque(arena.make<Check>(Part::kAuthorizer, port));
}

Value make_request_resource(Arena& arena, const AuthorizerPort& port, const AuthorizationQuestion& question) {
  Check* check = arena.make<Check>(Part::kResourceCheck, port);
  check->question = question;
  return Value::of_opaque(check);
}

std::span<const Declaration> authorizer_declarations() { return kAuthorizer; }
std::span<const Declaration> authorizer_selector_declarations() { return kSelectors; }

}  // namespace cel
