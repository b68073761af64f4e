#include "controllers/runtime/claim_users.h"

#include <algorithm>

#include "schema/metadata_view.h"

namespace controllers {
namespace {

// Wire numbers of core/v1 Pod, Volume and their sources.
constexpr uint32_t kSpec = 2, kVolumes = 1, kNodeName = 10;
constexpr uint32_t kVolumeName = 1, kSource = 2, kClaimSource = 10, kEphemeral = 29, kClaimName = 1;

}  // namespace

std::vector<PodClaim> claims_of_pod(const client::RawObject& pod) {
  std::vector<PodClaim> claims;
  const auto spec = schema::find_bytes(pod.payload(), {kSpec});
  if (!spec) return claims;
  for (const std::string_view volume : schema::Strings(*spec, kVolumes)) {
    const auto name = schema::find_bytes(volume, {kVolumeName}).value_or("");
    if (const auto source = schema::find_bytes(volume, {kSource, kClaimSource})) {
      const auto claim = schema::find_bytes(*source, {kClaimName}).value_or("");
      claims.push_back({PodClaim::Kind::kNamed, std::string(claim), name});
    } else if (schema::find_bytes(volume, {kSource, kEphemeral})) {
      const auto metadata = schema::view_metadata(pod.payload());
      if (!metadata) continue;
      claims.push_back({PodClaim::Kind::kEphemeral, std::string(metadata->name).append("-").append(name), name});
    }
  }
  return claims;
}

void index_by_claim(client::Informer& pods) {
  pods.add_index(std::string(kClaimIndex), [](const client::RawObject& pod, std::vector<std::string>& values) {
    const std::vector<PodClaim> claims = claims_of_pod(pod);
    if (claims.empty()) return;
    const auto metadata = schema::view_metadata(pod.payload());
    if (!metadata) return;
    for (const PodClaim& claim : claims)
      values.push_back(std::string(metadata->namespace_).append("/").append(claim.claim));
  });
}

bool holds_claim(const client::RawObject& pod, std::string_view claim, std::string_view claim_owner) {
  const auto metadata = schema::view_metadata(pod.payload());
  if (!metadata || schema::find_bytes(pod.payload(), {kSpec, kNodeName}).value_or("").empty()) return false;
  const bool shut_down = metadata->deletion_seconds && metadata->deletion_grace_period_seconds == 0;
  return std::ranges::any_of(claims_of_pod(pod), [&](const PodClaim& used) {
    if (used.claim != claim) return false;
    return used.kind == PodClaim::Kind::kNamed || (!shut_down && claim_owner == metadata->uid);
  });
}

}  // namespace controllers
