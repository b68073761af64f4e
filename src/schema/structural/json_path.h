// JSONPath as printer columns, selectable fields and scale subresources use it: client-go's language without templates
// (range, end). Pure; a path is immutable; thread: any.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "object/value.h"

namespace schema {

struct JsonPathNode;

class JsonPath {
 public:
  // ".spec.replicas", ".status.conditions[?(@.type==\"Ready\")].status", ".metadata.labels.a\\.b". Errors
  // (kInvalid) have client-go's text: "unterminated array".
  static base::Result<JsonPath> parse(std::string_view path);

  JsonPath(JsonPath&&) noexcept;
  JsonPath& operator=(JsonPath&&) noexcept;
  ~JsonPath();

  // What the path finds, in order; parts of `root` or of the path (literals). Missing members find nothing. Errors:
  // an index out of bounds, a filter on what is no list, more than kMaxJsonPathResults.
  base::Result<std::vector<const object::Value*>> find(const object::Value& root) const;

 private:
  JsonPath();
  std::vector<std::unique_ptr<const JsonPathNode>> nodes_;
};

inline constexpr size_t kMaxJsonPathResults = 10'000;
// Filters and unions nested in each other.
inline constexpr int kMaxJsonPathDepth = 20;

// A cell of a printer column of the type ("integer", "number", "string", "boolean", "date"): null when the path finds
// nothing or a value of another type.
object::Value column_cell(const JsonPath& path, std::string_view type, const object::Value& object, base::WallTime now);

// Members by names with dots between and one before (".spec.replicas"), as scale paths are read; nullopt when one is
// missing. Errors (kInvalid) have upstream's text: ".spec.size accessor error: x is of the type string, expected
// int64".
base::Result<std::optional<int64_t>> nested_integer(const object::Value& object, std::string_view path);
base::Result<std::optional<std::string>> nested_string(const object::Value& object, std::string_view path);
// Puts a value there, making objects on the way; false when something on the way is no object.
bool set_nested(object::Value& object, std::string_view path, object::Value value);

}  // namespace schema
