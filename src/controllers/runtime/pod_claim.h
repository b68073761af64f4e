// Which Pods an owner controls: takes in orphans that its selector matches, lets go of Pods that it matches no more.
// Compat: upstream's controller reference manager. Thread: a worker; blocks until the patches are answered.
#pragma once

#include <functional>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "client/client.h"
#include "client/informer.h"
#include "controllers/runtime/pod_view.h"
#include "gen/meta/v1.h"
#include "object/selector.h"

namespace controllers {

struct PodOwner {
  const schema::Resource* resource = nullptr;
  const api::meta::v1::ObjectMeta* metadata = nullptr;
  const object::LabelSelector* selector = nullptr;
  // More that an orphan must fulfil to be taken in; empty = nothing.
  std::function<bool(const PodView&)> accepts;
  // What Pods carry as long as they are owned; "" = nothing.
  std::string_view finalizer = {};
};
// `pods` is indexed by owner and has orphans indexed (runtime/owners.h).
base::Result<std::vector<PodView>> claim_pods(const client::Client& client, const client::Informer& pods,
                                              const PodOwner& owner);
bool selects(const object::LabelSelector& selector, const PodView& pod);

}  // namespace controllers
