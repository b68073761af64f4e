#include "admission/plugins/common.h"

#include <limits>

#include "object/status.h"
#include "schema/metadata_view.h"

namespace admission {

std::unexpected<base::Error> forbid(const Attributes& attributes, std::string_view detail) {
  const object::GroupResource resource{std::string(attributes.group), std::string(attributes.resource)};
  std::string_view name = attributes.name;
  if (name.empty() && attributes.object && *attributes.object) {
    const void* object = attributes.object->get();
    const auto& meta = api::meta_of(attributes.object->message(), object);
    name = meta.name.empty() ? meta.generate_name : meta.name;
  }
  return std::unexpected(object::forbidden(resource, name, detail));
}

bool is_mirror_pod(const api::core::v1::Pod& pod) {
  return pod.metadata.annotations.contains("kubernetes.io/config.mirror");
}

std::string_view claim_class(const api::core::v1::PersistentVolumeClaim& claim) {
  // Compat: the annotation of the days before the field still wins.
  auto beta = claim.metadata.annotations.find("volume.beta.kubernetes.io/storage-class");
  if (beta != claim.metadata.annotations.end()) return beta->second;
  return claim.spec.storage_class_name ? std::string_view(*claim.spec.storage_class_name) : std::string_view();
}

std::optional<std::string> newest_default(const Lookup& lookup, std::string_view group, std::string_view resource,
                                          std::string_view annotation) {
  std::optional<std::string> best;
  int64_t best_seconds = 0;
  lookup.each(group, resource, "", [&](std::string_view name, std::string_view raw) {
    auto meta = schema::view_metadata(raw);
    if (!meta || schema::find(meta->annotations, annotation) != "true") return;
    const int64_t seconds = meta->creation_seconds.value_or(std::numeric_limits<int64_t>::min());
    if (best && seconds <= best_seconds) return;  // visited in the order of names
    best = std::string(name);
    best_seconds = seconds;
  });
  return best;
}

}  // namespace admission
