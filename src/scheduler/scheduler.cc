#include "scheduler/scheduler.h"

#include <utility>

#include "api/label_selector.h"
#include "base/check.h"
#include "gen/apps/v1.h"
#include "gen/codec.h"
#include "gen/core/v1.h"
#include "gen/storage/v1.h"
#include "schema/metadata_view.h"

namespace scheduler {
namespace {

using client::Change;

const schema::Resource& resource(std::string_view group, std::string_view name) {
  const schema::Resource* found = gen::find_resource(group, "v1", name, "");
  CHECK(found);
  return *found;
}

std::optional<object::LabelSelector> to_optional(base::Result<object::LabelSelector> selector) {
  if (!selector) return std::nullopt;
  return *std::move(selector);
}

// Calls `apply(key, selector)` for every change of the resource.
template <typename T, typename Apply>
client::ChangeHandler selector_handler(Apply apply) {
  return [apply](const Change& change) {
    std::optional<object::LabelSelector> selector;
    if (change.after) {
      if (auto object = gen::decode<T>(change.after.payload())) {
        if constexpr (requires { api::to_selector(object->spec.selector); }) {
          selector = to_optional(api::to_selector(object->spec.selector));
        } else if (object->spec) {
          selector = to_optional(api::to_selector(object->spec->selector));
        }
      }
    }
    apply(change.key, std::move(selector));
  };
}

ClaimInfo to_claim(const api::core::v1::PersistentVolumeClaim& claim) {
  using State = ClaimInfo::State;
  ClaimInfo result{State::kUnbound, claim.spec.volume_name, claim.spec.storage_class_name.value_or("")};
  // Compat: bound is what the volume controller has marked as completely bound.
  if (!claim.spec.volume_name.empty() && claim.metadata.annotations.contains("pv.kubernetes.io/bind-completed")) {
    result.state = State::kBound;
  }
  if (claim.status.phase == "Lost") result.state = State::kLost;
  if (claim.metadata.deletion_timestamp) result.state = State::kDeleting;
  return result;
}

}  // namespace

Scheduler::Scheduler(SchedulerDependencies dependencies)
    : informers_(*dependencies.informers),
      loop_(std::make_shared<SchedulingLoop>(LoopDependencies{std::move(dependencies.transport), dependencies.clock,
                                                              dependencies.rng, dependencies.executor,
                                                              "default-scheduler", std::move(dependencies.host)})) {
  watch();
  watch_volumes();
}

Scheduler::~Scheduler() { stop(); }

void Scheduler::watch() {
  auto loop = loop_;
  informers_.get(resource("", "nodes")).add_handler([loop](const Change& change) {
    loop->node_changed(change.before, change.after);
  });
  informers_.get(resource("", "pods")).add_handler([loop](const Change& change) {
    loop->pod_changed(change.before, change.after);
  });
  informers_.get(resource("", "namespaces")).add_handler([loop](const Change& change) {
    if (!change.after) return loop->namespace_changed(change.key.name, std::nullopt);
    StringPairs labels;
    if (auto metadata = schema::view_metadata(change.after.payload())) {
      for (auto [key, value] : metadata->labels) labels.emplace_back(key, value);
    }
    loop->namespace_changed(change.key.name, std::move(labels));
  });
  informers_.get(resource("", "services"))
      .add_handler(selector_handler<api::core::v1::Service>([loop](const client::ObjectKey& key, auto selector) {
        loop->service_changed(key.ns, key.name, std::move(selector));
      }));
  auto workload = [loop](std::string kind) {
    return [loop, kind](const client::ObjectKey& key, std::optional<object::LabelSelector> selector) {
      loop->workload_changed(key.ns, kind, key.name, std::move(selector));
    };
  };
  informers_.get(resource("", "replicationcontrollers"))
      .add_handler(selector_handler<api::core::v1::ReplicationController>(workload("ReplicationController")));
  informers_.get(resource("apps", "replicasets"))
      .add_handler(selector_handler<api::apps::v1::ReplicaSet>(workload("ReplicaSet")));
  informers_.get(resource("apps", "statefulsets"))
      .add_handler(selector_handler<api::apps::v1::StatefulSet>(workload("StatefulSet")));
}

void Scheduler::watch_volumes() {
  auto loop = loop_;
  informers_.get(resource("", "persistentvolumeclaims")).add_handler([loop](const Change& change) {
    std::optional<ClaimInfo> claim;
    if (change.after) {
      auto object = gen::decode<api::core::v1::PersistentVolumeClaim>(change.after.payload());
      if (object) claim = to_claim(*object);
    }
    loop->claim_changed(change.key.ns, change.key.name, std::move(claim));
  });
  informers_.get(resource("storage.k8s.io", "storageclasses")).add_handler([loop](const Change& change) {
    std::optional<BindingMode> mode;
    if (change.after) {
      auto object = gen::decode<api::storage::v1::StorageClass>(change.after.payload());
      bool waits = object && object->volume_binding_mode == "WaitForFirstConsumer";
      mode = waits ? BindingMode::kWaitForFirstConsumer : BindingMode::kImmediate;
    }
    loop->storage_class_changed(change.key.name, mode);
  });
}

void Scheduler::start() {
  informers_.when_all_synced([loop = loop_] { loop->begin(); });
}

void Scheduler::stop() { loop_->stop(); }

LoopStats Scheduler::stats() const { return loop_->stats(); }

}  // namespace scheduler
