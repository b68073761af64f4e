// Internal: finds the text of one value inside a JSON text that is known to be valid. Used for error messages only.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace schema::internal {

struct JsonStep {
  std::string_view key;  // null data = an array's element
  size_t index = 0;
};

// "" when it is not there. Of repeated members the last counts.
std::string_view locate_json(std::string_view json, std::span<const JsonStep> path);

}  // namespace schema::internal
