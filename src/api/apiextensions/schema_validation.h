// The rules of a CRD version's schema: structural, its defaults valid, its Kubernetes extensions consistent. Pure;
// thread: any.
#pragma once

#include <cstdint>
#include <string_view>

#include "api/apiextensions/rule_expressions.h"
#include "object/field_error.h"
#include "object/value.h"

namespace api {

// What an update need not satisfy because the old object did not. All on: a new object.
struct SchemaRequirements {
  bool structural = true;
  bool valid_types = true;
  bool pruned_defaults = true;
  bool atomic_sets = true;    // items of sets are atomic
  bool list_map_keys = true;  // keys of list maps are required or have defaults
  ExpressionRequirements expressions;
  bool status_subresource = false;  // only some members may stand at the root
};

// `schema` is the openAPIV3Schema as JSON; `path` that of the validation which has it ("spec.validation",
// "spec.versions[0].schema").
void validate_crd_schema(const object::Value& schema, const SchemaRequirements& requirements,
                         const object::FieldPath& path, object::FieldErrors& errors);

// What an old schema lacks: the requirements that its update is spared.
void relax_for(const object::Value& old_schema, SchemaRequirements& requirements);

// The defaults of the schema, each valid against its own part. `path` is that of the schema.
enum class UnknownFields : uint8_t { kRefused, kAllowed };
void validate_schema_defaults(const object::Value& schema, UnknownFields unknown, const object::FieldPath& path,
                              object::FieldErrors& errors);

bool has_newline(std::string_view text);

}  // namespace api
