// Pieces of Table cells that many kinds share. Pure; thread: any.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/core/pod_cells.h"
#include "api/rules.h"
#include "object/time.h"

namespace api {

inline object::Value age_cell(const meta::v1::ObjectMeta& metadata, base::WallTime now) {
  return object::human_age(metadata.creation_timestamp, now);
}
std::string join(const std::vector<std::string>& parts, std::string_view separator);
// At most `most` parts joined by commas, then " + N more..."; `empty` when there are none.
std::string join_some(const std::vector<std::string>& parts, size_t most, std::string_view empty);
std::string or_text(std::string_view text, std::string_view when_empty);

}  // namespace api
