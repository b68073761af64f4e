// A controller: which objects lead to which keys, and how a key is reconciled. Level-triggered: reconcile gets a key,
// never an event; its plan is a pure function of what it observed and of the time (<name>/plan.cc). The engine
// (engine.cc) is the one place that decides retry, delay or forget.
// Thread: reconcile runs on workers, for one key on at most one at a time; map functions run on an informer's strand.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/rng.h"
#include "client/client.h"
#include "client/informer.h"

namespace controllers {

// What every controller gets from the composition root.
struct Dependencies {
  client::InformerFactory* informers = nullptr;  // shared by all controllers
  std::shared_ptr<client::Transport> transport;  // under this controller's identity
  base::Clock* clock = nullptr;
  base::Rng* rng = nullptr;
  base::Executor* workers = nullptr;  // for what a controller runs beside reconcile; may block
};

// Outcome of a reconcile that did not fail. A failure (base::Error) is retried with back-off.
struct Requeue {
  // Look again after this time even if nothing changes; none = only when something does.
  std::optional<base::Duration> after;
};

using EnqueueKey = std::function<void(std::string key)>;
// Adds the keys that a change of a watched object concerns.
using MapFunction = std::function<void(const client::Change& change, const EnqueueKey& enqueue)>;

struct WatchSpec {
  client::Informer* informer;
  MapFunction map;
};

class Controller {
 public:
  virtual ~Controller() = default;
  virtual std::string_view name() const = 0;  // upstream's, e.g. "deployment-controller"
  virtual std::vector<WatchSpec> watches() = 0;
  virtual int workers() const { return 2; }
  // Keys to look at once the caches are filled, beside those that the watches give.
  virtual std::vector<std::string> initial_keys() { return {}; }
  // For keys that come from elsewhere than watches(): called once, before watches(). `enqueue` may be called until the
  // controller is gone, from any thread.
  virtual void attach(const EnqueueKey& enqueue) { (void)enqueue; }
  // Ends what the controller runs beside reconcile; no reconcile runs or follows.
  virtual void detach() {}
  virtual base::Result<Requeue> reconcile(const std::string& key) = 0;
};

// The usual maps: the object's own key; the key of its controlling owner of that kind.
MapFunction enqueue_self();
MapFunction enqueue_controller_owner(std::string_view owner_group, std::string_view owner_kind);

}  // namespace controllers
