// Keys of objects, as upstream lays them out. Pure.
#pragma once

#include <string>
#include <string_view>

namespace storage {

// prefix "/registry/pods" → "/registry/pods/<ns>/<name>"; cluster-scoped objects have no namespace part.
std::string object_key(std::string_view prefix, std::string_view ns, std::string_view name);
// The start of all keys of a resource, or of one namespace of it: "/registry/pods/" or "/registry/pods/<ns>/".
std::string range_start(std::string_view prefix, std::string_view ns);

struct KeyParts {
  std::string_view ns;  // "" for cluster-scoped objects
  std::string_view name;
};
// What follows the prefix of a key of that resource.
KeyParts split_key(std::string_view prefix, std::string_view key);

}  // namespace storage
