#include "hollow/nodes.h"

#include <condition_variable>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/log.h"
#include "base/mutex.h"
#include "client/client.h"
#include "client/workqueue.h"
#include "hollow/node_objects.h"
#include "hollow/pod_plan.h"
#include "schema/metadata_view.h"

namespace hollow {
namespace {

using api::coordination::v1::Lease;
using api::core::v1::Node;
using api::core::v1::Pod;
using client::RawObject;

constexpr base::Duration kLeaseInterval = std::chrono::seconds(10);
constexpr base::Duration kStatusInterval = std::chrono::minutes(5);
constexpr base::Duration kRetry = std::chrono::seconds(1);
constexpr int kWorkers = 2;
constexpr uint32_t kSpec = 2, kNodeName = 10;  // wire numbers of a Pod

struct SimulatedNode {
  std::string name;
  std::shared_ptr<client::Transport> transport;
  std::vector<bool> slots;  // pod addresses in use
};

struct SimulatedPod {
  int node = 0;
  int slot = -1;  // of the address; -1 = none free
  std::string uid;
  base::WallTime seen;
  bool writing = false;  // a call is in flight; its answer brings the next look
};

}  // namespace

class HollowNodes::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(Options options, Dependencies dependencies)
      : options_(std::move(options)),
        dependencies_(std::move(dependencies)),
        pods_(dependencies_.informers->get<Pod>()) {
    for (int i = 0; i < options_.count; ++i) {
      const std::string name = node_name(options_, i);
      numbers_[name] = i;
      nodes_.push_back(
          {name, dependencies_.transport_for(name), std::vector<bool>(static_cast<size_t>(options_.pods))});
    }
  }

  void wire() {
    queue_ = std::make_unique<client::Workqueue>("hollow", dependencies_.executor, dependencies_.clock,
                                                 [weak = weak_from_this()] {
                                                   if (auto self = weak.lock()) self->wake();
                                                 });
    pods_.add_handler([weak = weak_from_this()](const client::Change& change) {
      if (auto self = weak.lock()) self->on_change(change);
    });
  }

  void start() {
    for (int i = 0; i < options_.count; ++i) register_node(i);
    schedule_renewal();
  }

  void stop() {
    base::UniqueLock lock(mutex_);
    stopped_ = true;
    idle_.wait(lock.native(), [this]() NO_THREAD_SAFETY_ANALYSIS { return running_ == 0; });
    queue_->stop();
  }

 private:
  // ---- nodes ----
  void register_node(int index) {
    if (is_stopped()) return;
    client::Call call;
    call.verb = client::Verb::kCreate;
    call.resource = &client::resource_of<Node>();
    call.body = client::encode_object(make_node(options_, index, dependencies_.clock->wall_now()));
    transport(index).call(std::move(call), [weak = weak_from_this(), index](base::Result<RawObject> result) {
      auto self = weak.lock();
      if (!self) return;
      if (!result && result.error().reason != base::Reason::kAlreadyExists) {
        base::log::warning("node not registered", {{"node", self->nodes_[static_cast<size_t>(index)].name},
                                                   {"error", result.error().message}});
        return self->later(kRetry, [index](Impl& impl) { impl.register_node(index); });
      }
      if (!result) return self->later({}, [index](Impl& impl) { impl.adopt_node(index); });
      if (auto node = client::decode_object<Node>(*result)) {
        self->later({}, [index, node = std::move(*node)](Impl& impl) { impl.create_lease(index, node); });
      }
    });
  }

  // A node of an earlier run: it reports anew.
  void adopt_node(int index) {
    patch_status(index);
    client::Call call;
    call.verb = client::Verb::kGet;
    call.resource = &client::resource_of<Node>();
    call.name = nodes_[static_cast<size_t>(index)].name;
    auto raw = transport(index).call_and_wait(std::move(call));
    if (!raw) return;
    if (auto node = client::decode_object<Node>(*raw)) create_lease(index, *node);
  }

  void create_lease(int index, const Node& node) {
    if (is_stopped()) return;
    client::Call call;
    call.verb = client::Verb::kCreate;
    call.resource = &client::resource_of<Lease>();
    call.ns = "kube-node-lease";
    call.body = client::encode_object(make_lease(node, dependencies_.clock->wall_now()));
    transport(index).call(std::move(call), [weak = weak_from_this(), index, node](base::Result<RawObject> result) {
      auto self = weak.lock();
      if (!self || result) return;
      if (result.error().reason == base::Reason::kAlreadyExists) return self->renew_lease(index);
      self->later(kRetry, [index, node](Impl& impl) { impl.create_lease(index, node); });
    });
  }

  void renew_lease(int index) {
    client::Call call;
    call.verb = client::Verb::kPatch;
    call.resource = &client::resource_of<Lease>();
    call.ns = "kube-node-lease";
    call.name = nodes_[static_cast<size_t>(index)].name;
    call.body = renew_patch(dependencies_.clock->wall_now());
    transport(index).call(std::move(call), [weak = weak_from_this(), index](base::Result<RawObject> result) {
      auto self = weak.lock();
      if (!self || result || result.error().reason != base::Reason::kNotFound) return;
      self->later({}, [index](Impl& impl) { impl.register_node(index); });
    });
  }

  void patch_status(int index) {
    client::Call call;
    call.verb = client::Verb::kPatch;
    call.resource = &client::resource_of<Node>("status");
    call.name = nodes_[static_cast<size_t>(index)].name;
    call.patch_type = client::PatchType::kStrategicMerge;
    call.body = status_patch(options_, dependencies_.clock->wall_now());
    transport(index).call(std::move(call), [](const base::Result<RawObject>&) {});
  }

  // All leases at once: they share one wait for the disk.
  void schedule_renewal() {
    later(kLeaseInterval, [](Impl& impl) {
      if (impl.is_stopped()) return;
      const bool report = ++impl.renewals_ % (kStatusInterval / kLeaseInterval) == 0;
      for (int i = 0; i < impl.options_.count; ++i) {
        impl.renew_lease(i);
        if (report) impl.patch_status(i);
      }
      impl.schedule_renewal();
    });
  }

  // ---- pods ----
  void on_change(const client::Change& change) {
    const RawObject& shown = change.after ? change.after : change.before;
    const auto name = schema::find_bytes(shown.payload(), {kSpec, kNodeName});
    if (!name || !numbers_.contains(std::string(*name))) return;
    queue_->add(client::to_string(change.key));
  }

  void wake() {
    {
      base::MutexLock lock(mutex_);
      if (stopped_ || active_ >= kWorkers) return;
      ++active_;
    }
    dependencies_.executor->post([self = shared_from_this()] { self->work(); });
  }

  void work() {
    for (;;) {
      std::optional<std::string> key;
      {
        base::MutexLock lock(mutex_);
        if (!stopped_) key = queue_->try_get();
        if (!key) {
          --active_;
          return;
        }
        ++running_;
      }
      sync(*key);
      queue_->done(*key);
      base::MutexLock lock(mutex_);
      --running_;
      idle_.notify_all();
    }
  }

  void sync(const std::string& key) {
    const RawObject raw = pods_.get(client::parse_key(key));
    auto pod = raw ? client::decode_object<Pod>(raw) : base::fail(base::Reason::kNotFound, "");
    PodSituation situation;
    situation.now = dependencies_.clock->wall_now();
    int node = 0;
    {
      base::MutexLock lock(mutex_);
      if (!pod) return forget(key);
      SimulatedPod* known = know(key, *pod, situation.now);
      if (!known || known->writing) return;
      node = known->node;
      situation.seen = known->seen;
      if (known->slot >= 0) situation.pod_ip = pod_address(options_, node, known->slot);
    }
    situation.pod = &*pod;
    situation.host_ip = host_address(node);
    PodPlan plan = plan_pod(situation, options_);
    if (plan.look_again) queue_->add_after(key, *plan.look_again);
    if (plan.action == PodAction::kNone) return;
    write(key, node, *pod, std::move(plan));
  }

  // The record of the pod, made on first sight. Null when its node is none of ours.
  SimulatedPod* know(const std::string& key, const Pod& pod, base::WallTime now) REQUIRES(mutex_) {
    const auto number = numbers_.find(pod.spec.node_name);
    if (number == numbers_.end()) return nullptr;
    const auto found = known_.find(key);
    if (found != known_.end() && found->second.uid == pod.metadata.uid) return &found->second;
    if (found != known_.end()) forget(key);
    SimulatedPod& known = known_[key];
    known.node = number->second;
    known.uid = pod.metadata.uid;
    known.seen = now;
    std::vector<bool>& slots = nodes_[static_cast<size_t>(known.node)].slots;
    // Compat: a pod keeps the address that it had before a restart of this program.
    for (size_t i = 0; i < slots.size() && known.slot < 0; ++i) {
      const bool wanted = pod.status.pod_ip.empty()
                              ? !slots[i]
                              : pod_address(options_, known.node, static_cast<int>(i)) == pod.status.pod_ip;
      if (wanted) known.slot = static_cast<int>(i);
    }
    if (known.slot >= 0) slots[static_cast<size_t>(known.slot)] = true;
    return &known;
  }

  void forget(const std::string& key) REQUIRES(mutex_) {
    const auto found = known_.find(key);
    if (found == known_.end()) return;
    if (found->second.slot >= 0) {
      nodes_[static_cast<size_t>(found->second.node)].slots[static_cast<size_t>(found->second.slot)] = false;
    }
    known_.erase(found);
  }

  void write(const std::string& key, int node, Pod& pod, PodPlan plan) {
    client::Call call;
    call.ns = pod.metadata.namespace_;
    call.name = pod.metadata.name;
    if (plan.action == PodAction::kDelete) {
      call.verb = client::Verb::kDelete;
      call.resource = &client::resource_of<Pod>();
      call.grace_period_seconds = 0;
      call.precondition_uid = pod.metadata.uid;
    } else {
      pod.status = std::move(plan.status);
      call.verb = client::Verb::kUpdate;
      call.resource = &client::resource_of<Pod>("status");
      call.body = client::encode_object(pod);
    }
    set_writing(key, true);
    transport(node).call(std::move(call), [weak = weak_from_this(), key](base::Result<RawObject> result) {
      auto self = weak.lock();
      if (!self) return;
      self->set_writing(key, false);
      // The cache may have shown the change while the answer was on its way: look again in any case.
      if (result || result.error().reason == base::Reason::kNotFound) {
        self->queue_->forget(key);
        return self->queue_->add(key);
      }
      self->queue_->add_rate_limited(key);
    });
  }

  void set_writing(const std::string& key, bool writing) {
    base::MutexLock lock(mutex_);
    if (const auto found = known_.find(key); found != known_.end()) found->second.writing = writing;
  }

  // ---- plumbing ----
  client::Transport& transport(int index) { return *nodes_[static_cast<size_t>(index)].transport; }
  bool is_stopped() const {
    base::MutexLock lock(mutex_);
    return stopped_;
  }
  template <typename Step>
  void later(base::Duration delay, Step step) {
    auto task = [weak = weak_from_this(), step = std::move(step)]() mutable {
      auto self = weak.lock();
      if (self && !self->is_stopped()) step(*self);
    };
    if (delay <= base::Duration::zero()) return dependencies_.executor->post(std::move(task));
    dependencies_.executor->post_after(delay, std::move(task));
  }

  const Options options_;
  const Dependencies dependencies_;
  client::Informer& pods_;
  std::unordered_map<std::string, int> numbers_;  // node name → index; fixed
  std::vector<SimulatedNode> nodes_;              // slots: under mutex_
  std::unique_ptr<client::Workqueue> queue_;
  int64_t renewals_ = 0;  // only the timer's chain touches it
  mutable base::Mutex mutex_;
  std::condition_variable idle_;
  std::unordered_map<std::string, SimulatedPod> known_ GUARDED_BY(mutex_);
  int active_ GUARDED_BY(mutex_) = 0;
  int running_ GUARDED_BY(mutex_) = 0;
  bool stopped_ GUARDED_BY(mutex_) = false;
};

HollowNodes::HollowNodes(Options options, Dependencies dependencies)
    : impl_(std::make_shared<Impl>(std::move(options), std::move(dependencies))) {
  impl_->wire();
}
HollowNodes::~HollowNodes() { stop(); }
void HollowNodes::start() { impl_->start(); }
void HollowNodes::stop() { impl_->stop(); }

}  // namespace hollow
