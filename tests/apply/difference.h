// Compares a patched object with the object that a real server answered, which has defaults filled in.
#pragma once

#include <string>

#include "object/value.h"

namespace recorded {

// "" or where `patched` is not what becomes `answer` by defaulting: members that the server fills in may be missing.
std::string difference(const object::Value& patched, const object::Value& answer, const std::string& path);

}  // namespace recorded
