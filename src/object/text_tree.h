// A JSON document as it was read: like a Value, but its strings are views of the reader's memory and its nodes stand in
// blocks, so that it costs no allocation for each of them. For documents that are looked at once. It reads the
// ordinary ones; what needs any of Go's peculiarities is left to parse_json (json.h). Thread: as plain data.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "object/value.h"

namespace object {

struct TextMember;
class TextValue;
using TextArray = std::span<const TextValue>;

// Members in the order of the text; no key repeats.
class TextObject {
 public:
  TextObject() = default;
  TextObject(const TextMember* members, size_t size) : members_(members), size_(size) {}
  size_t size() const { return size_; }
  const TextMember* begin() const { return members_; }
  const TextMember* end() const;
  // Null when absent.
  const TextValue* find(std::string_view key) const;

 private:
  const TextMember* members_ = nullptr;
  size_t size_ = 0;
};

// As a Value is asked.
class TextValue {
 public:
  TextValue() : integer_(0) {}
  explicit TextValue(bool value) : kind_(Value::Kind::kBool), bool_(value) {}
  explicit TextValue(int64_t value) : kind_(Value::Kind::kInt), integer_(value) {}
  explicit TextValue(double value) : kind_(Value::Kind::kDouble), real_(value) {}
  explicit TextValue(std::string_view value) : kind_(Value::Kind::kString), text_(value) {}
  explicit TextValue(TextArray value) : kind_(Value::Kind::kArray), array_(value) {}
  explicit TextValue(TextObject value) : kind_(Value::Kind::kObject), object_(value) {}

  Value::Kind kind() const { return kind_; }
  bool is_null() const { return kind_ == Value::Kind::kNull; }
  bool is_string() const { return kind_ == Value::Kind::kString; }
  bool is_object() const { return kind_ == Value::Kind::kObject; }
  bool is_array() const { return kind_ == Value::Kind::kArray; }
  bool is_number() const { return kind_ == Value::Kind::kInt || kind_ == Value::Kind::kDouble; }
  const bool* bool_if() const { return kind_ == Value::Kind::kBool ? &bool_ : nullptr; }
  const int64_t* int_if() const { return kind_ == Value::Kind::kInt ? &integer_ : nullptr; }
  const double* double_if() const { return kind_ == Value::Kind::kDouble ? &real_ : nullptr; }
  const std::string_view* string_if() const { return is_string() ? &text_ : nullptr; }
  const TextArray* array_if() const { return is_array() ? &array_ : nullptr; }
  const TextObject* object_if() const { return is_object() ? &object_ : nullptr; }

 private:
  Value::Kind kind_ = Value::Kind::kNull;
  union {
    bool bool_;
    int64_t integer_;
    double real_;
    std::string_view text_;
    TextArray array_;
    TextObject object_;
  };
};

struct TextMember {
  std::string_view key;
  TextValue value;
};

inline const TextMember* TextObject::end() const { return members_ + size_; }

class TextTree {
 public:
  TextTree();
  TextTree(const TextTree&) = delete;
  TextTree& operator=(const TextTree&) = delete;
  ~TextTree();

  // False when the text is malformed, too deep, has a repeated member, or is anything else for parse_json to judge.
  bool read(std::string_view text);
  const TextValue& root() const { return root_; }

 private:
  class Reader;
  std::unique_ptr<Reader> reader_;
  TextValue root_;
};

// As to_json(Value) writes what parse_json makes of the same text.
std::string to_json(const TextValue& value);

}  // namespace object
