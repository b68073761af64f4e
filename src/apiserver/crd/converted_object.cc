#include "apiserver/crd/converted_object.h"

#include <algorithm>

#include "api/meta_validation.h"
#include "object/field_error.h"
#include "object/json.h"

namespace apiserver {
namespace {

using object::Object;
using object::Value;

std::unexpected<ConvertedError> wrong(ConvertedPart part, std::string detail) {
  return std::unexpected(ConvertedError{part, std::move(detail)});
}

// As upstream's language prints the type of a decoded value.
std::string_view go_type(const Value& value) {
  switch (value.kind()) {
    case Value::Kind::kNull:
      return "<nil>";
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
      break;
  }
  return "map[string]interface {}";
}

// Labels or annotations that the converter changed must be good ones.
std::expected<void, ConvertedError> check_changed(std::string_view name, const Value* before, const Value& after) {
  api::StringMap texts;
  for (const auto& [key, value] : *after.object_if()) {
    if (!value.is_string()) {
      return wrong(ConvertedPart::kMetadata, "metadata." + std::string(name) + "[" + std::string(key) +
                                                 "] must be a string, but is " + std::string(go_type(value)) +
                                                 " in converted object");
    }
    texts.emplace(key, *value.string_if());
  }
  if (before && before->is_object() && *before == after) return {};
  object::FieldErrors errors;
  if (name == "labels") {
    api::validate_labels(texts, object::FieldPath("metadata").child("labels"), errors);
  } else {
    api::validate_annotations(texts, object::FieldPath("metadata").child("annotation"), errors);  // Compat: no "s"
  }
  if (!errors.empty()) return wrong(ConvertedPart::kMetadata, errors.to_string());
  return {};
}

std::expected<void, ConvertedError> restore_metadata(const Value& original, Value& converted) {
  const Value* after = converted.find("metadata");
  if (!after) return wrong(ConvertedPart::kMetadata, "missing metadata in converted object");
  if (!after->is_object()) {
    return wrong(ConvertedPart::kMetadata,
                 "invalid metadata of type " + std::string(go_type(*after)) + " in converted object");
  }
  const Value* before = original.find("metadata");
  Value metadata = before && before->is_object() ? *before : Value(Object());
  for (std::string_view name : {"labels", "annotations"}) {
    const Value* changed = after->find(name);
    if (!changed || changed->is_null()) {
      metadata.object_if()->erase(name);
      continue;
    }
    if (!changed->is_object()) {
      return wrong(ConvertedPart::kMetadata, "invalid metadata." + std::string(name) + " of type " +
                                                 std::string(go_type(*changed)) + " in converted object");
    }
    if (auto checked = check_changed(name, metadata.find(name), *changed); !checked) return checked;
    metadata.object_if()->set(name, *changed);
  }
  converted.object_if()->set("metadata", std::move(metadata));
  return {};
}

}  // namespace

std::expected<void, ConvertedError> check_converted(const Value& original, std::string_view api_version,
                                                    Value& converted) {
  if (!converted.is_object() || converted.string_at({"kind"}).empty()) {
    return wrong(ConvertedPart::kForm, "Object 'Kind' is missing in '" + object::to_json(converted) + "'");
  }
  const auto differs = [&](std::string_view what, std::string_view expected, std::string_view received) {
    return wrong(ConvertedPart::kType, "invalid " + std::string(what) + " (expected " + std::string(expected) +
                                           ", received " + std::string(received) + ")");
  };
  if (const std::string_view received = converted.string_at({"apiVersion"}); received != api_version)
    return differs("groupVersion", api_version, received);
  const std::string_view kind = original.string_at({"kind"});
  if (const std::string_view received = converted.string_at({"kind"}); received != kind)
    return differs("kind", kind, received);
  struct Part {
    std::string_view member, words;
  };
  for (const Part& part : {Part{"name", "name"}, Part{"namespace", "namespace"}, Part{"uid", "UID"}}) {
    const std::string_view before = original.string_at({"metadata", part.member});
    const std::string_view after = converted.string_at({"metadata", part.member});
    if (before == after) continue;
    return wrong(ConvertedPart::kIdentity, "must have the same " + std::string(part.words) + ": " +
                                               std::string(before) + " != " + std::string(after));
  }
  return restore_metadata(original, converted);
}

}  // namespace apiserver
