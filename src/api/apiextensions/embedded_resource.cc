#include "api/apiextensions/embedded_resource.h"

#include <algorithm>

#include "api/meta_validation.h"
#include "gen/codec.h"
#include "object/names.h"
#include "schema/proto_value.h"
#include "schema/structural/json_path.h"
#include "schema/structural/limits.h"

namespace api {
namespace {

using object::FieldErrors;
using object::FieldPath;
using object::Object;
using object::Value;
using schema::SchemaNode;

void check_metadata(const Value& metadata, const FieldPath& path, FieldErrors& errors) {
  std::string bytes;
  const auto& message = gen::message_of<meta::v1::ObjectMeta>();
  if (auto encoded = schema::encode_value(message, metadata, bytes); !encoded) {
    errors.invalid(path, metadata, encoded.error().message);
    return;
  }
  auto decoded = gen::decode<meta::v1::ObjectMeta>(bytes);
  if (!decoded) {
    errors.invalid(path, metadata, decoded.error().message);
    return;
  }
  if (decoded->name.empty()) decoded->name = "fakename";  // an embedded resource need not have one
  const Scope scope = decoded->namespace_.empty() ? Scope::kCluster : Scope::kNamespaced;
  FieldErrors found;
  validate_object_meta(*decoded, {.scope = scope, .names = name_is_path_segment, .rules = MetaRules::kCustom}, found);
  // They speak of an object whose metadata is at the root.
  const std::string prefix = path.to_string();
  for (object::FieldError error : found.errors()) {
    error.path = prefix + error.path.substr(std::min(error.path.size(), std::string_view("metadata").size()));
    errors.add(std::move(error));
  }
}

void check_type(const Object& members, const FieldPath& path, FieldErrors& errors) {
  for (const std::string_view name : {"apiVersion", "kind"}) {
    const Value* value = members.find(name);
    const FieldPath at = path.child(name);
    if (!value) {
      errors.required(at);
    } else if (!value->is_string()) {
      errors.invalid(at, *value, "must be a string");
    } else if (value->string_if()->empty()) {
      errors.invalid(at, "", "must not be empty");
    } else if (name == "apiVersion") {
      const std::string& text = *value->string_if();
      if (std::ranges::count(text, '/') > 1) errors.invalid(at, text, "unexpected GroupVersion string: " + text);
    } else {
      std::string lower = *value->string_if();
      std::ranges::transform(lower, lower.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? char(c + 32) : c; });
      std::string messages;
      for (const auto& message : object::validate_dns1035_label(lower)) {
        messages += (messages.empty() ? "" : ",") + message;
      }
      if (!messages.empty()) {
        errors.invalid(at, *value, "may have mixed case, but should otherwise match: " + messages);
      }
    }
  }
}

void check(SchemaNode node, bool embedded, const Value& value, const FieldPath& path, FieldErrors& errors) {
  if (!node || !(embedded || node.embeds_resources()) || errors.size() >= schema::kMaxSchemaErrors) return;
  const auto below = [&](SchemaNode part, const Value& member, const FieldPath& at) {
    check(part, part.embedded_resource(), member, at, errors);
  };
  if (const Object* members = value.object_if()) {
    if (embedded) {
      check_type(*members, path, errors);
      if (const Value* metadata = members->find("metadata")) check_metadata(*metadata, path.child("metadata"), errors);
    }
    for (const object::Member& member : *members) {
      if (const SchemaNode part = node.property(member.key)) {
        below(part, member.value, path.child(member.key));
      } else {
        below(node.additional_properties(), member.value, path.key(member.key));
      }
    }
  } else if (const object::Array* items = value.array_if()) {
    for (size_t i = 0; i < items->size(); ++i) below(node.items(), (*items)[i], path.index(i));
  }
}

void check_replicas(const Value& object, const std::string& at, FieldErrors& errors) {
  const FieldPath path(at);
  const auto replicas = schema::nested_integer(object, at);
  if (!replicas) {
    errors.invalid(path, 0, replicas.error().message);
  } else if (replicas->value_or(0) < 0) {
    errors.invalid(path, **replicas, "should be a non-negative integer");
  } else if (replicas->value_or(0) > INT32_MAX) {
    errors.invalid(path, **replicas, "should be less than or equal to 2147483647");
  }
}

}  // namespace

void validate_embedded(SchemaNode node, const Value& value, schema::Place place, const FieldPath& path,
                       FieldErrors& errors) {
  const bool embedded = place == schema::Place::kResource || node.embedded_resource();
  check(node, embedded, value, path, errors);
}

void validate_scale_spec(const apiextensions::v1::CustomResourceSubresourceScale& scale, const Value& object,
                         FieldErrors& errors) {
  check_replicas(object, scale.spec_replicas_path, errors);
}

void validate_scale_status(const apiextensions::v1::CustomResourceSubresourceScale& scale, const Value& object,
                           FieldErrors& errors) {
  check_replicas(object, scale.status_replicas_path, errors);
  if (!scale.label_selector_path) return;
  const auto selector = schema::nested_string(object, *scale.label_selector_path);
  if (!selector) errors.invalid(FieldPath(*scale.label_selector_path), "", selector.error().message);
}

}  // namespace api
