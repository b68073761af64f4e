#include "schema/patch/json_patch.h"

#include <algorithm>
#include <charconv>
#include <ranges>

#include "object/json.h"
#include "schema/patch/limits.h"

namespace schema {
namespace {

using base::Reason;
using base::Result;
using object::Array;
using object::Member;
using object::Object;
using object::Value;

std::unexpected<base::Error> bad_patch(const Value& value, std::string_view into) {
  return base::fail(Reason::kBadRequest, "error decoding patch: json: cannot unmarshal " +
                                             std::string(object::json_type_name(value)) + " into Go " +
                                             std::string(into));
}

Result<void> decode_operation(const Object& source, size_t i, JsonPatchOperation& operation,
                              std::vector<std::string>* unknown_fields) {
  for (const auto& [key, value] : source) {
    if (key == "value") {
      operation.value = value;
      continue;
    }
    const bool is_text = key == "op" || key == "path" || key == "from";
    if (!is_text) {
      if (unknown_fields) {
        unknown_fields->push_back("json patch unknown field \"[" + std::to_string(i) + "]." + key + "\"");
      }
      continue;
    }
    if (value.is_null()) continue;
    const std::string* text = value.string_if();
    if (!text) return bad_patch(value, "struct field jsonPatchOp." + key + " of type string");
    if (key == "op") {
      operation.op = *text;
    } else {
      (key == "path" ? operation.path : operation.from) = *text;
    }
  }
  return {};
}

// --- one application ------------------------------------------------------------------------------------------------

// Go's strconv.Atoi.
std::optional<int64_t> parse_index(std::string_view text) {
  if (text.starts_with('+')) {
    text.remove_prefix(1);
    if (text.starts_with('-')) return std::nullopt;
  }
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// "~1" is "/", "~0" is "~", in one pass.
std::string decode_token(std::string_view token) {
  std::string out;
  out.reserve(token.size());
  for (size_t i = 0; i < token.size(); ++i) {
    const char next = token[i] == '~' && i + 1 < token.size() ? token[i + 1] : '\0';
    if (next == '0' || next == '1') {
      out += next == '0' ? '~' : '/';
      ++i;
    } else {
      out += token[i];
    }
  }
  return out;
}

// Deep equality of `test`: 1 is not 1.0.
bool same(const Value& a, const Value& b) {
  if (a.kind() != b.kind()) return false;
  if (const Array* left = a.array_if()) {
    return std::ranges::equal(*left, *b.array_if(), [](const Value& x, const Value& y) { return same(x, y); });
  }
  if (const Object* left = a.object_if()) {
    const Object& right = *b.object_if();
    return left->size() == right.size() && std::ranges::all_of(*left, [&](const Member& member) {
             const Value* other = right.find(member.key);
             return other && same(member.value, *other);
           });
  }
  return a == b;
}

// About the bytes of the value as compact JSON; escapes are not counted.
size_t json_size(const Value& value) {
  switch (value.kind()) {
    case Value::Kind::kNull:
    case Value::Kind::kBool:
      return 4;
    case Value::Kind::kInt:
      return std::to_string(*value.int_if()).size();
    case Value::Kind::kDouble:
      return 8;
    case Value::Kind::kString:
      return value.string_if()->size() + 2;
    case Value::Kind::kArray: {
      size_t size = 2;
      for (const Value& item : *value.array_if()) size += json_size(item) + 1;
      return size;
    }
    case Value::Kind::kObject: {
      size_t size = 2;
      for (const auto& [key, item] : *value.object_if()) size += key.size() + 4 + json_size(item);
      return size;
    }
  }
  return 0;
}

int height(const Value& value) {
  int deepest = 0;
  if (const Array* array = value.array_if()) {
    for (const Value& item : *array) deepest = std::max(deepest, height(item));
  } else if (const Object* object = value.object_if()) {
    for (const auto& [key, item] : *object) deepest = std::max(deepest, height(item));
  } else {
    return 0;
  }
  return deepest + 1;
}

class Application {
 public:
  explicit Application(Value document) : document_(std::move(document)), depth_bound_(height(document_)) {}

  // "" or why the operation does not apply.
  std::string run(const JsonPatchOperation& operation) {
    if (operation.op == "add") return add(operation.path, operation.value, height(operation.value));
    if (operation.op == "remove") return remove(operation.path);
    if (operation.op == "replace") return replace(operation);
    if (operation.op == "move") return move(operation);
    if (operation.op == "copy") return copy(operation);
    if (operation.op == "test") return test(operation);
    return "unknown operation";
  }
  Value take() { return std::move(document_); }

 private:
  // Where a pointer's last token points: an object or array and the decoded token. container null: no such place.
  struct Place {
    Value* container = nullptr;
    std::string key;
    int depth = 0;  // of what is put there
  };

  Place find(std::string_view pointer) {
    const size_t first = pointer.find('/');
    if (first == std::string_view::npos) return {};
    // Compat: what stands before the first slash is not looked at.
    std::string_view rest = pointer.substr(first + 1);
    Value* here = &document_;
    int depth = 1;
    for (size_t slash; (slash = rest.find('/')) != std::string_view::npos; rest = rest.substr(slash + 1)) {
      here = child(*here, decode_token(rest.substr(0, slash)));
      if (!here || (!here->is_object() && !here->is_array())) return {};
      ++depth;
    }
    return {here, decode_token(rest), depth};
  }

  // The existing index that the token names.
  static std::optional<size_t> index_in(const Array& array, std::string_view token) {
    std::optional<int64_t> index = parse_index(token);
    const auto size = static_cast<int64_t>(array.size());
    if (!index || *index >= size || *index < -size) return std::nullopt;
    return static_cast<size_t>(*index < 0 ? *index + size : *index);
  }

  static Value* child(Value& container, std::string_view token) {
    if (Object* object = container.object_if()) return object->find(token);
    Array* array = container.array_if();
    std::optional<size_t> index = array ? index_in(*array, token) : std::nullopt;
    return index ? &(*array)[*index] : nullptr;
  }

  // `value_height` is at least the value's height; it is measured only when that matters, and not without end.
  std::string insert(const Place& place, Value value, int value_height) {
    if (place.depth + value_height > kMaxPatchedDepth) {
      if (++measurements_ > kMaxMeasurements) return "the document becomes too deep";
      value_height = height(value);
      if (place.depth + value_height > kMaxPatchedDepth) return "the document becomes too deep";
    }
    depth_bound_ = std::max(depth_bound_, place.depth + value_height);
    if (Object* object = place.container->object_if()) {
      object->set(place.key, std::move(value));
      return "";
    }
    Array& array = *place.container->array_if();
    if (place.key == "-") {
      array.push_back(std::move(value));
      return "";
    }
    const std::optional<int64_t> index = parse_index(place.key);
    if (!index) return "not an array index: " + place.key;
    const auto room = static_cast<int64_t>(array.size()) + 1;
    if (*index >= room || *index < -room) return "array index out of range: " + place.key;
    array.insert(array.begin() + (*index < 0 ? *index + room : *index), std::move(value));
    return "";
  }

  static std::string erase(const Place& place) {
    if (Object* object = place.container->object_if()) {
      return object->erase(place.key) ? "" : "no member " + place.key;
    }
    Array& array = *place.container->array_if();
    const std::optional<size_t> index = index_in(array, place.key);
    if (!index) return "no array index " + place.key;
    array.erase(array.begin() + static_cast<std::ptrdiff_t>(*index));
    return "";
  }

  std::string add(const std::optional<std::string>& path, Value value, int value_height) {
    if (!path) return "the operation has no path";
    const Place place = find(*path);
    if (!place.container) return "the document has no path " + *path;
    return insert(place, std::move(value), value_height);
  }

  std::string remove(const std::optional<std::string>& path) {
    if (!path) return "the operation has no path";
    const Place place = find(*path);
    if (!place.container) return "the document has no path " + *path;
    return erase(place);
  }

  std::string replace(const JsonPatchOperation& operation) {
    if (!operation.path) return "the operation has no path";
    if (operation.path->empty()) {
      if (!operation.value.is_object() && !operation.value.is_array()) return "a document is an object or an array";
      document_ = operation.value;
      depth_bound_ = height(document_);
      return "";
    }
    const Place place = find(*operation.path);
    if (!place.container) return "the document has no path " + *operation.path;
    // Compat: an absent member of an object is added.
    if (place.container->is_object()) return insert(place, operation.value, height(operation.value));
    Value* target = child(*place.container, place.key);
    if (!target) return "no array index " + place.key;
    const int value_height = height(operation.value);
    if (place.depth + value_height > kMaxPatchedDepth) return "the document becomes too deep";
    depth_bound_ = std::max(depth_bound_, place.depth + value_height);
    *target = operation.value;
    return "";
  }

  std::string move(const JsonPatchOperation& operation) {
    if (!operation.from) return "the operation has no from";
    const Place source = find(*operation.from);
    if (!source.container) return "the document has no path " + *operation.from;
    Value* target = child(*source.container, source.key);
    if (!target) return "the document has no path " + *operation.from;
    const int source_depth = source.depth;
    Value value = std::move(*target);
    if (std::string why = erase(source); !why.empty()) return why;
    return add(operation.path, std::move(value), depth_bound_ - source_depth);
  }

  std::string copy(const JsonPatchOperation& operation) {
    if (!operation.from) return "the operation has no from";
    const Place source = find(*operation.from);
    if (!source.container) return "the document has no path " + *operation.from;
    const Value* target = child(*source.container, source.key);
    if (!target && source.container->is_array()) return "no array index " + source.key;
    Value value = target ? *target : Value();  // Compat: a copy of an absent member is null
    copied_bytes_ += json_size(value);
    if (copied_bytes_ > kMaxJsonPatchCopyBytes) return "the copies are too large";
    return add(operation.path, std::move(value), depth_bound_ - source.depth);
  }

  std::string test(const JsonPatchOperation& operation) {
    if (!operation.path) return "the operation has no path";
    const Value* target = &document_;
    if (!operation.path->empty()) {
      const Place place = find(*operation.path);
      if (!place.container) return "the document has no path " + *operation.path;
      target = child(*place.container, place.key);
      if (!target && place.container->is_array()) return "no array index " + place.key;
    }
    // Compat: an absent member equals null.
    const bool equal = target ? same(*target, operation.value) : operation.value.is_null();
    return equal ? "" : "the test of " + *operation.path + " failed";
  }

  static constexpr int kMaxMeasurements = 1'000;

  Value document_;
  int depth_bound_;  // the document is at most this deep
  int measurements_ = 0;
  size_t copied_bytes_ = 0;
};

}  // namespace

Result<JsonPatch> decode_json_patch(const Value& document, std::vector<std::string>* unknown_fields) {
  const Array* operations = document.array_if();
  if (!operations && document.is_null()) return JsonPatch{};
  if (!operations) return bad_patch(document, "value of type []handlers.jsonPatchOp");
  JsonPatch patch;
  patch.operations.reserve(std::min(operations->size(), kMaxJsonPatchOperations));
  for (size_t i = 0; i < operations->size(); ++i) {
    const Value& source = (*operations)[i];
    JsonPatchOperation operation;
    if (const Object* object = source.object_if()) {
      TRY(decode_operation(*object, i, operation, unknown_fields));
    } else if (!source.is_null()) {
      return bad_patch(source, "value of type handlers.jsonPatchOp");
    }
    if (patch.operations.size() < kMaxJsonPatchOperations) patch.operations.push_back(std::move(operation));
  }
  if (operations->size() > kMaxJsonPatchOperations) {
    return base::fail(Reason::kRequestEntityTooLarge,
                      "Request entity too large: The allowed maximum operations in a JSON patch is " +
                          std::to_string(kMaxJsonPatchOperations) + ", got " + std::to_string(operations->size()));
  }
  return patch;
}

Result<Value> apply_json_patch_traced(Value document, const JsonPatch& patch, std::string& cause) {
  Application application(std::move(document));
  for (size_t i = 0; i < patch.operations.size(); ++i) {
    cause = application.run(patch.operations[i]);
    if (!cause.empty()) {
      cause = "operation " + std::to_string(i) + " (" + patch.operations[i].op + "): " + cause;
      return base::fail(
          base::Error(Reason::kInvalid, "the server rejected our request due to an error in our request", {}));
    }
  }
  return application.take();
}

Result<Value> apply_json_patch(Value document, const JsonPatch& patch) {
  std::string cause;
  return apply_json_patch_traced(std::move(document), patch, cause);
}

}  // namespace schema
