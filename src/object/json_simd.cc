// The quick way to a Value, by simdjson: for documents that need none of Go's peculiarities.
#include "object/json_simd.h"

#include <simdjson.h>

#include <unordered_set>

#include "codec/limits.h"

namespace object {
namespace {

using Type = simdjson::dom::element_type;

bool convert(simdjson::dom::element element, Value& out, int depth);

bool has_key(const Object& object, std::string_view key) {
  for (const Member& member : object) {
    if (member.key == key) return true;
  }
  return false;
}

bool convert_object(simdjson::dom::object from, Value& out, int depth) {
  if (depth > codec::kMaxDepth) return false;
  out = Object();
  Object& object = *out.object_if();
  const size_t size = from.size();
  object.reserve(size);
  std::unordered_set<std::string_view> keys;  // of large objects; they point into simdjson's buffer
  for (const auto [key, value] : from) {
    const bool repeated = size < Object::kIndexFrom ? has_key(object, key) : !keys.insert(key).second;
    if (repeated || !convert(value, object.append(std::string(key), Value()), depth)) return false;
  }
  return true;
}

bool convert_array(simdjson::dom::array from, Value& out, int depth) {
  if (depth > codec::kMaxDepth) return false;
  out = Array();
  Array& array = *out.array_if();
  array.reserve(from.size());
  for (const simdjson::dom::element element : from) {
    if (!convert(element, array.emplace_back(), depth)) return false;
  }
  return true;
}

bool convert(simdjson::dom::element element, Value& out, int depth) {
  switch (element.type()) {
    case Type::OBJECT:
      return convert_object(element.get_object().value_unsafe(), out, depth + 1);
    case Type::ARRAY:
      return convert_array(element.get_array().value_unsafe(), out, depth + 1);
    case Type::STRING:
      out = std::string(element.get_string().value_unsafe());
      return true;
    case Type::INT64:
      out = element.get_int64().value_unsafe();
      return true;
    case Type::UINT64:
      out = static_cast<double>(element.get_uint64().value_unsafe());
      return true;
    case Type::DOUBLE:
      out = element.get_double().value_unsafe();
      return true;
    case Type::BOOL:
      out = element.get_bool().value_unsafe();
      return true;
    case Type::NULL_VALUE:
      out = nullptr;
      return true;
  }
  return false;
}

}  // namespace

bool parse_json_simd(std::string_view text, Value& out) {
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  if (parser.parse(text.data(), text.size()).get(root) != simdjson::SUCCESS) return false;
  return convert(root, out, 0);
}

}  // namespace object
