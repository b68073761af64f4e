// Label and field selectors: parse, print, match. Pure; thread: a parsed selector is immutable and may be shared.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace object {

class Value;

// What a label selector is matched against: `find` returns the value of a label or nothing. Implementations: over a
// sorted vector of pairs, over a Value, over stored bytes. It is a view and lives for one call.
class LabelSource {
 public:
  virtual std::optional<std::string_view> find(std::string_view key) const = 0;

 protected:
  ~LabelSource() = default;
};

// Over any map of strings: by its find when that takes a string_view, else by iterating.
template <typename Map>
class MapLabels final : public LabelSource {
 public:
  explicit MapLabels(const Map& map) : map_(map) {}
  std::optional<std::string_view> find(std::string_view key) const override {
    if constexpr (requires { map_.find(key)->second; }) {
      const auto found = map_.find(key);
      if (found != map_.end()) return std::string_view(found->second);
    } else {
      for (const auto& [name, value] : map_) {
        if (name == key) return std::string_view(value);
      }
    }
    return std::nullopt;
  }

 private:
  const Map& map_;
};

// Over an object of strings in a Value (metadata.labels); null is no labels.
class ValueLabels final : public LabelSource {
 public:
  explicit ValueLabels(const Value* labels) : labels_(labels) {}
  std::optional<std::string_view> find(std::string_view key) const override;

 private:
  const Value* labels_;
};

enum class SelectorOp : uint8_t {
  kIn,
  kNotIn,         // also matches what has no such label
  kEquals,        // a=b
  kDoubleEquals,  // a==b
  kNotEquals,     // also matches what has no such label
  kExists,
  kDoesNotExist,
  kGreaterThan,
  kLessThan,
};

struct Requirement {
  std::string key;
  SelectorOp op = SelectorOp::kExists;
  std::vector<std::string> values;  // sorted, without duplicates

  bool matches(const LabelSource& labels) const;
  bool operator==(const Requirement&) const = default;
};

// Requirements that all must hold, sorted by key. None: matches everything. `nothing` is the selector that matches
// nothing (a null LabelSelector in the API).
class LabelSelector {
 public:
  static LabelSelector everything() { return {}; }
  static LabelSelector nothing();
  // The text form: `a=b,c!=d,e in (x,y),!f,g,h>4`. Errors are kBadRequest with upstream's message.
  static base::Result<LabelSelector> parse(std::string_view text);
  // From checked pieces; sorts them. Errors as parse().
  static base::Result<LabelSelector> from_requirements(std::vector<Requirement> requirements);
  // From a plain map of labels that all must be equal, unchecked.
  static LabelSelector from_labels(std::vector<std::pair<std::string, std::string>> labels);

  bool matches(const LabelSource& labels) const;
  bool matches_nothing() const { return nothing_; }
  bool empty() const { return !nothing_ && requirements_.empty(); }
  const std::vector<Requirement>& requirements() const { return requirements_; }
  // The one value that `key` must have, when the selector fixes it (=, == or in with one value): for indexes.
  std::optional<std::string_view> required_value(std::string_view key) const;
  std::string to_string() const;

 private:
  std::vector<Requirement> requirements_;
  bool nothing_ = false;
};

// metav1.LabelSelector from its plain pieces: matchLabels and matchExpressions (operator as text: In, NotIn, Exists,
// DoesNotExist). An empty one matches everything; what a null one means is the caller's business.
struct LabelExpression {
  std::string_view key;
  std::string_view op;
  std::vector<std::string_view> values;
};
base::Result<LabelSelector> make_label_selector(
    const std::vector<std::pair<std::string_view, std::string_view>>& match_labels,
    const std::vector<LabelExpression>& match_expressions);

// One term of a field selector.
struct FieldTerm {
  enum class Op : uint8_t { kEquals, kNotEquals };
  std::string field;
  Op op = Op::kEquals;
  std::string value;
  bool operator==(const FieldTerm&) const = default;
};

// `metadata.name=x,spec.nodeName!=y`; \ escapes , = and \ in values. Which fields exist is the kind's business.
class FieldSelector {
 public:
  static base::Result<FieldSelector> parse(std::string_view text);
  // `get` returns the text of a field ("" when unset).
  bool matches(const std::function<std::string_view(std::string_view field)>& get) const;
  bool empty() const { return terms_.empty(); }
  const std::vector<FieldTerm>& terms() const { return terms_; }
  std::vector<FieldTerm>& terms() { return terms_; }  // to rename fields between versions
  // The value that `field` must have, when the selector fixes it.
  std::optional<std::string_view> required_value(std::string_view field) const;
  std::string to_string() const;

 private:
  std::vector<FieldTerm> terms_;
};

}  // namespace object
