// Assignability and unification of types during one check. Private to this folder. Thread: one.
#pragma once

#include <span>
#include <utility>
#include <vector>

#include "cel/type.h"

namespace cel {

inline bool is_dyn(const Type& type) { return type.kind == TypeKind::kDyn; }
inline bool is_dyn_or_error(const Type& type) { return is_dyn(type) || type.kind == TypeKind::kError; }

// Follows cel-go's checker/types.go: a set of bindings of free type variables that grows while calls are resolved, and
// falls back to where it was when an assignment fails.
class Unifier {
 public:
  explicit Unifier(TypePool& pool) : pool_(pool) {}

  const Type* fresh_variable();
  // Whether `from` can stand where `to` is wanted, binding variables on the way; nothing is bound when it can't.
  bool assignable(const Type& to, const Type& from);
  bool assignable(std::span<const Type* const> to, std::span<const Type* const> from);
  enum class Unbound : uint8_t { kKeep, kToDyn };
  // The type with bound variables replaced.
  const Type* substitute(const Type* type, Unbound unbound);
  // The type of an overload with its parameters replaced by fresh variables.
  const Type* instantiate(const Type* type, std::span<const std::pair<std::string_view, const Type*>> params);
  static const Type* most_general(const Type* a, const Type* b);

 private:
  bool assign(const Type& a, const Type& b);
  bool assign_lists(std::span<const Type* const> a, std::span<const Type* const> b);
  enum class Bound : uint8_t { kNo, kYes, kConflict };
  Bound bind(const Type& type, const Type& variable);
  const Type* binding(const Type& type) const;
  bool absent_from(const Type& variable, const Type& within) const;
  void set(const Type& variable, const Type* type);
  void roll_back(size_t mark);

  TypePool& pool_;
  std::vector<const Type*> bindings_;
  std::vector<std::pair<int, const Type*>> trail_;
};

}  // namespace cel
