// Embedded resources: TypeMeta and ObjectMeta inside a value.
#include <algorithm>

#include "schema/proto_value.h"
#include "schema/structural/compiled.h"

namespace schema {
namespace structural {
namespace {

using object::Array;
using object::FieldError;
using object::FieldErrors;
using object::FieldPath;
using object::Object;
using object::Value;

FieldError invalid(const FieldPath& path, const Value& value, std::string_view detail) {
  FieldErrors errors;
  errors.invalid(path, value, detail);
  return errors.errors().front();
}

class Coercer {
 public:
  Coercer(const Compiled& schema, OnMalformed on_malformed, std::vector<std::string>* dropped)
      : schema_(schema), on_malformed_(on_malformed), dropped_(dropped) {}

  std::optional<FieldError> coerce(Value& value, const Node* node, bool embedded, const FieldPath& path) {
    if (!node || !(embedded || node->is(kEmbeddedBelow))) return std::nullopt;
    if (Object* members = value.object_if()) return coerce_object(*members, *node, embedded, path);
    if (Array* items = value.array_if()) {
      const Node* below = schema_.node(node->items);
      for (size_t i = 0; i < items->size(); ++i) {
        if (auto error = coerce((*items)[i], below, is_embedded(below), path.index(i))) return error;
      }
    }
    return std::nullopt;
  }

 private:
  static bool is_embedded(const Node* node) { return node && node->is(kEmbedded); }

  std::optional<FieldError> coerce_object(Object& members, const Node& node, bool embedded, const FieldPath& path) {
    if (embedded) {
      for (const std::string_view name : {"apiVersion", "kind"}) {
        const Value* value = members.find(name);
        if (!value || value->is_string()) continue;
        if (on_malformed_ == OnMalformed::kFail) return invalid(path.child(name), *value, "must be a string");
        members.erase(name);
      }
      if (Value* metadata = members.find("metadata")) {
        if (auto error = coerce_metadata(*metadata, path.child("metadata"))) return error;
      }
    }
    for (object::Member& member : members) {
      if (const Node* below = schema_.property(node, member.key)) {
        if (auto error = coerce(member.value, below, is_embedded(below), path.child(member.key))) return error;
      } else if (const Node* additional = schema_.node(node.additional)) {
        if (auto error = coerce(member.value, additional, is_embedded(additional), path.key(member.key))) return error;
      }
    }
    return std::nullopt;
  }

  std::optional<FieldError> coerce_metadata(Value& metadata, const FieldPath& path) {
    if (metadata.is_null()) metadata = Object();
    std::vector<std::string> issues;
    std::string bytes;
    const ValueEncodeOptions options{.strict_issues = dropped_ ? &issues : nullptr};
    if (auto encoded = encode_value(*schema_.object_meta, metadata, bytes, options); !encoded) {
      if (on_malformed_ == OnMalformed::kFail) return invalid(path, metadata, encoded.error().message);
      if (!metadata.is_object()) return std::nullopt;
      issues.clear();
      bytes = encode_what_fits(*metadata.object_if(), options);
    }
    auto decoded = decode_value(*schema_.object_meta, bytes);
    if (!decoded) return invalid(path, metadata, decoded.error().message);
    metadata = *std::move(decoded);
    report(issues, path);
    return std::nullopt;
  }

  // Member by member; what is malformed is left out. Concatenated encodings are one message.
  std::string encode_what_fits(const Object& metadata, const ValueEncodeOptions& options) const {
    std::string bytes;
    for (const object::Member& member : metadata) {
      Object one;
      one.set(member.key, member.value);
      std::string part;
      if (encode_value(*schema_.object_meta, Value(std::move(one)), part, options)) bytes += part;
    }
    return bytes;
  }

  // `unknown field "labels.x"` to the path from the object's root.
  void report(const std::vector<std::string>& issues, const FieldPath& path) {
    if (!dropped_) return;
    for (const std::string& issue : issues) {
      const size_t from = issue.find('"');
      const size_t to = issue.rfind('"');
      if (from == std::string::npos || to <= from) continue;
      dropped_->push_back(path.to_string() + '.' + issue.substr(from + 1, to - from - 1));
    }
  }

  const Compiled& schema_;
  OnMalformed on_malformed_;
  std::vector<std::string>* dropped_;
};

}  // namespace
}  // namespace structural

std::optional<object::FieldError> coerce_embedded(SchemaNode node, object::Value& value, Place place,
                                                  const object::FieldPath& path, OnMalformed on_malformed,
                                                  std::vector<std::string>* dropped) {
  if (!node) return std::nullopt;
  structural::Coercer coercer(*node.compiled(), on_malformed, dropped);
  const bool embedded = place == Place::kResource || node.embedded_resource();
  auto error = coercer.coerce(value, node.node(), embedded, path);
  if (dropped) std::ranges::sort(*dropped);
  return error;
}

}  // namespace schema
