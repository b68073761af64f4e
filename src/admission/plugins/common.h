// What several plugins need. Thread: any.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "admission/admission.h"
#include "gen/core/v1.h"

namespace admission {

// 403 `<resource> "<name>" is forbidden: <detail>`.
[[nodiscard]] std::unexpected<base::Error> forbid(const Attributes& attributes, std::string_view detail);

// The struct of attributes.object or .old when the request has one and it is a T; else null.
template <typename T>
T* object_as(const Attributes& attributes) {
  if (!attributes.object || !*attributes.object || &attributes.object->message() != &gen::message_of<T>())
    return nullptr;
  return &attributes.object->as<T>();
}
template <typename T>
const T* old_as(const Attributes& attributes) {
  if (!attributes.old || !*attributes.old || &attributes.old->message() != &gen::message_of<T>()) return nullptr;
  return &attributes.old->as<T>();
}

// The Pod of a create of pods; null for every other request.
inline api::core::v1::Pod* created_pod(const Attributes& attributes) {
  if (attributes.operation != Operation::kCreate || !attributes.is("", "pods")) return nullptr;
  return object_as<api::core::v1::Pod>(attributes);
}

bool is_mirror_pod(const api::core::v1::Pod& pod);

// Every container of the spec (init containers, containers, ephemeral containers), as upstream orders them.
template <typename Visit>
void visit_containers(const api::core::v1::PodSpec& spec, const Visit& visit) {
  for (const auto& container : spec.init_containers) visit(container);
  for (const auto& container : spec.containers) visit(container);
  for (const auto& container : spec.ephemeral_containers) visit(container.ephemeral_container_common);
}

// The class a claim names: the old annotation, else spec.storageClassName; "" = none.
std::string_view claim_class(const api::core::v1::PersistentVolumeClaim& claim);

// Among the objects of a cluster-scoped resource whose annotation is "true": the newest, the first by name of equals.
std::optional<std::string> newest_default(const Lookup& lookup, std::string_view group, std::string_view resource,
                                          std::string_view annotation);

}  // namespace admission
