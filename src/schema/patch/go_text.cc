#include "schema/patch/go_text.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <vector>

#include "codec/json_text.h"

namespace schema {
namespace {

using object::Member;
using object::Value;

std::vector<const Member*> sorted_members(const object::Object& object) {
  std::vector<const Member*> members;
  members.reserve(object.size());
  for (const Member& member : object) members.push_back(&member);
  std::ranges::sort(members, {}, [](const Member* member) -> std::string_view { return member->key; });
  return members;
}

void append_scalar(std::string& out, const Value& value) {
  switch (value.kind()) {
    case Value::Kind::kBool:
      out += *value.bool_if() ? "true" : "false";
      break;
    case Value::Kind::kInt:
      out += std::to_string(*value.int_if());
      break;
    case Value::Kind::kDouble:
      append_go_float(out, *value.double_if());
      break;
    default:
      break;
  }
}

void append_go_syntax(std::string& out, const Value& value) {
  switch (value.kind()) {
    case Value::Kind::kNull:
      out += "interface {}(nil)";
      break;
    case Value::Kind::kString:
      codec::append_go_quoted(out, *value.string_if());
      break;
    case Value::Kind::kArray: {
      out += "[]interface {}{";
      const char* separator = "";
      for (const Value& item : *value.array_if()) {
        out += separator;
        append_go_syntax(out, item);
        separator = ", ";
      }
      out += '}';
      break;
    }
    case Value::Kind::kObject: {
      out += "map[string]interface {}{";
      const char* separator = "";
      for (const Member* member : sorted_members(*value.object_if())) {
        out += separator;
        codec::append_go_quoted(out, member->key);
        out += ':';
        append_go_syntax(out, member->value);
        separator = ", ";
      }
      out += '}';
      break;
    }
    default:
      append_scalar(out, value);
  }
}

}  // namespace

void append_go_float(std::string& out, double value) {
  if (std::isnan(value)) {
    out += "NaN";
    return;
  }
  if (std::isinf(value)) {
    out += value < 0 ? "-Inf" : "+Inf";
    return;
  }
  char scientific[64];
  auto end = std::to_chars(scientific, scientific + sizeof scientific, value, std::chars_format::scientific).ptr;
  const std::string_view text(scientific, static_cast<size_t>(end - scientific));
  int exponent = 0;
  std::string_view digits = text.substr(text.find('e') + 1);
  if (digits.starts_with('+')) digits.remove_prefix(1);
  std::from_chars(digits.data(), digits.data() + digits.size(), exponent);
  // Compat: the shortest %g turns to the exponent form below 1e-4 and from 1e6.
  if (exponent >= -4 && exponent < 6) {
    char fixed[64];
    end = std::to_chars(fixed, fixed + sizeof fixed, value, std::chars_format::fixed).ptr;
    out.append(fixed, end);
  } else {
    out += text;  // to_chars writes a sign and at least two digits of exponent, as Go does
  }
}

void append_go_text(std::string& out, const Value& value) {
  switch (value.kind()) {
    case Value::Kind::kNull:
      out += "<nil>";
      break;
    case Value::Kind::kString:
      out += *value.string_if();
      break;
    case Value::Kind::kArray: {
      out += '[';
      const char* separator = "";
      for (const Value& item : *value.array_if()) {
        out += separator;
        append_go_text(out, item);
        separator = " ";
      }
      out += ']';
      break;
    }
    case Value::Kind::kObject: {
      out += "map[";
      const char* separator = "";
      for (const Member* member : sorted_members(*value.object_if())) {
        out += separator;
        out += member->key;
        out += ':';
        append_go_text(out, member->value);
        separator = " ";
      }
      out += ']';
      break;
    }
    default:
      append_scalar(out, value);
  }
}

std::string go_text(const Value& value) {
  std::string out;
  append_go_text(out, value);
  return out;
}

std::string go_syntax(const Value& value) {
  std::string out;
  append_go_syntax(out, value);
  return out;
}

std::string_view go_type(const Value& value) {
  switch (value.kind()) {
    case Value::Kind::kNull:
      return "";
    case Value::Kind::kBool:
      return "bool";
    case Value::Kind::kInt:
      return "int64";
    case Value::Kind::kDouble:
      return "float64";
    case Value::Kind::kString:
      return "string";
    case Value::Kind::kArray:
      return "[]interface {}";
    case Value::Kind::kObject:
      return "map[string]interface {}";
  }
  return "";
}

}  // namespace schema
