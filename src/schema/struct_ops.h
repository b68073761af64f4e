// The operations that the tables keep for a generated struct. Included by generated code only.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/box.h"
#include "schema/tables.h"

namespace schema {

template <typename T>
inline constexpr StructOps kStructOps = {
    .size = sizeof(T),
    .create = []() -> void* { return new T(); },
    .destroy = [](void* value) { delete static_cast<T*>(value); },
    .box_ensure = [](void* box) -> void* { return &static_cast<base::Box<T>*>(box)->ensure(); },
    .box_get = [](const void* box) -> const void* { return static_cast<const base::Box<T>*>(box)->get(); },
};

template <typename T>
inline constexpr VectorOps kVectorOps = {
    .append = [](void* vector) -> void* { return &static_cast<std::vector<T>*>(vector)->emplace_back(); },
    .reserve = [](void* vector, size_t count) { static_cast<std::vector<T>*>(vector)->reserve(count); },
    .size = [](const void* vector) -> size_t { return static_cast<const std::vector<T>*>(vector)->size(); },
    .at = [](const void* vector, size_t i) -> const void* { return &(*static_cast<const std::vector<T>*>(vector))[i]; },
};

template <typename T>
inline constexpr MapOps kMapOps = {
    .emplace = [](void* map, std::string_view key) -> void* {
      return &(*static_cast<std::map<std::string, T>*>(map))[std::string(key)];
    },
    .each =
        [](const void* map, void* context, void (*visit)(void*, std::string_view, const void*)) {
          for (const auto& [key, value] : *static_cast<const std::map<std::string, T>*>(map))
            visit(context, key, &value);
        },
    .each_reverse =
        [](const void* map, void* context, void (*visit)(void*, std::string_view, const void*)) {
          const auto& typed = *static_cast<const std::map<std::string, T>*>(map);
          for (auto at = typed.rbegin(); at != typed.rend(); ++at) visit(context, at->first, &at->second);
        },
};

}  // namespace schema
