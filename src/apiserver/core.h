// Core: what all requests share, built by the composition root: store, endpoints, rules, admission, watches,
// allocators. Immutable after construction but for what its parts guard themselves. Thread: any.
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "admission/admission.h"
#include "api/feature_gates.h"
#include "apiserver/context.h"
#include "apiserver/endpoint.h"
#include "base/clock.h"
#include "base/executor.h"
#include "base/mutex.h"
#include "base/rng.h"
#include "kv/store.h"
#include "pki/key.h"

namespace apiserver {

class WatchHubs;

// Puts what the server itself assigns into objects on their way to storage (service addresses, node ports). Called with
// the struct after admission and validation, before the write; commit or roll back follows.
class Allocator {
 public:
  virtual ~Allocator() = default;
  // old null = create. An error refuses the write.
  virtual base::Result<void> allocate(RequestContext& context, const Endpoint& endpoint, api::AnyObject& object,
                                      const api::AnyObject* old) = 0;
  // What was allocated for a write that did not happen, or belonged to an object that is gone.
  virtual void release(const Endpoint& endpoint, const api::AnyObject& object, const api::AnyObject* keep) = 0;
};

struct CoreOptions {
  kv::Store* store = nullptr;
  const api::Catalogue* catalogue = nullptr;
  const base::Clock* clock = nullptr;
  base::Rng* rng = nullptr;
  base::Executor* pool = nullptr;  // lists, and other long work
  std::unique_ptr<admission::Chain> admission;
  api::FeatureGates features;    // --feature-gates
  RuntimeConfig runtime_config;  // --runtime-config
};
// The gates that change what the server does.
std::span<const std::string_view> effective_feature_gates();

class Core final : public admission::Lookup {
 public:
  explicit Core(CoreOptions options);
  ~Core() override;
  Core(const Core&) = delete;

  kv::Store& store() const { return *options_.store; }
  const Endpoints& endpoints() const { return endpoints_; }
  const base::Clock& clock() const { return *options_.clock; }
  base::Rng& rng() const { return *options_.rng; }
  base::Executor& pool() const { return *options_.pool; }
  // Where long work of a request on the endpoint runs: a lane of its own where it may wait for a webhook.
  base::Executor& pool_for(const Endpoint& endpoint) const;
  const admission::Chain& admission() const { return *options_.admission; }
  const api::FeatureGates& features() const { return options_.features; }
  WatchHubs& watches() const { return *watches_; }
  // Ends watches; called before the store is destroyed.
  void stop();

  // Set before the server starts; null or none = that is not done.
  Allocator* allocator = nullptr;
  api::Privileged privileged = api::Privileged::kRefused;  // --allow-privileged
  // Where the key that signs service account tokens comes from. Asked when the first token or key set is, for making an
  // RSA key takes longer than a start may. Empty = no tokens.
  pki::KeySource token_key_source;
  std::string token_issuer = "https://kubernetes.default.svc.cluster.local";
  std::string token_keys_uri;  // as the discovery document has it; "": this server

  // kInternalError when there is none. The first call may make it; the others wait.
  base::Result<pki::PrivateKey> token_key();

  // The lease under which Event objects are written; one lease serves all events of a minute.
  base::Result<int64_t> event_lease();

  std::optional<std::string> get(std::string_view group, std::string_view resource, std::string_view ns,
                                 std::string_view name) const override;
  void each(std::string_view group, std::string_view resource, std::string_view ns,
            const std::function<void(std::string_view name, std::string_view raw)>& visit) const override;

 private:
  // The endpoint under which a resource is stored.
  const Endpoint* stored_endpoint(std::string_view group, std::string_view resource) const;

  CoreOptions options_;
  Endpoints endpoints_;
  std::map<std::pair<std::string_view, std::string_view>, const Endpoint*> stored_;  // by group and resource
  std::unique_ptr<WatchHubs> watches_;
  base::Mutex token_key_mutex_;
  std::optional<pki::PrivateKey> token_key_ GUARDED_BY(token_key_mutex_);
  base::Mutex lease_mutex_;
  int64_t lease_ GUARDED_BY(lease_mutex_) = 0;
  base::MonoTime lease_until_ GUARDED_BY(lease_mutex_){};
};

}  // namespace apiserver
