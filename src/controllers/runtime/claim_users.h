// Which Pods use a PersistentVolumeClaim: the index of Pods by their claims, and the claims of a Pod, read from its
// stored bytes. A Pod without volumes of that kind costs a walk over its volumes' tags. Thread: as the informer says.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "client/informer.h"

namespace controllers {

struct PodClaim {
  enum class Kind : uint8_t { kNamed, kEphemeral } kind = Kind::kNamed;
  std::string claim;        // its name
  std::string_view volume;  // the Pod's name for it; views the Pod's bytes
};
std::vector<PodClaim> claims_of_pod(const client::RawObject& pod);

inline constexpr std::string_view kClaimIndex = "claims";  // by "namespace/name" of the claim
void index_by_claim(client::Informer& pods);

// Compat: a Pod holds a claim from when it has a node until it is gone; its ephemeral ones only until the kubelet is
// done with it, and only those that it controls. `claim_owner`: uid of the claim's controlling owner.
bool holds_claim(const client::RawObject& pod, std::string_view claim, std::string_view claim_owner);

}  // namespace controllers
