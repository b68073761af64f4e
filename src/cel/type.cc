#include "cel/type.h"

#include <array>
#include <cctype>

#include "base/check.h"

namespace cel {

const Type* simple_type(TypeKind kind) {
  static const Type kDynType{TypeKind::kDyn, "dyn", {}};
  static const std::array<Type, 18> kTypes = {
      Type{TypeKind::kError, "!error!", {}},
      Type{TypeKind::kDyn, "dyn", {}},
      Type{TypeKind::kNull, "null_type", {}},
      Type{TypeKind::kBool, "bool", {}},
      Type{TypeKind::kInt, "int", {}},
      Type{TypeKind::kUint, "uint", {}},
      Type{TypeKind::kDouble, "double", {}},
      Type{TypeKind::kString, "string", {}},
      Type{TypeKind::kBytes, "bytes", {}},
      Type{TypeKind::kDuration, "google.protobuf.Duration", {}},
      Type{TypeKind::kTimestamp, "google.protobuf.Timestamp", {}},
      Type{TypeKind::kList, "list", {&kDynType}},
      Type{TypeKind::kMap, "map", {&kDynType, &kDynType}},
      Type{TypeKind::kStruct, "object", {}},
      Type{TypeKind::kOpaque, "opaque", {}},
      Type{TypeKind::kType, "type", {}},
      Type{TypeKind::kTypeParam, "T", {}},
      Type{TypeKind::kWrapper, "wrapper", {}},
  };
  return &kTypes[static_cast<size_t>(kind)];
}

bool same_type(const Type& a, const Type& b) {
  if (&a == &b) return true;
  if (a.kind != b.kind || a.name != b.name || a.params.size() != b.params.size()) return false;
  for (size_t i = 0; i < a.params.size(); ++i) {
    if (!same_type(*a.params[i], *b.params[i])) return false;
  }
  return true;
}

std::string format_type(const Type& type) {
  switch (type.kind) {
    case TypeKind::kDuration:
      return "duration";
    case TypeKind::kTimestamp:
      return "timestamp";
    case TypeKind::kNull:
      return "null";
    default:
      break;
  }
  std::string text = type.name;
  if (type.params.empty()) return text;
  text += '(';
  for (size_t i = 0; i < type.params.size(); ++i) {
    if (i > 0) text += ", ";
    text += format_type(*type.params[i]);
  }
  return text + ')';
}

const Type* TypePool::add(Type type) {
  types_.push_back(std::move(type));
  return &types_.back();
}
const Type* TypePool::list(const Type* element) { return add({TypeKind::kList, "list", {element}}); }
const Type* TypePool::map(const Type* key, const Type* value) { return add({TypeKind::kMap, "map", {key, value}}); }
const Type* TypePool::optional(const Type* value) { return add({TypeKind::kOpaque, "optional_type", {value}}); }
const Type* TypePool::type_of(const Type* type) { return add({TypeKind::kType, "type", {type}}); }
const Type* TypePool::object(std::string_view name) { return add({TypeKind::kStruct, std::string(name), {}}); }
const Type* TypePool::opaque(std::string_view name, std::vector<const Type*> params) {
  return add({TypeKind::kOpaque, std::string(name), std::move(params)});
}
const Type* TypePool::param(std::string_view name) { return add({TypeKind::kTypeParam, std::string(name), {}}); }
const Type* TypePool::wrapper(const Type* primitive) { return add({TypeKind::kWrapper, "wrapper", {primitive}}); }

const Type* TypePool::parse(std::string_view text) {
  size_t at = 0;
  const Type* type = parse_at(text, at);
  CHECK(at == text.size());
  return type;
}

const Type* TypePool::parse_at(std::string_view text, size_t& at) {
  const size_t start = at;
  while (at < text.size() &&
         (std::isalnum(static_cast<unsigned char>(text[at])) || text[at] == '.' || text[at] == '_')) {
    ++at;
  }
  const std::string_view name = text.substr(start, at - start);
  CHECK(!name.empty());
  std::vector<const Type*> params;
  if (at < text.size() && text[at] == '(') {
    do {
      ++at;
      while (at < text.size() && text[at] == ' ') ++at;
      params.push_back(parse_at(text, at));
    } while (at < text.size() && text[at] == ',');
    CHECK(at < text.size() && text[at] == ')');
    ++at;
  }
  static constexpr std::pair<std::string_view, TypeKind> kSimple[] = {
      {"dyn", TypeKind::kDyn},       {"null", TypeKind::kNull},           {"bool", TypeKind::kBool},
      {"int", TypeKind::kInt},       {"uint", TypeKind::kUint},           {"double", TypeKind::kDouble},
      {"string", TypeKind::kString}, {"bytes", TypeKind::kBytes},         {"duration", TypeKind::kDuration},
      {"type", TypeKind::kType},     {"timestamp", TypeKind::kTimestamp},
  };
  if (params.empty()) {
    for (const auto& [word, kind] : kSimple) {
      if (word == name) return simple_type(kind);
    }
    if (name.size() == 1 && std::isupper(static_cast<unsigned char>(name[0]))) return param(name);
    return name.find('.') != std::string_view::npos ? opaque(name) : object(name);
  }
  if (name == "list") return list(params.at(0));
  if (name == "map") return map(params.at(0), params.at(1));
  if (name == "optional") return optional(params.at(0));
  if (name == "type") return type_of(params.at(0));
  if (name == "wrapper") return wrapper(params.at(0));
  return opaque(name, std::move(params));
}

}  // namespace cel
