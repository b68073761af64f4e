#include "schema/patch/conversion_problem.h"

#include "codec/base64.h"

namespace schema {
namespace {

using object::Value;
using Problem = std::optional<std::string>;

// reflect.Kind of a decoded value.
std::string kind_of(const Value& value) {
  switch (value.kind()) {
    case Value::Kind::kNull:
      return "invalid";
    case Value::Kind::kBool:
      return "bool";
    case Value::Kind::kInt:
      return "int64";
    case Value::Kind::kDouble:
      return "float64";
    case Value::Kind::kString:
      return "string";
    case Value::Kind::kArray:
      return "slice";
    case Value::Kind::kObject:
      break;
  }
  return "map";
}

bool is_whole(double number) { return number == static_cast<double>(static_cast<int64_t>(number)); }

// Go converts between numbers and makes strings of integers; everything else has nothing to do with one another.
Problem scalar_problem(const Field& field, const Value& value) {
  const bool to_number = field.type == Type::kInt32 || field.type == Type::kInt64 || field.type == Type::kDouble;
  const std::string type(field.go_type);
  switch (field.type) {
    case Type::kBytes: {
      const std::string* text = value.string_if();
      if (!text) return "cannot restore slice from " + kind_of(value);
      if (codec::parse_base64(*text)) return std::nullopt;
      return "error decoding from json: illegal base64 data at input byte " +
             std::to_string(codec::base64_error_offset(*text));
    }
    case Type::kBool:
      if (value.is_bool()) return std::nullopt;
      return "unrecognized type: bool";
    case Type::kString:
      if (value.is_string()) return std::nullopt;
      if (value.is_int()) return "cannot convert int64 to " + type;
      return "unrecognized type: string";
    default:
      break;
  }
  if (to_number && value.is_int()) return std::nullopt;
  if (to_number && value.double_if()) {
    if (field.type == Type::kDouble || is_whole(*value.double_if())) return std::nullopt;
    return "cannot convert float64 to " + type;
  }
  const std::string_view kind = field.type == Type::kInt32 ? "int32" : field.type == Type::kInt64 ? "int64" : "float64";
  return "unrecognized type: " + std::string(kind);
}

Problem element_problem(const Field& field, const Value& value) {
  if (field.type == Type::kMessage) return conversion_problem(*field.message, value);
  return value.is_null() ? std::nullopt : scalar_problem(field, value);
}

Problem member_problem(const Field& field, const Value& value) {
  if (value.is_null()) return std::nullopt;
  if (field.card == Card::kRepeated) {
    const object::Array* array = value.array_if();
    if (!array) return "cannot restore slice from " + kind_of(value);
    for (const Value& item : *array) {
      if (Problem problem = element_problem(field, item)) return problem;
    }
    return std::nullopt;
  }
  if (field.card == Card::kMap) {
    const object::Object* object = value.object_if();
    if (!object) return "cannot restore map from " + kind_of(value);
    for (const auto& [name, item] : *object) {
      if (Problem problem = element_problem(field, item)) return problem;
    }
    return std::nullopt;
  }
  return element_problem(field, value);
}

}  // namespace

std::optional<std::string> conversion_problem(const Message& message, const Value& value) {
  if (value.is_null() || message.special != Special::kNone) return std::nullopt;
  if (message.alias) return member_problem(message.fields[0], value);
  const object::Object* object = value.object_if();
  if (!object) return "cannot restore struct from: " + kind_of(value);
  // Compat: in the order of the struct's fields, not of the document's members.
  for (const Field& field : message.fields) {
    if (field.inlined && field.message) {
      if (Problem problem = conversion_problem(*field.message, value)) return problem;
    } else if (const Value* member = field.json.empty() ? nullptr : object->find(field.json)) {
      if (Problem problem = member_problem(field, *member)) return problem;
    }
  }
  return std::nullopt;
}

}  // namespace schema
