// Field errors: what validators collect, with upstream's message bodies. Pure; thread: as plain data.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/result.h"
#include "object/value.h"

namespace object {

// A path to a field, printed as `spec.containers[0].name` or `data[key]`. A path is a link to its parent and costs no
// allocation; the parent must outlive the child, and so must the names. Build on the stack, going down.
class FieldPath {
 public:
  // The root: its children have no leading dot; alone it prints as "<nil>", as upstream's nil path does. A path of the
  // empty name prints as "[]" (Compat: field.NewPath("")).
  FieldPath() = default;
  explicit FieldPath(std::string_view name) : text_(name), kind_(Kind::kName) {}

  FieldPath child(std::string_view name) const { return {this, name, 0, Kind::kName}; }
  FieldPath index(size_t i) const { return {this, {}, i, Kind::kIndex}; }
  FieldPath key(std::string_view key) const { return {this, key, 0, Kind::kKey}; }

  bool empty() const { return kind_ == Kind::kRoot; }
  std::string to_string() const;

 private:
  enum class Kind : uint8_t { kRoot, kName, kIndex, kKey };
  FieldPath(const FieldPath* parent, std::string_view text, size_t index, Kind kind)
      : parent_(parent), text_(text), index_(index), kind_(kind) {}
  void append_to(std::string& out) const;

  const FieldPath* parent_ = nullptr;
  std::string_view text_;
  size_t index_ = 0;
  Kind kind_ = Kind::kRoot;
};

enum class FieldErrorType : uint8_t {
  kNotFound,
  kRequired,
  kDuplicate,
  kInvalid,
  kNotSupported,
  kForbidden,
  kTooLong,
  kTooMany,
  kInternal,
  kTypeInvalid,
};
// "FieldValueNotFound", …: the reason of a cause in a Status.
std::string_view field_error_reason(FieldErrorType type);

// A bad value as messages show it: strings quoted as Go does, numbers and booleans plain, anything else as JSON.
class BadValue {
 public:
  BadValue(std::string_view text);                                         // NOLINT(google-explicit-constructor)
  BadValue(const std::string& text) : BadValue(std::string_view(text)) {}  // NOLINT(google-explicit-constructor)
  BadValue(const char* text) : BadValue(std::string_view(text)) {}         // NOLINT(google-explicit-constructor)
  BadValue(bool value) : text_(value ? "true" : "false") {}                // NOLINT(google-explicit-constructor)
  template <typename T>
    requires(std::is_integral_v<T> && !std::is_same_v<T, bool>)
  BadValue(T value) : text_(std::to_string(value)) {}  // NOLINT(google-explicit-constructor)
  BadValue(double value);                              // NOLINT(google-explicit-constructor)
  BadValue(const Value& value);                        // NOLINT(google-explicit-constructor)
  // Text that is shown as it stands: JSON of an upstream struct, `null`.
  static BadValue verbatim(std::string text);
  // Not shown at all.
  static BadValue omitted() { return BadValue(); }

  const std::string& text() const { return text_; }

 private:
  BadValue() = default;
  std::string text_;
};

struct FieldError {
  FieldErrorType type = FieldErrorType::kInvalid;
  std::string path;       // as printed
  std::string bad_value;  // as printed; "" where the type shows none
  std::string detail;

  // `Invalid value: "x": must be …`
  std::string body() const;
  // `spec.name: Invalid value: "x": must be …`
  std::string to_string() const;
  bool operator==(const FieldError&) const = default;
};

class FieldErrors {
 public:
  void not_found(const FieldPath& path, const BadValue& value);
  void required(const FieldPath& path, std::string_view detail = "");
  void duplicate(const FieldPath& path, const BadValue& value);
  void invalid(const FieldPath& path, const BadValue& value, std::string_view detail);
  // The supported values in the order given: upstream sorts most of its lists, not all.
  void not_supported(const FieldPath& path, const BadValue& value, std::initializer_list<std::string_view> supported);
  void not_supported(const FieldPath& path, const BadValue& value, const std::vector<std::string>& supported);
  void forbidden(const FieldPath& path, std::string_view detail);
  void too_long(const FieldPath& path, int64_t max_bytes);
  void too_many(const FieldPath& path, int64_t actual, int64_t max_items);
  void internal(const FieldPath& path, std::string_view detail);
  void type_invalid(const FieldPath& path, const BadValue& value, std::string_view detail);
  // One invalid() for each message of a validator (object/names.h).
  void invalid_each(const FieldPath& path, const BadValue& value, const std::vector<std::string>& messages);

  void add(FieldError error) { errors_.push_back(std::move(error)); }
  void append(FieldErrors other);
  bool empty() const { return errors_.empty(); }
  size_t size() const { return errors_.size(); }
  const std::vector<FieldError>& errors() const { return errors_; }
  // As upstream prints an aggregate: one error plain, several as `[a, b]`, equal texts once.
  std::string to_string() const;

 private:
  std::vector<FieldError> errors_;
};

// 422: `<Kind>[.<group>] "<name>" is invalid: <errors>`, with one cause for each error.
base::Error invalid_error(std::string_view group, std::string_view kind, std::string_view name,
                          const FieldErrors& errors);

}  // namespace object
