// OpenAPI version 3 as protobuf: the Document message of gnostic's OpenAPIv3.proto, written from the JSON tree of a
// document. kubectl asks for this form first. Pure; thread: any.
#pragma once

#include <string>

#include "object/value.h"

namespace apiserver::openapi {

std::string version3_protobuf(const object::Value& document);

}  // namespace apiserver::openapi
