// One step of a field path: a member, an item of a list by its keys or its value, or an index. Elements hold views: of
// the schema, of the values and texts they were made from, or of an Arena, which all outlive them. Thread: plain data.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "object/value.h"
#include "schema/fieldpath/arena.h"

namespace schema {

// A value inside an element. Lists and maps, which only broken field sets have there, are kept as their JSON text.
struct Scalar {
  enum class Kind : uint8_t { kInt, kDouble, kString, kBool, kOther, kNull };
  Kind kind = Kind::kNull;
  bool boolean = false;
  int64_t integer = 0;
  double real = 0;
  std::string_view text;
};

// A view of the value (its text is not copied; a list or map is written into the arena).
Scalar to_scalar(Arena& arena, const object::Value& value);
// Numbers by value, then strings, bools, others, null: upstream's order of values. <0, 0, >0.
int compare(const Scalar& a, const Scalar& b);

struct KeyField {
  std::string_view name;
  Scalar value;
};

struct Element {
  enum class Kind : uint8_t { kField, kKey, kValue, kIndex };  // in sorting order
  Kind kind = Kind::kField;
  uint32_t size = 0;  // of the name, or number of key fields
  union {
    const char* name = nullptr;  // kField
    const KeyField* key;         // kKey: sorted by name; kValue: one without a name
    int64_t index;               // kIndex
  };

  static Element field(std::string_view name) {
    Element element;
    element.size = static_cast<uint32_t>(name.size());
    element.name = name.data();
    return element;
  }
  static Element of_key(const KeyField* fields, size_t count) {
    Element element;
    element.kind = Kind::kKey;
    element.size = static_cast<uint32_t>(count);
    element.key = fields;
    return element;
  }
  static Element of_value(const KeyField* value) {
    Element element;
    element.kind = Kind::kValue;
    element.size = 1;
    element.key = value;
    return element;
  }
  static Element of_index(int64_t index) {
    Element element;
    element.kind = Kind::kIndex;
    element.index = index;
    return element;
  }
  std::string_view field_name() const { return {name, size}; }
};

int compare(const Element& a, const Element& b);
inline bool operator==(const Element& a, const Element& b) { return compare(a, b) == 0; }

// As paths are shown: `.spec`, `[name="a",port=80]`, `[="x"]`, `[3]`.
void append_path_text(std::string& out, const Element& element);
// As FieldsV1's member names, in quotes: "f:spec", "k:{\"name\":\"a\"}", "v:\"x\"", "i:3".
void append_member_name(std::string& out, const Element& element);

}  // namespace schema
