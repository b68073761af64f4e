// Names, Pods and claims of a StatefulSet.
#include <algorithm>
#include <charconv>

#include "client/client.h"
#include "controllers/runtime/owners.h"
#include "controllers/statefulset/plan.h"

namespace controllers::statefulset {

using api::apps::v1::StatefulSet;
using api::core::v1::PersistentVolumeClaim;
using api::core::v1::Pod;
using api::core::v1::PodTemplateSpec;
using api::core::v1::Volume;

int32_t ordinal_of(std::string_view set_name, std::string_view pod_name) {
  if (!pod_name.starts_with(set_name) || pod_name.size() < set_name.size() + 2 || pod_name[set_name.size()] != '-')
    return -1;
  const std::string_view digits = pod_name.substr(set_name.size() + 1);
  int32_t ordinal = -1;
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), ordinal);
  return parsed.ec == std::errc() && parsed.ptr == digits.data() + digits.size() && ordinal >= 0 ? ordinal : -1;
}

std::string claim_name(const StatefulSet& set, const PersistentVolumeClaim& claim, int32_t ordinal) {
  return claim.metadata.name + "-" + set.metadata.name + "-" + std::to_string(ordinal);
}

Pod make_pod(const StatefulSet& set, const PodTemplateSpec& pod_template, const std::string& revision,
             int32_t ordinal) {
  Pod pod;
  pod.metadata.name = set.metadata.name + "-" + std::to_string(ordinal);
  pod.metadata.namespace_ = set.metadata.namespace_;
  pod.metadata.labels = pod_template.metadata.labels;
  pod.metadata.annotations = pod_template.metadata.annotations;
  pod.metadata.finalizers = pod_template.metadata.finalizers;
  pod.metadata.labels[kRevisionLabel] = revision;
  pod.metadata.labels[kPodNameLabel] = pod.metadata.name;
  pod.metadata.labels[kPodIndexLabel] = std::to_string(ordinal);
  pod.metadata.owner_references = {controller_reference(client::resource_of<StatefulSet>(), set.metadata)};
  pod.spec = pod_template.spec;
  pod.spec.hostname = pod.metadata.name;
  pod.spec.subdomain = set.spec.service_name;
  // A claim takes the place of a volume of the template with its name.
  for (const PersistentVolumeClaim& claim : set.spec.volume_claim_templates) {
    std::erase_if(pod.spec.volumes, [&](const Volume& volume) { return volume.name == claim.metadata.name; });
  }
  for (const PersistentVolumeClaim& claim : set.spec.volume_claim_templates) {
    Volume& volume = pod.spec.volumes.emplace_back();
    volume.name = claim.metadata.name;
    volume.volume_source.persistent_volume_claim.ensure().claim_name = claim_name(set, claim, ordinal);
  }
  return pod;
}

std::vector<PersistentVolumeClaim> make_claims(const StatefulSet& set, int32_t ordinal) {
  std::vector<PersistentVolumeClaim> claims;
  for (const PersistentVolumeClaim& from : set.spec.volume_claim_templates) {
    PersistentVolumeClaim& claim = claims.emplace_back(from);
    claim.metadata.name = claim_name(set, from, ordinal);
    claim.metadata.namespace_ = set.metadata.namespace_;
    if (set.spec.selector) {
      for (const auto& [key, value] : set.spec.selector->match_labels) claim.metadata.labels[key] = value;
    }
    claim.status = {};
  }
  return claims;
}

}  // namespace controllers::statefulset
