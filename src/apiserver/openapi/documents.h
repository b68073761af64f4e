// The OpenAPI documents as text: version 2 in one piece (JSON and protobuf), version 3 by group version. Pure; thread:
// any.
#pragma once

#include <string>
#include <vector>

#include "apiserver/endpoint.h"
#include "apiserver/openapi/paths_model.h"

namespace apiserver::openapi {

class CustomKinds;

std::string version2_json(const Endpoints& endpoints);
// The same as an openapi.v2.Document message of gnostic.
std::string version2_protobuf(const Endpoints& endpoints);
std::string version3_json(const Section& section);
// With the definitions of custom kinds.
std::string version3_json(const Section& section, const CustomKinds* kinds);

}  // namespace apiserver::openapi
