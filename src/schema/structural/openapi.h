// What OpenAPI publishes of a custom resource: the JSON of a CRD version's schema, with what Kubernetes adds to it.
// Pure; thread: any.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "object/value.h"

namespace schema {

enum class OpenApiVersion : uint8_t { kV2, kV3 };

// One served version of a CRD.
struct PublishedKind {
  std::string_view group, version, kind, list_kind, plural;
  // Its openAPIV3Schema; null or not structural: the kind is published as an object of any shape.
  const object::Value* schema = nullptr;
  std::vector<std::string_view> selectable_fields;  // "spec.color"
};

// "io.k8s.group.v1.Kind": the name of a definition, with the group's parts turned around.
std::string model_name(std::string_view group, std::string_view version, std::string_view kind);
// The definition of the kind, and that of its list.
object::Value published_schema(const PublishedKind& kind, OpenApiVersion version);
object::Value published_list_schema(const PublishedKind& kind, OpenApiVersion version);

}  // namespace schema
