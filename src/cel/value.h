// Value: what an expression works on. 24 bytes, trivially copyable; what it points to lives in an Arena, in the Program
// (constants) or in the object::Value that was bound, which is read in place and never copied. Thread: as plain data.
#pragma once

#include <compare>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

#include "cel/arena.h"
#include "cel/type.h"
#include "object/value.h"

namespace cel {

enum class Kind : uint8_t {
  kError,  // message() says why; absorbed by && and || where the language says so
  kNull,
  kBool,
  kInt,
  kUint,
  kDouble,
  kString,
  kBytes,
  kDuration,   // nanoseconds
  kTimestamp,  // seconds since 1970 and nanoseconds
  kList,
  kMap,
  kStruct,  // an instance of a declared type made in an expression: JSONPatch{…}, Object{…}
  kType,
  kOptional,
  kOpaque,  // a library's type: quantity, IP, URL, authorizer, …
};

struct DeclType;
class Value;
struct MapData;

// A value of a library's type. Lives in an Arena or outlives the evaluation (an authorizer).
class Opaque {
 public:
  virtual ~Opaque() = default;
  virtual const Type* type() const = 0;
  virtual bool equals(const Opaque& other) const { return this == &other; }
  // A field by name, for opaque values that stand for an object whose fields are computed when first read.
  virtual bool field(std::string_view name, Arena& arena, Value& out) const;
  virtual uint64_t size() const { return 1; }  // for cost
};

class Value {
 public:
  Value() = default;
  static Value null() { return Value(); }
  static Value of_bool(bool value) { return scalar(Kind::kBool, value ? 1 : 0); }
  static Value of_int(int64_t value) { return scalar(Kind::kInt, value); }
  static Value of_uint(uint64_t value) { return scalar(Kind::kUint, static_cast<int64_t>(value)); }
  static Value of_double(double value);
  // The text must outlive the value (see Arena::copy). Valid UTF-8.
  static Value of_string(std::string_view text) { return text_value(Kind::kString, text); }
  static Value of_bytes(std::string_view bytes) { return text_value(Kind::kBytes, bytes); }
  static Value of_duration(int64_t nanoseconds) { return scalar(Kind::kDuration, nanoseconds); }
  static Value of_timestamp(int64_t seconds, uint32_t nanoseconds);
  static Value of_type(const Type* type);
  static Value of_list(std::span<const Value> items);  // the items must outlive the value
  static Value of_map(const MapData* map);
  static Value of_struct(const Type* type, const MapData* fields);
  static Value of_opaque(const Opaque* opaque);
  static Value none();  // optional.none()
  static Value optional_of(Arena& arena, Value value);
  static Value error(std::string_view message);  // the message must outlive the value
  static Value error(Arena& arena, std::string_view message) { return error(arena.copy(message)); }
  // Reads an API object in place. With a declared type, fields are typed by it (a date-time string is a timestamp, a
  // number is a double); without, JSON's own types are taken: whole numbers are int.
  // `arena` is needed for bytes only (base64 decoded).
  static Value of(const object::Value& object, const DeclType* type = nullptr, Arena* arena = nullptr);

  Kind kind() const { return kind_; }
  bool is_error() const { return kind_ == Kind::kError; }
  bool is_bool() const { return kind_ == Kind::kBool; }
  bool is_true() const { return kind_ == Kind::kBool && integer_ != 0; }
  bool is_false() const { return kind_ == Kind::kBool && integer_ == 0; }
  bool is_string() const { return kind_ == Kind::kString; }

  bool as_bool() const { return integer_ != 0; }
  int64_t as_int() const { return integer_; }  // also a duration's nanoseconds and a timestamp's seconds
  uint64_t as_uint() const { return static_cast<uint64_t>(integer_); }
  double as_double() const { return double_; }
  uint32_t nanoseconds() const { return size_; }
  std::string_view text() const { return {chars_, size_}; }  // of strings, bytes and errors
  std::string_view message() const { return text(); }
  const Type* as_type() const { return static_cast<const Type*>(pointer_); }
  const Opaque* as_opaque() const { return static_cast<const Opaque*>(pointer_); }
  bool has_value() const { return pointer_ != nullptr; }                        // of an optional
  const Value& unwrap() const { return *static_cast<const Value*>(pointer_); }  // of an optional with a value
  const Type* struct_type() const { return static_cast<const Type*>(extra_); }

  // Elements of a list, members of a map or struct; what an object is read from stays in place.
  size_t size() const;
  Value element(size_t index, Arena& arena) const;
  // The member with that key; false when absent. Numeric keys match across int, uint and whole doubles.
  bool find(const Value& key, Arena& arena, Value& out) const;
  bool find_field(std::string_view name, Arena& arena, Value& out) const;
  // Whether a field is there, without reading it.
  bool has_field(std::string_view name, Arena& arena) const;
  // The index-th key and value of a map, in its order.
  Value key_at(size_t index, Arena& arena) const;
  Value value_at(size_t index, Arena& arena) const;
  // Set when the value is read from an API object; its declared type may be null.
  const object::Array* object_array() const {
    return is_view_ && kind_ == Kind::kList ? static_cast<const object::Array*>(pointer_) : nullptr;
  }
  const object::Object* object_map() const {
    return is_view_ && kind_ == Kind::kMap ? static_cast<const object::Object*>(pointer_) : nullptr;
  }
  const Value* items() const { return items_; }  // of a list that is not read from an object
  const MapData* map_data() const { return static_cast<const MapData*>(pointer_); }
  const DeclType* decl_type() const { return is_view_ ? static_cast<const DeclType*>(extra_) : nullptr; }

 private:
  static Value scalar(Kind kind, int64_t value) {
    Value result;
    result.kind_ = kind;
    result.integer_ = value;
    return result;
  }
  static Value text_value(Kind kind, std::string_view text) {
    Value result;
    result.kind_ = kind;
    result.size_ = static_cast<uint32_t>(text.size());
    result.chars_ = text.data();
    return result;
  }

  Kind kind_ = Kind::kNull;
  bool is_view_ = false;
  uint32_t size_ = 0;
  union {
    int64_t integer_ = 0;
    double double_;
    const char* chars_;
    const Value* items_;
    const void* pointer_;
  };
  const void* extra_ = nullptr;  // DeclType of a view, Type of a struct
};
static_assert(std::is_trivially_copyable_v<Value> && sizeof(Value) == 24);

struct MapEntry {
  Value key;
  Value value;
};

// The members of a map that an expression made, in order of insertion. Large ones carry a hash table of positions.
struct MapData {
  const MapEntry* entries = nullptr;
  uint32_t count = 0;
  uint32_t slots = 0;               // a power of two, or 0: look linearly
  const uint32_t* table = nullptr;  // position + 1
};
MapData* make_map(Arena& arena, std::span<const MapEntry> entries);
// The same for entries whose keys may repeat: null, and `repeated` set to such a key, when they do.
MapData* make_map_once(Arena& arena, std::span<const MapEntry> entries, Value& repeated);

// Equality as == has it: numbers across types, lists and maps deeply, false for different types. An error only where
// an element itself is one.
bool equal(const Value& a, const Value& b, Arena& arena);
// Order of two values of comparable types; unordered for NaN; false when the types have no order between them.
bool compare(const Value& a, const Value& b, std::partial_ordering& order);
// The type that type(x) gives.
const Type* runtime_type(const Value& value);
// What upstream's error texts print for a value (%v of its Go form).
std::string debug_text(const Value& value);
// Number of code points.
size_t utf8_length(std::string_view text);
// What size() gives, for cost; 1 for values without a size.
uint64_t actual_size(const Value& value);
// Into a JSON-like document: timestamps and durations as text, bytes as base64. Errors for types, opaque values and NaN
// stay null.
object::Value to_object(const Value& value);

}  // namespace cel
