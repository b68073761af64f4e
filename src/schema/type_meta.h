// What names an object's type on the wire: it stands beside the object's bytes, not in them. Thread: plain views.
#pragma once

#include <string_view>

namespace schema {

struct TypeMeta {
  std::string_view api_version;  // "apps/v1"; "" = not written
  std::string_view kind;
};

}  // namespace schema
