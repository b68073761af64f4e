// OpenAPI version 2 as protobuf: the messages of gnostic's OpenAPIv2.proto, written from the JSON trees of the parts.
// Older kubectl asks for this form. Pure; thread: one.
#pragma once

#include <string>
#include <string_view>

#include "object/value.h"

namespace apiserver::openapi {

class GnosticDocument {
 public:
  void add_path(std::string_view path, const object::Value& item);
  void add_definition(std::string_view name, const object::Value& schema);
  void add_parameter(std::string_view name, const object::Value& parameter);
  // The whole Document; nothing may be added afterwards.
  std::string finish(std::string_view title, std::string_view version);

 private:
  std::string paths_, definitions_, parameters_;
};

}  // namespace apiserver::openapi
