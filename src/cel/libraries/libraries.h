// The declarations of each library; catalogue.cc says which versions of Kubernetes have which. Private to src/cel.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "cel/functions.h"

namespace cel {

std::span<const Declaration> string_declarations();              // version 0 of cel-go's ext.Strings
std::span<const Declaration> string_format_declarations();       // format as version 2 has it, strings.quote
std::span<const Declaration> string_format_spec_declarations();  // format as the language's test data has it
std::span<const Declaration> string_reverse_declarations();
std::span<const Declaration> set_declarations();
std::span<const Declaration> list_declarations();  // Kubernetes: isSorted, sum, min, max, indexOf, lastIndexOf
std::span<const Declaration>
list_ext_declarations();  // cel-go's ext.Lists: slice, flatten, sort, range, reverse, distinct
std::span<const Declaration> regex_declarations();
std::span<const Declaration> url_declarations();
std::span<const Declaration> quantity_declarations();
std::span<const Declaration> ip_declarations();
std::span<const Declaration> cidr_declarations();
std::span<const Declaration> format_declarations();
std::span<const Declaration> semver_declarations();
std::span<const Declaration> authorizer_declarations();
std::span<const Declaration> authorizer_selector_declarations();
std::span<const Declaration> json_patch_declarations();
std::span<const Declaration> encoder_declarations();
std::span<const Declaration> math_declarations();

// A list of values copied to the arena.
Value make_list(Arena& arena, const std::vector<Value>& items);
// The code points of a valid text.
std::vector<std::string_view> characters(std::string_view text);

}  // namespace cel
