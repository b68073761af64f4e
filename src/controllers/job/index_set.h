// A set of completion indexes and its text in a Job's status: "1,3-5,7". Pure.
#pragma once

#include <set>
#include <string>
#include <string_view>

namespace controllers::job {

// What is not a number below `limit` is left out.
std::set<int32_t> parse_indexes(std::string_view text, int32_t limit);
std::string format_indexes(const std::set<int32_t>& indexes);

}  // namespace controllers::job
