#include "api/admissionregistration/policy_rules.h"

#include <algorithm>
#include <cctype>

#include "api/shared/cells.h"
#include "object/names.h"

namespace api {
namespace {

bool is_cel_identifier(std::string_view name) {
  static constexpr std::string_view kReserved[] = {
      "true", "false",  "null", "in",   "as",      "break",     "const",  "continue", "else", "for",  "function",
      "if",   "import", "let",  "loop", "package", "namespace", "return", "var",      "void", "while"};
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  if (name.empty() || !is_letter(name[0])) return false;
  const auto is_inner = [&](char c) { return is_letter(c) || (c >= '0' && c <= '9'); };
  return std::ranges::all_of(name, is_inner) && std::ranges::find(kReserved, name) == std::end(kReserved);
}

}  // namespace

bool is_blank(std::string_view text) { return text.find_first_not_of(" \t\r\n\v\f") == std::string_view::npos; }

void validate_param_kind(const admissionregistration::v1::ParamKind& kind, const FieldPath& path, FieldErrors& errors) {
  const FieldPath version_path = path.child("apiVersion"), kind_path = path.child("kind");
  const std::string_view text = kind.api_version;
  const size_t slash = text.find('/');
  if (text.empty()) {
    errors.required(version_path);
  } else if (slash != std::string_view::npos && text.find('/', slash + 1) != std::string_view::npos) {
    errors.invalid(version_path, text, "unexpected GroupVersion string: " + kind.api_version);
  } else {
    const std::string_view group = slash == std::string_view::npos ? "" : text.substr(0, slash);
    const std::string_view version = slash == std::string_view::npos ? text : text.substr(slash + 1);
    const auto wrong_group = group.empty() ? object::Messages() : object::validate_dns1123_subdomain(group);
    if (!wrong_group.empty()) errors.invalid(version_path, group, join(wrong_group, ","));
    const auto wrong_version = version.empty() ? object::Messages() : object::validate_dns1035_label(version);
    if (version.empty()) errors.invalid(version_path, text, "version must be specified");
    if (!wrong_version.empty()) errors.invalid(version_path, version, join(wrong_version, ","));
  }
  if (kind.kind.empty()) return errors.required(kind_path);
  std::string lower = kind.kind;
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (const auto messages = object::validate_dns1035_label(lower); !messages.empty()) {
    errors.invalid(kind_path, kind.kind, "may have mixed case, but should otherwise match: " + join(messages, ","));
  }
}

std::string param_kind_cell(const base::Box<admissionregistration::v1::ParamKind>& kind) {
  return kind ? kind->api_version + "/" + kind->kind : std::string("<unset>");
}

void validate_policy_name(const std::string& name, const FieldPath& path, FieldErrors& errors) {
  if (name.empty()) return errors.required(path);
  validate_dns1123_subdomain(name, path, errors);
}

void validate_param_ref(const admissionregistration::v1::ParamRef& reference, const FieldPath& path,
                        FieldErrors& errors) {
  constexpr std::string_view kExclusive = "name and selector are mutually exclusive";
  const FieldPath action = path.child("parameterNotFoundAction");
  if (!reference.name.empty()) {
    errors.invalid_each(path.child("name"), reference.name, object::validate_path_segment_name(reference.name));
    if (reference.selector) errors.forbidden(path.child("name"), kExclusive);
  }
  if (reference.selector) {
    validate_label_selector(*reference.selector, path.child("selector"), errors);
    if (!reference.name.empty()) errors.forbidden(path.child("selector"), kExclusive);
  }
  if (reference.name.empty() && !reference.selector) {
    errors.required(path, "one of name or selector must be specified");
  }
  check_enum(reference.parameter_not_found_action.value_or(""), action, errors, {"Deny", "Allow"});
}

std::string param_ref_cell(const base::Box<admissionregistration::v1::ParamRef>& reference) {
  if (reference && !reference->name.empty()) return or_text(reference->namespace_, "*") + "/" + reference->name;
  if (reference && reference->selector) return format_label_selector(reference->selector);
  return "<unset>";
}

void validate_variable(const admissionregistration::v1::Variable& variable, uint8_t names,
                       PolicyExpressions& expressions, const FieldPath& path, FieldErrors& errors) {
  if (is_blank(variable.name)) {
    errors.required(path.child("name"), "name is not specified");
  } else if (!is_cel_identifier(variable.name)) {
    errors.invalid(path.child("name"), variable.name, "must be a valid CEL identifier");
  }
  const FieldPath expression = path.child("expression");
  if (is_blank(variable.expression)) return errors.required(expression, "expression is not specified");
  expressions.check_variable(variable.name, variable.expression, {names, PolicyExpressions::Result::kAny}, expression,
                             errors);
}

}  // namespace api
