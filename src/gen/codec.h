// The typed forms of schema/proto_struct.h: gen::encode(pod), gen::decode<api::core::v1::Pod>(bytes). Thread: any.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "gen/catalogue.h"
#include "schema/proto_struct.h"

namespace gen {

template <typename T>
void encode(const T& object, std::string& out) {
  schema::encode_struct(message_of<T>(), &object, out);
}

template <typename T>
std::string encode(const T& object) {
  std::string out;
  encode(object, out);
  return out;
}

template <typename T>
[[nodiscard]] base::Result<T> decode(std::string_view bytes) {
  base::Result<T> result;
  if (auto decoded = schema::decode_struct(message_of<T>(), bytes, &*result); !decoded) {
    return std::unexpected(std::move(decoded).error());
  }
  return result;
}

}  // namespace gen
