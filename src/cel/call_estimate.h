// Static estimates of single calls. Private to this folder. Pure.
#pragma once

#include <algorithm>
#include <optional>
#include <span>

#include "cel/ast.h"
#include "cel/decl_type.h"
#include "cel/functions.h"

namespace cel {

// A range of sizes or of costs; arithmetic saturates.
struct Size {
  uint64_t min = 0;
  uint64_t max = 0;

  Size operator+(const Size& other) const { return {saturating_add(min, other.min), saturating_add(max, other.max)}; }
  Size operator*(const Size& other) const {
    return {saturating_multiply(min, other.min), saturating_multiply(max, other.max)};
  }
  Size times(double factor) const { return {times_factor(min, factor), times_factor(max, factor)}; }
  Size united(const Size& other) const { return {std::min(min, other.min), std::max(max, other.max)}; }
};
inline constexpr Size kUnknownSize{0, UINT64_MAX};
inline constexpr Size fixed(uint64_t value) { return {value, value}; }

// The sizes of the keys (or indexes) and values of a container.
struct EntrySize {
  bool list = false;
  Size key;
  Size value;
  EntrySize united(const EntrySize& other) const { return {list, key.united(other.key), value.united(other.value)}; }
};

// Where a value comes from: the declared type there; null when it is not declared.
struct Path {
  const DeclType* decl = nullptr;
  Path field(std::string_view name) const {
    const DeclField* found = decl && decl->kind == DeclKind::kObject ? decl->find(name) : nullptr;
    return {found ? found->type : nullptr};
  }
  Path element() const { return {decl ? decl->element : nullptr}; }
  Path key() const { return {decl && decl->kind == DeclKind::kMap ? DeclTypes::scalar(DeclKind::kString) : nullptr}; }
};

struct EstimateNode {
  const Expr* expr = nullptr;
  std::optional<Path> path;
  const Type* type = nullptr;
  std::optional<Size> size;

  Size size_or_unknown() const { return size.value_or(kUnknownSize); }
  // What is known of the size of its elements.
  Size element_size() const;
};

struct CallEstimate {
  Size cost;
  std::optional<Size> result;  // its size, when the call makes a string, bytes, a list or a map
};

// The cost of the call itself, without its arguments.
CallEstimate estimate_call(const Overload& overload, const EstimateNode* target, std::span<const EstimateNode> args);

}  // namespace cel
