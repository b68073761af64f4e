#include "controllers/runtime/pod_claim.h"

#include <algorithm>

#include "controllers/runtime/call_batch.h"
#include "controllers/runtime/owners.h"
#include "gen/core/v1.h"

namespace controllers {
namespace {

using api::core::v1::Pod;
using api::meta::v1::OwnerReference;

enum class Ownership : uint8_t { kTaken, kGivenUp };

client::Call owner_call(const PodOwner& owner, const PodView& pod, Ownership ownership) {
  std::vector<OwnerReference> owners = owners_of(pod.metadata);
  std::erase_if(owners, [&](const OwnerReference& other) { return other.uid == owner.metadata->uid; });
  if (ownership == Ownership::kTaken) owners.push_back(controller_reference(*owner.resource, *owner.metadata));
  client::Call call;
  call.verb = client::Verb::kPatch;
  call.resource = &client::resource_of<Pod>();
  call.ns = pod.metadata.namespace_;
  call.name = pod.metadata.name;
  if (owner.finalizer.empty()) {
    call.body = owner_patch(pod.metadata, pod.raw.revision, owners);
    return call;
  }
  std::vector<std::string> finalizers;
  for (const std::string_view text : pod.metadata.finalizers) {
    if (text != owner.finalizer) finalizers.emplace_back(text);
  }
  if (ownership == Ownership::kTaken) finalizers.emplace_back(owner.finalizer);
  call.body = owner_patch(pod.metadata, pod.raw.revision, owners, finalizers);
  return call;
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
      patches.add(owner_call(owner, pod, Ownership::kGivenUp));
    }
  }
  if (!deleting) {
    for (PodView& pod : view_pods(pods.by_index(kOrphanIndex, owner.metadata->namespace_))) {
      if (!pod.active() || !selects(*owner.selector, pod) || (owner.accepts && !owner.accepts(pod))) continue;
      patches.add(owner_call(owner, pod, Ownership::kTaken));
      owned.push_back(std::move(pod));
    }
  }
  for (const auto& result : patches.wait()) {
    if (!result && result.error().reason != base::Reason::kNotFound) return base::fail(result.error());
  }
  return owned;
}

}  // namespace controllers
