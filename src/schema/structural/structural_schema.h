// The schema of a custom resource, compiled from the openAPIV3Schema of one CRD version: what prunes, defaults,
// coerces and validates its objects, and gives apply their type. Descriptions and titles are not kept: OpenAPI is made
// from the JSON (openapi.h). Immutable; pure; thread: any. Compile on first use from the stored bytes and drop when
// idle, or keep: memory_bytes() says what one costs.
//
// How a request body becomes an object (the order matters, as upstream's): prune → prune_nulls → coerce_embedded →
// set_defaults; then validate, api::validate_embedded, validate_list_types, rules in CEL.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "object/field_error.h"
#include "object/value.h"
#include "schema/apply/type.h"
#include "schema/tables.h"

namespace schema {

class StructuralSchema;
namespace structural {
struct Compiled;
struct Node;
}  // namespace structural

enum class ListKind : uint8_t { kUnset, kAtomic, kSet, kMap, kUnknown };

// A place in a schema: the root or a part of it. Null: nothing is specified there. Lives as long as its schema.
class SchemaNode {
 public:
  SchemaNode() = default;
  SchemaNode(const structural::Compiled* schema, const structural::Node* node) : schema_(schema), node_(node) {}
  explicit operator bool() const { return node_ != nullptr; }

  SchemaNode property(std::string_view name) const;  // declared in `properties`
  SchemaNode items() const;
  SchemaNode additional_properties() const;              // its schema; null when there is none, or `true` or `false`
  std::vector<std::string_view> property_names() const;  // sorted
  std::string_view type() const;                         // "object", "array", …; "" when unset
  ListKind list_type() const;
  std::vector<std::string_view> list_map_keys() const;
  bool has_properties() const;
  bool has_additional_properties() const;  // stated, be it a schema, true or false
  bool embeds_resources() const;           // here or below
  bool preserves_unknown_fields() const;
  bool embedded_resource() const;
  bool int_or_string() const;
  bool nullable() const;
  // The default, or null.
  const object::Value* default_value() const;

  // For this folder.
  const structural::Compiled* compiled() const { return schema_; }
  const structural::Node* node() const { return node_; }

 private:
  const structural::Compiled* schema_ = nullptr;
  const structural::Node* node_ = nullptr;
};

class StructuralSchema {
 public:
  // `json` is a JSONSchemaProps as JSON; it need not be structural (structurality.h says whether it is), but has no
  // $ref and the like. Errors (kInvalid) have upstream's text: `OpenAPIV3Schema '$ref' is not supported`.
  // `object_meta` is the table of meta.v1.ObjectMeta, for embedded resources and apply; it is never destroyed.
  static base::Result<std::shared_ptr<const StructuralSchema>> compile(const object::Value& json,
                                                                       const Message& object_meta);
  ~StructuralSchema();
  StructuralSchema(const StructuralSchema&) = delete;
  StructuralSchema& operator=(const StructuralSchema&) = delete;

  SchemaNode root() const;
  // Of the compiled form, without regular expressions that were used (some KB for each).
  size_t memory_bytes() const;
  // The type that server-side apply sees: TypeMeta, ObjectMeta, and the schema. Valid as long as the schema lives.
  TypeRef apply_type() const;

 private:
  explicit StructuralSchema(std::unique_ptr<const structural::Compiled> compiled);
  std::unique_ptr<const structural::Compiled> compiled_;
};

// Is the value a whole resource (its apiVersion, kind and metadata are kept, whatever the schema says), or a part?
enum class Place : uint8_t { kResource, kPart };

// Removes members that the schema does not know. `dropped`, when not null, receives their paths, sorted: "spec.foo",
// "spec.list[0].bar"; a strict request reports them as `unknown field "spec.foo"`.
void prune(SchemaNode node, object::Value& value, Place place, std::vector<std::string>* dropped = nullptr);
// Removes nulls of members that are neither nullable nor have a default.
void prune_nulls(SchemaNode node, object::Value& value);
// Puts defaults where members are missing, or null and not nullable.
void set_defaults(SchemaNode node, object::Value& value);

enum class OnMalformed : uint8_t { kFail, kDrop };
// Gives the metadata of embedded resources (with kResource also the value's own) the shape of ObjectMeta: unknown
// members go (their paths to `dropped`), and wrong types fail, or go too (for what was stored long ago).
std::optional<object::FieldError> coerce_embedded(SchemaNode node, object::Value& value, Place place,
                                                  const object::FieldPath& path, OnMalformed on_malformed,
                                                  std::vector<std::string>* dropped = nullptr);

// Type, format, limits, enums, patterns, required members, allOf/anyOf/oneOf/not. With `old`, what did not change
// does not fail (ratcheting; items of lists of type map are matched by their keys). `path` leads to the value: the
// root path for a whole object, FieldPath("status") for a status by itself. At most kMaxSchemaErrors are reported.
void validate(SchemaNode node, const object::Value& value, const object::Value* old, const object::FieldPath& path,
              object::FieldErrors& errors);
// Items of lists of type set and map are unique. Compat: an update is checked only if the old object passes.
void validate_list_types(SchemaNode node, const object::Value& value, const object::FieldPath& path,
                         object::FieldErrors& errors);

}  // namespace schema
