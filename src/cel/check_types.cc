#include "cel/check_types.h"

namespace cel {

namespace {

bool nullable(const Type& type) {
  switch (type.kind) {
    case TypeKind::kOpaque:
    case TypeKind::kStruct:
    case TypeKind::kDuration:
    case TypeKind::kTimestamp:
    case TypeKind::kWrapper:
    case TypeKind::kNull:
      return true;
    default:
      return false;
  }
}

const Type& unwrapped(const Type& type) { return type.kind == TypeKind::kWrapper ? *type.params[0] : type; }

bool equal_or_less_specific(const Type& a, const Type& b) {
  if (is_dyn(a) || a.kind == TypeKind::kTypeParam) return true;
  if (is_dyn(b) || b.kind == TypeKind::kTypeParam) return false;
  if (a.kind != b.kind) return a.kind == TypeKind::kWrapper;
  if (a.kind == TypeKind::kType) return true;
  if (a.name != b.name || a.params.size() != b.params.size()) return false;
  for (size_t i = 0; i < a.params.size(); ++i) {
    if (!equal_or_less_specific(*a.params[i], *b.params[i])) return false;
  }
  return true;
}

}  // namespace

const Type* Unifier::fresh_variable() {
  const int number = static_cast<int>(bindings_.size());
  bindings_.push_back(nullptr);
  return pool_.add({TypeKind::kTypeParam, "_var" + std::to_string(number), {}, number});
}

const Type* Unifier::binding(const Type& type) const {
  return type.kind == TypeKind::kTypeParam && type.variable >= 0 ? bindings_[static_cast<size_t>(type.variable)]
                                                                 : nullptr;
}

void Unifier::set(const Type& variable, const Type* type) {
  const Type*& slot = bindings_[static_cast<size_t>(variable.variable)];
  trail_.emplace_back(variable.variable, slot);
  slot = type;
}

void Unifier::roll_back(size_t mark) {
  while (trail_.size() > mark) {
    bindings_[static_cast<size_t>(trail_.back().first)] = trail_.back().second;
    trail_.pop_back();
  }
}

bool Unifier::assignable(const Type& to, const Type& from) {
  const size_t mark = trail_.size();
  if (assign(to, from)) return true;
  roll_back(mark);
  return false;
}

bool Unifier::assignable(std::span<const Type* const> to, std::span<const Type* const> from) {
  const size_t mark = trail_.size();
  if (assign_lists(to, from)) return true;
  roll_back(mark);
  return false;
}

bool Unifier::assign_lists(std::span<const Type* const> a, std::span<const Type* const> b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (!assign(*a[i], *b[i])) return false;
  }
  return true;
}

bool Unifier::assign(const Type& a, const Type& b) {
  if (b.kind == TypeKind::kTypeParam) {
    const Bound bound = bind(a, b);
    if (bound == Bound::kYes) return true;
    if (bound == Bound::kConflict) return false;
  }
  if (a.kind == TypeKind::kTypeParam) return bind(b, a) == Bound::kYes;
  if (is_dyn_or_error(a) || is_dyn_or_error(b)) return true;
  if (a.kind == TypeKind::kNull) return nullable(b);
  if (b.kind == TypeKind::kNull) return nullable(a);
  if (a.kind == TypeKind::kWrapper || b.kind == TypeKind::kWrapper) return assign(unwrapped(a), unwrapped(b));
  if (a.kind != b.kind) return false;
  switch (a.kind) {
    case TypeKind::kType:
      return true;
    case TypeKind::kStruct:
      return a.name == b.name;
    case TypeKind::kOpaque:
    case TypeKind::kList:
    case TypeKind::kMap:
      return a.name == b.name && assign_lists(a.params, b.params);
    default:
      return true;
  }
}

// Makes `type` stand for the variable, or finds that it agrees with what already does.
Unifier::Bound Unifier::bind(const Type& type, const Type& variable) {
  if (same_type(type, variable)) return Bound::kYes;
  if (variable.variable < 0) return Bound::kNo;  // a parameter that nothing has made fresh
  if (const Type* bound = binding(variable)) {
    if (same_type(type, *bound)) return Bound::kYes;
    if (!assign(type, *bound)) return Bound::kConflict;
    const Type* general = most_general(&type, bound);
    if (absent_from(variable, *general)) set(variable, general);
    return Bound::kYes;
  }
  if (!absent_from(variable, type)) return Bound::kNo;
  set(variable, &type);
  return Bound::kYes;
}

bool Unifier::absent_from(const Type& variable, const Type& within) const {
  if (same_type(variable, within)) return false;
  if (within.kind == TypeKind::kTypeParam) {
    const Type* bound = binding(within);
    return !bound || absent_from(variable, *bound);
  }
  for (const Type* param : within.params) {
    if (!absent_from(variable, *param)) return false;
  }
  return true;
}

const Type* Unifier::most_general(const Type* a, const Type* b) {
  if (b->kind == TypeKind::kNull && nullable(*a)) return a;
  return equal_or_less_specific(*a, *b) ? a : b;
}

const Type* Unifier::substitute(const Type* type, Unbound unbound) {
  if (const Type* bound = binding(*type)) return substitute(bound, unbound);
  if (type->kind == TypeKind::kTypeParam) {
    return unbound == Unbound::kToDyn ? simple_type(TypeKind::kDyn) : type;
  }
  if (type->params.empty()) return type;
  std::vector<const Type*> params;
  bool changed = false;
  for (const Type* param : type->params) {
    params.push_back(substitute(param, unbound));
    changed = changed || params.back() != param;
  }
  return changed ? pool_.add({type->kind, type->name, std::move(params)}) : type;
}

const Type* Unifier::instantiate(const Type* type, std::span<const std::pair<std::string_view, const Type*>> params) {
  if (type->kind == TypeKind::kTypeParam) {
    for (const auto& [name, variable] : params) {
      if (name == type->name) return variable;
    }
  }
  if (type->params.empty()) return type;
  std::vector<const Type*> parts;
  bool changed = false;
  for (const Type* param : type->params) {
    parts.push_back(instantiate(param, params));
    changed = changed || parts.back() != param;
  }
  return changed ? pool_.add({type->kind, type->name, std::move(parts)}) : type;
}

}  // namespace cel
