#include "apiserver/core.h"

#include <algorithm>

#include "apiserver/crd/custom_endpoints.h"
#include "apiserver/crd/custom_kind.h"
#include "apiserver/limits.h"
#include "apiserver/watch/hub.h"
#include "object/status.h"
#include "storage/keys.h"
#include "storage/stored_object.h"

namespace apiserver {

std::span<const std::string_view> effective_feature_gates() {
  static constexpr std::string_view kGates[] = {"APIResponseCompression", "CBORServingAndStorage", "WatchList"};
  return kGates;
}

Core::Core(CoreOptions options)
    : options_(std::move(options)),
      endpoints_(*options_.catalogue, options_.runtime_config, options_.features),
      watches_(std::make_unique<WatchHubs>(this)) {
  for (const Endpoint* e : endpoints_.all()) {
    if (e->is_stored() && !e->conversion) stored_.emplace(std::pair(e->resource->group, e->resource->name), e);
  }
}
Core::~Core() { stop(); }

void Core::stop() {
  watches_->stop();
  endpoints_.custom().stop();
}

base::Executor& Core::pool_for(const Endpoint& endpoint) const {
  return endpoint.custom && endpoint.custom->waits() ? endpoints_.custom().lane() : pool();
}

base::Result<pki::PrivateKey> Core::token_key() {
  if (!token_key_source) return base::fail(object::internal_error("no service account signing key is configured"));
  base::MutexLock lock(token_key_mutex_);
  if (!token_key_) {
    TRY_ASSIGN(token_key_, token_key_source());
  }
  return *token_key_;
}

base::Result<int64_t> Core::event_lease() {
  // Compat: upstream's lease manager reuses a lease for a share of its time, so that many events cost one.
  constexpr std::chrono::seconds kReuse{60};
  base::MutexLock lock(lease_mutex_);
  const base::MonoTime now = clock().mono_now();
  if (lease_ == 0 || now >= lease_until_) {
    TRY_ASSIGN(kv::LeaseGrant grant, store().grant_lease(kEventTtl + kReuse));
    lease_ = grant.id;
    lease_until_ = now + kReuse;
  }
  return lease_;
}

const Endpoint* Core::stored_endpoint(std::string_view group, std::string_view resource) const {
  auto found = stored_.find(std::pair<std::string_view, std::string_view>(group, resource));
  return found == stored_.end() ? nullptr : found->second;
}

std::optional<std::string> Core::get(std::string_view group, std::string_view resource, std::string_view ns,
                                     std::string_view name) const {
  const Endpoint* endpoint = stored_endpoint(group, resource);
  if (!endpoint) return std::nullopt;
  // The newest accepted state: a Pod that follows its Namespace in the same batch finds it.
  kv::KeyValueRef kv = store().latest(storage::object_key(endpoint->prefix(), ns, name));
  if (!kv) return std::nullopt;
  auto stored = storage::open_stored(std::move(kv));
  if (!stored) return std::nullopt;
  return std::string(stored->raw);
}

void Core::each(std::string_view group, std::string_view resource, std::string_view ns,
                const std::function<void(std::string_view name, std::string_view raw)>& visit) const {
  const Endpoint* endpoint = stored_endpoint(group, resource);
  if (!endpoint) return;
  const std::string start = storage::range_start(endpoint->prefix(), ns);
  store().snapshot()->range(start, kv::prefix_end(start), [&](const kv::KeyValueRef& kv) {
    if (auto stored = storage::open_stored(kv)) {
      visit(storage::split_key(endpoint->prefix(), kv->key.view()).name, stored->raw);
    }
    return kv::Visit::kContinue;
  });
}

}  // namespace apiserver
