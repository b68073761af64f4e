// Types of CEL as the checker sees them. A Type is immutable; the simple ones are shared constants, the others live in
// a TypePool that must outlive their users. Pure.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace cel {

enum class TypeKind : uint8_t {
  kError,
  kDyn,
  kNull,
  kBool,
  kInt,
  kUint,
  kDouble,
  kString,
  kBytes,
  kDuration,
  kTimestamp,
  kList,    // params: element
  kMap,     // params: key, value
  kStruct,  // a declared object type, by name
  kOpaque,  // an abstract type, by name; params are its own
  kType,    // params: the type named, or none
  kTypeParam,
  kWrapper,  // a nullable primitive; params: the primitive
};

struct Type {
  TypeKind kind = TypeKind::kDyn;
  std::string name;  // as type(x) shows it, e.g. "list", "net.IP"
  std::vector<const Type*> params;
  int variable = -1;  // number of a free variable of one check (kTypeParam)
};

// The shared constant of a kind without parameters (list and map: of dyn; kType: without a parameter).
const Type* simple_type(TypeKind kind);
// Same type, parameters included.
bool same_type(const Type& a, const Type& b);
// As compile errors show it: list(int), map(string, dyn), wrapper(int).
std::string format_type(const Type& type);
inline bool is_optional(const Type& type) { return type.kind == TypeKind::kOpaque && type.name == "optional_type"; }

class TypePool {
 public:
  TypePool() = default;
  TypePool(const TypePool&) = delete;
  TypePool& operator=(const TypePool&) = delete;

  const Type* list(const Type* element);
  const Type* map(const Type* key, const Type* value);
  const Type* optional(const Type* value);
  const Type* type_of(const Type* type);
  const Type* object(std::string_view name);
  const Type* opaque(std::string_view name, std::vector<const Type*> params = {});
  const Type* param(std::string_view name);
  const Type* wrapper(const Type* primitive);
  const Type* add(Type type);
  // A type in text: int, list(T), map(string, dyn), optional(V), type(T). One capital letter is a type parameter, a
  // name with a dot an abstract type, any other unknown name an object. Text comes from our own tables: malformed is a
  // bug.
  const Type* parse(std::string_view text);
  size_t size() const { return types_.size(); }

 private:
  const Type* parse_at(std::string_view text, size_t& at);
  std::deque<Type> types_;
};

}  // namespace cel
