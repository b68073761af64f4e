#include "api/admissionregistration/policy_expressions.h"

#include <algorithm>
#include <limits>
#include <memory>

#include "cel/libraries/authorizer.h"
#include "cel/libraries/json_patch.h"

namespace api {
namespace {

using cel::DeclField;
using cel::DeclKind;
using cel::DeclType;
using cel::DeclTypes;

// The server's own version, and the one before.
constexpr cel::Version kServer{1, 35}, kBefore{1, 34};
constexpr uint64_t kUnlimited = std::numeric_limits<int64_t>::max();

const DeclType* text() { return DeclTypes::scalar(DeclKind::kString); }
const DeclType* timestamp() { return DeclTypes::scalar(DeclKind::kTimestamp); }

using Fields = std::vector<std::pair<std::string, const DeclType*>>;
const DeclType* object_of(DeclTypes& types, std::string_view name, const Fields& fields) {
  std::vector<DeclField> made;
  for (const auto& [field, type] : fields) made.push_back({field, field, type, true});
  return types.object(name, std::move(made));
}

const DeclType* add_request_type(DeclTypes& types) {
  const DeclType* kind =
      object_of(types, "kubernetes.GroupVersionKind", {{"group", text()}, {"version", text()}, {"kind", text()}});
  const DeclType* resource = object_of(types, "kubernetes.GroupVersionResource",
                                       {{"group", text()}, {"version", text()}, {"resource", text()}});
  const DeclType* texts = types.list_of(text(), kUnlimited);
  const DeclType* user =
      object_of(types, "kubernetes.UserInfo",
                {{"username", text()}, {"uid", text()}, {"groups", texts}, {"extra", types.map_of(texts, kUnlimited)}});
  return object_of(types, "kubernetes.AdmissionRequest",
                   {{"kind", kind},
                    {"resource", resource},
                    {"subResource", text()},
                    {"requestKind", kind},
                    {"requestResource", resource},
                    {"requestSubResource", text()},
                    {"name", text()},
                    {"namespace", text()},
                    {"operation", text()},
                    {"userInfo", user},
                    {"dryRun", DeclTypes::scalar(DeclKind::kBool)},
                    {"options", DeclTypes::scalar(DeclKind::kDyn)}});
}

const DeclType* add_namespace_type(DeclTypes& types) {
  const DeclType* texts = types.list_of(text(), kUnlimited);
  const DeclType* map = types.map_of(text(), kUnlimited);
  const DeclType* number = DeclTypes::scalar(DeclKind::kInt);
  const DeclType* spec = object_of(types, "kubernetes.NamespaceSpec", {{"finalizers", texts}});
  const DeclType* condition = object_of(types, "kubernetes.NamespaceCondition",
                                        {{"status", text()},
                                         {"type", text()},
                                         {"lastTransitionTime", timestamp()},
                                         {"message", text()},
                                         {"reason", text()}});
  const DeclType* status = object_of(types, "kubernetes.NamespaceStatus",
                                     {{"conditions", types.list_of(condition, kUnlimited)}, {"phase", text()}});
  // Compat: without owner references and managed fields, and with "UID".
  const DeclType* metadata = object_of(types, "kubernetes.NamespaceMetadata",
                                       {{"name", text()},
                                        {"generateName", text()},
                                        {"namespace", text()},
                                        {"labels", map},
                                        {"annotations", map},
                                        {"UID", text()},
                                        {"creationTimestamp", timestamp()},
                                        {"deletionGracePeriodSeconds", number},
                                        {"deletionTimestamp", timestamp()},
                                        {"generation", number},
                                        {"resourceVersion", text()},
                                        {"finalizers", texts}});
  return object_of(types, "kubernetes.Namespace", {{"metadata", metadata}, {"spec", spec}, {"status", status}});
}

// The type that a variable has for the expressions after it: scalars, and lists and maps of them; all else is dyn.
const DeclType* type_named(DeclTypes& types, std::string_view name) {
  static constexpr std::pair<std::string_view, DeclKind> kScalars[] = {
      {"bool", DeclKind::kBool},
      {"int", DeclKind::kInt},
      {"double", DeclKind::kDouble},
      {"string", DeclKind::kString},
      {"bytes", DeclKind::kBytes},
      {"google.protobuf.Duration", DeclKind::kDuration},
      {"duration", DeclKind::kDuration},
      {"timestamp", DeclKind::kTimestamp},
      {"google.protobuf.Timestamp", DeclKind::kTimestamp}};
  for (const auto& [scalar, kind] : kScalars) {
    if (name == scalar) return DeclTypes::scalar(kind);
  }
  constexpr std::string_view kList = "list(", kMap = "map(string, ";
  const auto inside = [&](std::string_view prefix) {
    return type_named(types, name.substr(prefix.size(), name.size() - prefix.size() - 1));
  };
  if (name.starts_with(kList)) return types.list_of(inside(kList), kUnlimited);
  if (name.starts_with(kMap)) return types.map_of(inside(kMap), kUnlimited);
  return DeclTypes::scalar(DeclKind::kDyn);
}

bool is_identifier(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

// Compat: every "Object.…" is a type; here those that the expression names.
void add_object_types(DeclTypes& types, std::string_view expression) {
  constexpr std::string_view kObject = "Object";
  types.open_object(kObject);
  for (size_t at = 0; (at = expression.find(kObject, at)) != std::string_view::npos;) {
    const bool begins = at == 0 || !is_identifier(expression[at - 1]);
    size_t end = at + kObject.size();
    while (begins && end + 1 < expression.size() && expression[end] == '.' && is_identifier(expression[end + 1])) {
      ++end;
      while (end < expression.size() && is_identifier(expression[end])) ++end;
      const std::string_view name = expression.substr(at, end - at);
      if (!types.find(name)) types.open_object(name);
    }
    at = end;
  }
}

// "" when the type fits.
std::string type_problem(std::string_view type, PolicyExpressions::Result wanted) {
  using Result = PolicyExpressions::Result;
  const auto must_be = [&](std::string_view name) {
    return type == name ? std::string() : "must evaluate to " + std::string(name) + " but got " + std::string(type);
  };
  switch (wanted) {
    case Result::kAny:
      return "";
    case Result::kBool:
      return must_be("bool");
    case Result::kString:
      return must_be("string");
    case Result::kObject:
      return must_be("Object");
    case Result::kJsonPatches:
      return must_be("list(JSONPatch)");
    case Result::kStringOrNull:
      if (type == "string" || type == "null_type" || type == "null") return "";
      return "must evaluate to one of [string null_type] but got " + std::string(type);
  }
  return "";
}

}  // namespace

const cel::Environment& PolicyExpressions::environment(Language language) {
  std::optional<cel::Environment>& made = language == Language::kNew ? new_ : stored_;
  if (!made) made = cel::Environment::kubernetes(language == Language::kNew ? kBefore : kServer);
  return *made;
}

PolicyExpressions::Compiled PolicyExpressions::compile(std::string_view expression, Use use) {
  auto types = std::make_shared<DeclTypes>();
  const DeclType* any = DeclTypes::scalar(DeclKind::kDyn);
  cel::Environment environment = this->environment(use.language);
  environment.declare("object", *any);
  environment.declare("oldObject", *any);
  environment.declare("namespaceObject", *add_namespace_type(*types));
  environment.declare("request", *add_request_type(*types));
  if (use.names & kParams) environment.declare("params", *any);
  if (use.names & kAuthorizer) {
    environment.declare("authorizer", cel::authorizer_type());
    environment.declare("authorizer.requestResource", cel::resource_check_type());
  }
  if (use.names & kVariables) {
    Fields fields;
    for (const auto& [name, type] : variables_) {
      std::erase_if(fields, [&](const auto& field) { return field.first == name; });
      fields.emplace_back(name, type_named(*types, type));
    }
    environment.declare("variables", *object_of(*types, "kubernetes.variables", fields));
  }
  if (use.names & kPatchTypes) {
    cel::add_json_patch_type(*types);
    add_object_types(*types, expression);
  }
  environment.add_types(types);
  const auto program = environment.compile(expression);
  if (!program) return {"compilation failed: " + program.error().message, ""};
  return {type_problem(program->result_type(), use.result), program->result_type()};
}

void PolicyExpressions::check(std::string_view expression, Use use, const object::FieldPath& path,
                              object::FieldErrors& errors) {
  const Compiled compiled = compile(expression, use);
  if (!compiled.problem.empty()) errors.invalid(path, expression, compiled.problem);
}

void PolicyExpressions::check_variable(std::string_view name, std::string_view expression, Use use,
                                       const object::FieldPath& path, object::FieldErrors& errors) {
  Compiled compiled = compile(expression, use);
  if (!compiled.problem.empty()) errors.invalid(path, expression, compiled.problem);
  variables_.emplace_back(name, std::move(compiled.type));
}

}  // namespace api
