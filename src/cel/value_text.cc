// Values as text and as documents.
#include <cmath>
#include <cstdio>

#include "cel/conversions.h"
#include "cel/value.h"
#include "codec/base64.h"

namespace cel {

std::string debug_text(const Value& value) {
  Arena arena;
  std::string text;
  switch (value.kind()) {
    case Kind::kNull:
      return "null";
    case Kind::kBool:
      return value.as_bool() ? "true" : "false";
    case Kind::kInt:
      return std::to_string(value.as_int());
    case Kind::kUint:
      return std::to_string(value.as_uint());
    case Kind::kDouble:
      return double_text(value.as_double());
    case Kind::kDuration:
      return duration_text(value.as_int());
    case Kind::kTimestamp:
      return timestamp_text(value);
    case Kind::kType:
      return value.as_type()->name;
    case Kind::kOptional:
      return value.has_value() ? "optional(" + debug_text(value.unwrap()) + ")" : "optional.none()";
    case Kind::kOpaque:
      return value.as_opaque()->type()->name;
    case Kind::kList:
      for (size_t i = 0; i < value.size(); ++i) text += (i ? ", " : "") + debug_text(value.element(i, arena));
      return '[' + text + ']';
    case Kind::kMap:
    case Kind::kStruct:
      for (size_t i = 0; i < value.size(); ++i) {
        text += (i ? ", " : "") + debug_text(value.key_at(i, arena)) + ": " + debug_text(value.value_at(i, arena));
      }
      return '{' + text + '}';
    default:
      return std::string(value.text());
  }
}

object::Value to_object(const Value& value) {
  Arena arena;
  switch (value.kind()) {
    case Kind::kBool:
      return value.as_bool();
    case Kind::kInt:
      return value.as_int();
    case Kind::kUint:
      return value.as_uint() <= INT64_MAX ? object::Value(value.as_int())
                                          : object::Value(static_cast<double>(value.as_uint()));
    case Kind::kDouble:
      return std::isfinite(value.as_double()) ? object::Value(value.as_double()) : object::Value();
    case Kind::kString:
      return value.text();
    case Kind::kBytes:
      return codec::base64(value.text());
    case Kind::kDuration:
      return duration_text(value.as_int());
    case Kind::kTimestamp:
      return timestamp_text(value);
    case Kind::kOptional:
      return value.has_value() ? to_object(value.unwrap()) : object::Value();
    case Kind::kList: {
      object::Array array;
      for (size_t i = 0; i < value.size(); ++i) array.push_back(to_object(value.element(i, arena)));
      return array;
    }
    case Kind::kMap:
    case Kind::kStruct: {
      object::Object members;
      for (size_t i = 0; i < value.size(); ++i) {
        members.set(debug_text(value.key_at(i, arena)), to_object(value.value_at(i, arena)));
      }
      return members;
    }
    default:
      return nullptr;
  }
}

}  // namespace cel
