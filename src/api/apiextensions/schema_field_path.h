// Paths to fields of a schema, `.spec.color` or `['spec']['a.b']`, as selectable fields and validation rules name them.
// Pure; thread: any.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "schema/structural/structural_schema.h"

namespace api {

enum class ArrayNotation : uint8_t { kAllowed, kRefused };

struct SchemaFieldPath {
  struct Step {
    std::string name;
    bool is_key = false;  // of a map, not a declared member
  };
  std::vector<Step> steps;
  schema::SchemaNode node;  // where it leads

  // "spec.map[key]"
  std::string to_string() const;
};

// Errors (kInvalid) have upstream's text: "does not refer to a valid field".
base::Result<SchemaFieldPath> parse_schema_field_path(std::string_view path, schema::SchemaNode root,
                                                      ArrayNotation notation);

}  // namespace api
