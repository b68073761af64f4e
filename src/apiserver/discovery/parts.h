// Pieces that the documents of built-in and of custom groups share. Pure; thread: any.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "object/value.h"

namespace apiserver::discovery {

inline std::string group_version(std::string_view group, std::string_view version) {
  return group.empty() ? std::string(version) : std::string(group) + "/" + std::string(version);
}

inline object::Value strings(std::span<const std::string_view> values) {
  object::Array out;
  for (std::string_view value : values) out.push_back(value);
  return out;
}

// A group without its kind, as it stands in a list of groups; the first version is the preferred one.
inline object::Object group_with(std::string_view name, const std::vector<std::string>& versions) {
  object::Array list;
  for (const std::string& version : versions) {
    object::Object one;
    one.set("groupVersion", group_version(name, version));
    one.set("version", version);
    list.push_back(std::move(one));
  }
  object::Value preferred = list.empty() ? object::Value(object::Object{}) : list[0];
  object::Object out;
  out.set("name", name);
  out.set("versions", std::move(list));
  out.set("preferredVersion", std::move(preferred));
  return out;
}

}  // namespace apiserver::discovery
