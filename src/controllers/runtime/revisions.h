// ControllerRevisions: the numbered history of a Pod template that DaemonSets and StatefulSets keep. A revision's data
// is a strategic merge patch that puts its template back. Compat: upstream's form, names and labels; the hash in the
// name differs in value. Thread: a worker; blocks on calls.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "client/client.h"
#include "client/informer.h"
#include "gen/apps/v1.h"
#include "gen/core/v1.h"

namespace controllers {

struct RevisionOwner {
  const schema::Resource* resource = nullptr;
  const api::meta::v1::ObjectMeta* metadata = nullptr;
  const api::core::v1::PodTemplateSpec* pod_template = nullptr;
  std::string hash_label;  // that the revision carries its hash under
  std::optional<int32_t> collision_count;
};

struct Revisions {
  std::vector<api::apps::v1::ControllerRevision> all;  // by number
  size_t update = 0;                                   // position of the one that has the owner's template
  const api::apps::v1::ControllerRevision& newest() const { return all[update]; }
  const api::apps::v1::ControllerRevision* find(std::string_view name) const;
};

// {"spec":{"template":{…,"$patch":"replace"}}}
std::string revision_data(const api::core::v1::PodTemplateSpec& pod_template);
// The template that such data holds.
base::Result<api::core::v1::PodTemplateSpec> template_of(const api::apps::v1::ControllerRevision& revision);
std::string revision_hash(const std::string& data, std::optional<int32_t> collision_count);

// The owner's revisions, with the one of its template made, or made the newest, where needed. `revisions` is indexed by
// owner. kAlreadyExists: the name is another's; the owner's collision count is to be raised.
base::Result<Revisions> sync_revisions(const client::Client& client, const client::Informer& revisions,
                                       const RevisionOwner& owner);
// Deletes the oldest that are neither live (by name) nor among the newest `keep` others.
base::Result<void> trim_revisions(const client::Client& client, const Revisions& revisions,
                                  const std::vector<std::string>& live, int32_t keep);

}  // namespace controllers
