// Value: the dynamic tree of a JSON-like document, for code that knows no kind: patches, apply, custom resources,
// selectors on fields. Objects keep the order in which members were added. A value owns all below it. Thread: as plain
// data.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace object {

class Value;
struct Member;
using Array = std::vector<Value>;

// Members in insertion order. Lookup is linear up to kIndexFrom members and by a sorted index above it, so that a map
// of 100,000 keys costs no quadratic time.
class Object {
 public:
  static constexpr size_t kIndexFrom = 24;

  Object();
  Object(const Object&);
  Object(Object&&) noexcept;
  Object& operator=(const Object&);
  Object& operator=(Object&&) noexcept;
  ~Object();

  bool empty() const;
  size_t size() const;
  Member* begin();
  Member* end();
  const Member* begin() const;
  const Member* end() const;

  // Null when absent.
  Value* find(std::string_view key);
  const Value* find(std::string_view key) const;
  bool contains(std::string_view key) const { return find(key) != nullptr; }
  // Replaces in place or appends.
  Value& set(std::string_view key, Value value);
  // The member's value, appended as null if it is absent.
  Value& operator[](std::string_view key);
  // Appends without looking for the key: the caller knows that it is new.
  Value& append(std::string key, Value value);
  // True when there was one. Keeps the order of the others.
  bool erase(std::string_view key);
  void sort_by_key();
  void reserve(size_t count);
  // Same members and values, in any order.
  bool operator==(const Object& other) const;

 private:
  size_t index_of(std::string_view key) const;  // size() when absent
  std::vector<Member> members_;
  mutable std::vector<uint32_t> index_;  // positions by key; empty = not built
};

class Value {
 public:
  enum class Kind : uint8_t { kNull, kBool, kInt, kDouble, kString, kArray, kObject };

  Value() = default;
  Value(std::nullptr_t) {}                                      // NOLINT(google-explicit-constructor)
  Value(bool value) : data_(value) {}                           // NOLINT(google-explicit-constructor)
  Value(int value) : data_(static_cast<int64_t>(value)) {}      // NOLINT(google-explicit-constructor)
  Value(int64_t value) : data_(value) {}                        // NOLINT(google-explicit-constructor)
  Value(double value) : data_(value) {}                         // NOLINT(google-explicit-constructor)
  Value(std::string value) : data_(std::move(value)) {}         // NOLINT(google-explicit-constructor)
  Value(std::string_view value) : data_(std::string(value)) {}  // NOLINT(google-explicit-constructor)
  Value(const char* value) : data_(std::string(value)) {}       // NOLINT(google-explicit-constructor)
  Value(Array value) : data_(std::move(value)) {}               // NOLINT(google-explicit-constructor)
  Value(Object value) : data_(std::move(value)) {}              // NOLINT(google-explicit-constructor)

  Kind kind() const { return static_cast<Kind>(data_.index()); }
  bool is_null() const { return kind() == Kind::kNull; }
  bool is_bool() const { return kind() == Kind::kBool; }
  bool is_int() const { return kind() == Kind::kInt; }
  bool is_number() const { return is_int() || kind() == Kind::kDouble; }
  bool is_string() const { return kind() == Kind::kString; }
  bool is_array() const { return kind() == Kind::kArray; }
  bool is_object() const { return kind() == Kind::kObject; }

  // Null when the value is of another kind.
  const bool* bool_if() const { return std::get_if<bool>(&data_); }
  const int64_t* int_if() const { return std::get_if<int64_t>(&data_); }
  const double* double_if() const { return std::get_if<double>(&data_); }
  const std::string* string_if() const { return std::get_if<std::string>(&data_); }
  std::string* string_if() { return std::get_if<std::string>(&data_); }
  const Array* array_if() const { return std::get_if<Array>(&data_); }
  Array* array_if() { return std::get_if<Array>(&data_); }
  const Object* object_if() const { return std::get_if<Object>(&data_); }
  Object* object_if() { return std::get_if<Object>(&data_); }

  // The member of an object; null when this is no object or has no such member.
  const Value* find(std::string_view key) const {
    const Object* object = object_if();
    return object ? object->find(key) : nullptr;
  }
  Value* find(std::string_view key) {
    Object* object = object_if();
    return object ? object->find(key) : nullptr;
  }
  // The value at a path of member names; null when anything on the way is missing.
  const Value* at_path(std::initializer_list<std::string_view> path) const;
  // The string at a path of member names, or "".
  std::string_view string_at(std::initializer_list<std::string_view> path) const;

  // Deep equality; members in any order; 1 equals 1.0.
  bool operator==(const Value& other) const;

 private:
  std::variant<std::monostate, bool, int64_t, double, std::string, Array, Object> data_;
};

struct Member {
  std::string key;
  Value value;
};

}  // namespace object
