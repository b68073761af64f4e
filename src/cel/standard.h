// The declarations of the language's own operators and functions. Private to this folder.
#pragma once

#include <span>

#include "cel/functions.h"

namespace cel {

std::span<const Declaration> standard_declarations();
std::span<const Declaration> optional_declarations();
std::span<const Declaration> time_declarations();
std::span<const Declaration> map_insert_declarations();

}  // namespace cel
