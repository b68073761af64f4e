#include "cel/functions.h"

#include <algorithm>

#include "base/check.h"

namespace cel {

namespace {

constexpr uint32_t bit(Kind kind) { return 1u << static_cast<unsigned>(kind); }
constexpr uint32_t kAnything = ~bit(Kind::kError);

uint32_t kinds_of(const Type& type) {
  switch (type.kind) {
    case TypeKind::kNull:
      return bit(Kind::kNull);
    case TypeKind::kBool:
      return bit(Kind::kBool);
    case TypeKind::kInt:
      return bit(Kind::kInt);
    case TypeKind::kUint:
      return bit(Kind::kUint);
    case TypeKind::kDouble:
      return bit(Kind::kDouble);
    case TypeKind::kString:
      return bit(Kind::kString);
    case TypeKind::kBytes:
      return bit(Kind::kBytes);
    case TypeKind::kDuration:
      return bit(Kind::kDuration);
    case TypeKind::kTimestamp:
      return bit(Kind::kTimestamp);
    case TypeKind::kList:
      return bit(Kind::kList);
    case TypeKind::kMap:
      return bit(Kind::kMap);
    case TypeKind::kStruct:
      return bit(Kind::kStruct);
    case TypeKind::kOpaque:
      return is_optional(type) ? bit(Kind::kOptional) : bit(Kind::kOpaque);
    case TypeKind::kType:
      return bit(Kind::kType);
    default:
      return kAnything;
  }
}

void collect_params(const Type& type, std::vector<std::string>& out) {
  if (type.kind == TypeKind::kTypeParam && std::find(out.begin(), out.end(), type.name) == out.end()) {
    out.push_back(type.name);
  }
  for (const Type* param : type.params) collect_params(*param, out);
}

// Splits "a, list(b), c" at the commas outside parentheses.
std::vector<std::string_view> split_types(std::string_view text) {
  std::vector<std::string_view> parts;
  int depth = 0;
  size_t start = 0;
  for (size_t i = 0; i <= text.size(); ++i) {
    if (i == text.size() || (text[i] == ',' && depth == 0)) {
      if (i > start) parts.push_back(text.substr(start, i - start));
      start = i + 1;
      while (start < text.size() && text[start] == ' ') ++start;
    } else {
      depth += text[i] == '(' ? 1 : text[i] == ')' ? -1 : 0;
    }
  }
  return parts;
}

// Where the argument list of "list(T).f(int)" begins: the parenthesis that matches the last one.
size_t arguments_at(std::string_view call) {
  int depth = 0;
  for (size_t i = call.size(); i-- > 0;) {
    depth += call[i] == ')' ? 1 : call[i] == '(' ? -1 : 0;
    if (depth == 0) return i;
  }
  CHECK(false);
  return 0;
}

}  // namespace

void FunctionTable::add(const Declaration& declaration) {
  const std::string_view text = declaration.signature;
  const size_t colon = text.rfind(": ");
  CHECK(colon != std::string_view::npos);
  std::string_view call = text.substr(0, colon);
  const size_t open = arguments_at(call);
  const std::string_view args = call.substr(open + 1, call.size() - open - 2);
  call = call.substr(0, open);
  Overload overload;
  overload.id = declaration.id;
  overload.native = declaration.native;
  overload.result = pool.parse(text.substr(colon + 2));
  // "<receiver>.name" is a member; a global name may hold dots too ("math.abs") and is then marked by a leading colon.
  std::string_view name = call;
  if (call.starts_with(':')) {
    name = call.substr(1);
  } else if (const size_t dot = call.rfind('.'); dot != std::string_view::npos) {
    overload.member = true;
    overload.args.push_back(pool.parse(call.substr(0, dot)));
    name = call.substr(dot + 1);
  }
  for (const std::string_view arg : split_types(args)) overload.args.push_back(pool.parse(arg));
  for (const Type* arg : overload.args) {
    overload.kinds.push_back(kinds_of(*arg));
    collect_params(*arg, overload.type_params);
  }
  collect_params(*overload.result, overload.type_params);
  overload.cost = cost_rule(name, overload.id);
  auto& slot = functions[name];
  if (!slot) {
    auto function = std::make_unique<Function>();
    function->name = name;
    functions.erase(name);
    const std::string_view key = function->name;
    functions[key] = std::move(function);
    functions[key]->overloads.push_back(std::move(overload));
    return;
  }
  slot->overloads.push_back(std::move(overload));
}

void FunctionTable::add_type(std::string_view name) {
  const Type* type = pool.parse(name);
  type_names[type->name] = pool.type_of(type);
}

const Function* FunctionTable::find(std::string_view name) const {
  const auto at = functions.find(name);
  return at == functions.end() ? nullptr : at->second.get();
}

bool accepts(const Overload& overload, std::span<const Value> args) {
  if (overload.args.size() != args.size()) return false;
  for (size_t i = 0; i < args.size(); ++i) {
    if (!(overload.kinds[i] & bit(args[i].kind()))) return false;
    if (args[i].kind() == Kind::kOpaque && overload.args[i]->kind == TypeKind::kOpaque &&
        args[i].as_opaque()->type()->name != overload.args[i]->name) {
      return false;
    }
  }
  return true;
}

}  // namespace cel
