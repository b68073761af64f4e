#include "controllers/runtime/pod_claim.h"

#include <algorithm>

#include "controllers/runtime/call_batch.h"
#include "controllers/runtime/owners.h"
#include "gen/core/v1.h"

namespace controllers {
namespace {

using api::core::v1::Pod;
using api::meta::v1::OwnerReference;

client::Call owner_call(const PodView& pod, const std::vector<OwnerReference>& owners) {
  client::Call call;
  call.verb = client::Verb::kPatch;
  call.resource = &client::resource_of<Pod>();
  call.ns = pod.metadata.namespace_;
  call.name = pod.metadata.name;
  call.body = owner_patch(pod.metadata, pod.raw.revision, owners);
  return call;
}

client::Call adopt_call(const PodOwner& owner, const PodView& pod) {
  std::vector<OwnerReference> owners = owners_of(pod.metadata);
  owners.push_back(controller_reference(*owner.resource, *owner.metadata));
  return owner_call(pod, owners);
}

client::Call release_call(const PodOwner& owner, const PodView& pod) {
  std::vector<OwnerReference> owners = owners_of(pod.metadata);
  std::erase_if(owners, [&](const OwnerReference& other) { return other.uid == owner.metadata->uid; });
  return owner_call(pod, owners);
}

}  // namespace

bool selects(const object::LabelSelector& selector, const PodView& pod) {
  struct Labels final : object::LabelSource {
    explicit Labels(const schema::StringPairs& given) : pairs(given) {}
    std::optional<std::string_view> find(std::string_view key) const override { return schema::find(pairs, key); }
    const schema::StringPairs& pairs;
  };
  return selector.matches(Labels(pod.metadata.labels));
}

base::Result<std::vector<PodView>> claim_pods(const client::Client& client, const client::Informer& pods,
                                              const PodOwner& owner) {
  const bool deleting = static_cast<bool>(owner.metadata->deletion_timestamp);
  std::vector<PodView> owned;
  CallBatch patches(client.transport());
  for (PodView& pod : view_pods(pods.by_index(kOwnerIndex, owner.metadata->uid))) {
    const auto controller = controller_of(pod.raw);
    if (!controller || controller->uid != owner.metadata->uid) continue;
    if (selects(*owner.selector, pod) || deleting) {
      owned.push_back(std::move(pod));
    } else {
      patches.add(release_call(owner, pod));
    }
  }
  if (!deleting) {
    for (PodView& pod : view_pods(pods.by_index(kOrphanIndex, owner.metadata->namespace_))) {
      if (!pod.active() || !selects(*owner.selector, pod) || (owner.accepts && !owner.accepts(pod))) continue;
      patches.add(adopt_call(owner, pod));
      owned.push_back(std::move(pod));
    }
  }
  for (const auto& result : patches.wait()) {
    if (!result && result.error().reason != base::Reason::kNotFound) return base::fail(result.error());
  }
  return owned;
}

}  // namespace controllers
