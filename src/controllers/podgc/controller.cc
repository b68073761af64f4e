#include "controllers/podgc/controller.h"

#include <algorithm>
#include <map>

#include "controllers/podgc/plan.h"
#include "controllers/runtime/call_batch.h"
#include "gen/core/v1.h"
#include "object/time.h"

namespace controllers::podgc {
namespace {

using api::core::v1::Node;
using api::core::v1::Pod;

constexpr const char* kSweep = "sweep";

class PodGarbageCollector final : public Controller {
 public:
  explicit PodGarbageCollector(const Dependencies& dependencies)
      : client_(dependencies.transport),
        clock_(dependencies.clock),
        pods_(dependencies.informers->get<Pod>()),
        nodes_(dependencies.informers->get<Node>()) {}

  std::string_view name() const override { return "pod-garbage-collector-controller"; }
  int workers() const override { return 1; }
  std::vector<WatchSpec> watches() override {
    const MapFunction none = [](const client::Change&, const EnqueueKey&) {};
    return {{&pods_, none}, {&nodes_, none}};
  }
  std::vector<std::string> initial_keys() override { return {kSweep}; }

  base::Result<Requeue> reconcile(const std::string&) override {
    const std::vector<PodView> pods = view_pods(pods_.list());
    quarantine(pods);
    const Plan todo = plan(pods, kTerminatedThreshold, [this](std::string_view node) { return is_gone(node); });
    for (const size_t at : todo.orphaned) mark_failed(pods[at]);
    CallBatch calls(client_.transport());
    for (const auto* list : {&todo.terminated, &todo.orphaned, &todo.unscheduled}) {
      for (const size_t at : *list) calls.add(delete_call(pods[at]));
    }
    for (const auto& result : calls.wait()) {
      if (!result && result.error().reason != base::Reason::kNotFound) return base::fail(result.error());
    }
    return Requeue{kPeriod};
  }

 private:
  // Notes since when nodes are missing.
  void quarantine(const std::vector<PodView>& pods) {
    const base::MonoTime now = clock_->mono_now();
    std::map<std::string, base::MonoTime, std::less<>> missing;
    for (const PodView& pod : pods) {
      if (pod.node.empty() || nodes_.get({"", std::string(pod.node)})) continue;
      const auto known = missing_.find(pod.node);
      missing.emplace(pod.node, known == missing_.end() ? now : known->second);
    }
    missing_ = std::move(missing);
  }

  // Missing for long enough, and the server says so too.
  bool is_gone(std::string_view node) const {
    const auto found = missing_.find(node);
    if (found == missing_.end() || clock_->mono_now() - found->second < kQuarantine) return false;
    const auto live = client_.get<Node>("", node);
    return !live && live.error().reason == base::Reason::kNotFound;
  }

  void mark_failed(const PodView& view) {
    if (view.terminal()) return;
    auto pod = client::decode_object<Pod>(view.raw);
    if (!pod) return;
    pod->status.phase = "Failed";
    auto& condition = pod->status.conditions.emplace_back();
    condition.type = "DisruptionTarget";
    condition.status = "True";
    condition.reason = "DeletionByPodGC";
    condition.message = "PodGC: node no longer exists";
    condition.last_transition_time = object::to_time(clock_->wall_now());
    condition.observed_generation = pod->metadata.generation;
    (void)client_.update_status(*pod);  // the deletion that follows is what matters
  }

  static client::Call delete_call(const PodView& pod) {
    client::Call call;
    call.verb = client::Verb::kDelete;
    call.resource = &client::resource_of<Pod>();
    call.ns = pod.metadata.namespace_;
    call.name = pod.metadata.name;
    call.grace_period_seconds = 0;
    call.precondition_uid = pod.metadata.uid;
    return call;
  }

  const client::Client client_;
  base::Clock* const clock_;
  client::Informer& pods_;
  client::Informer& nodes_;
  std::map<std::string, base::MonoTime, std::less<>> missing_;  // only the one worker touches it
};

}  // namespace

std::unique_ptr<Controller> make_controller(const Dependencies& dependencies) {
  return std::make_unique<PodGarbageCollector>(dependencies);
}

}  // namespace controllers::podgc
