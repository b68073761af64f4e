#include "apiserver/crd/instances.h"

#include "apiserver/core.h"
#include "apiserver/verbs/verbs.h"
#include "storage/keys.h"

namespace apiserver {

bool Instances::gone(const Endpoint& endpoint) const {
  const std::string start = storage::range_start(endpoint.prefix(), "");
  return core_->store().snapshot()->count(start, kv::prefix_end(start)) == 0;
}

void Instances::remove_all(const Endpoint& endpoint) const {
  const std::string start = storage::range_start(endpoint.prefix(), "");
  RequestContext context;
  context.core = core_;
  context.origin = Origin::kInProcess;
  context.user = user_;
  context.now = core_->clock().wall_now();
  context.endpoint = &endpoint;
  context.info.is_resource = true;
  context.info.verb = "delete";
  context.info.group = endpoint.resource->group;
  context.info.version = endpoint.resource->version;
  context.info.resource = endpoint.resource->name;
  core_->store().snapshot()->range(start, kv::prefix_end(start), [&](const kv::KeyValueRef& kv) {
    const storage::KeyParts key = storage::split_key(endpoint.prefix(), kv->key.view());
    context.info.ns = key.ns;
    context.info.name = key.name;
    // What fails is found again by gone().
    [[maybe_unused]] auto deleted = delete_object(context, endpoint, context.info.name, DeleteOptions());
    context.warnings.clear();
    return kv::Visit::kContinue;
  });
}

}  // namespace apiserver
