#include "scheduler/scheduler.h"

#include <utility>

#include "api/label_selector.h"
#include "base/check.h"
#include "gen/apps/v1.h"
#include "gen/codec.h"
#include "gen/core/v1.h"
#include "gen/policy/v1.h"
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

// Calls `apply(key, info)` for every change of the resource; nothing for a deletion and for what cannot be read.
template <typename T, typename Read, typename Apply>
void watch_decoded(client::InformerFactory& informers, Read read, Apply apply) {
  informers.get<T>().add_handler([read, apply](const Change& change) {
    std::optional<decltype(read(std::declval<const T&>()))> info;
    if (change.after) {
      if (auto object = client::decode_object<T>(change.after)) info = read(*object);
    }
    apply(change.key, std::move(info));
  });
}

AttachmentInfo attachment_info(const api::storage::v1::VolumeAttachment& attachment) {
  return {attachment.spec.node_name, attachment.spec.attacher,
          attachment.spec.source.persistent_volume_name.value_or("")};
}

// Compat: here, unlike for evictions, an empty selector matches nothing.
BudgetInfo budget_info(const api::policy::v1::PodDisruptionBudget& budget) {
  BudgetInfo info{object::LabelSelector::nothing(), budget.status.disruptions_allowed, {}};
  if (budget.spec.selector && !api::empty(*budget.spec.selector)) {
    if (auto selector = api::to_selector(*budget.spec.selector)) info.selector = *std::move(selector);
  }
  for (const auto& [pod, time] : budget.status.disrupted_pods) info.disrupted.push_back(pod);
  return info;
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
  using client::ObjectKey;
  namespace storage = api::storage::v1;
  auto loop = loop_;
  watch_decoded<api::core::v1::PersistentVolumeClaim>(informers_, claim_info, [loop](const ObjectKey& key, auto info) {
    loop->claim_changed(key.ns, key.name, std::move(info));
  });
  watch_decoded<api::core::v1::PersistentVolume>(informers_, volume_info, [loop](const ObjectKey& key, auto info) {
    loop->volume_changed(key.name, std::move(info));
  });
  watch_decoded<storage::StorageClass>(informers_, storage_class_info, [loop](const ObjectKey& key, auto info) {
    loop->storage_class_changed(key.name, std::move(info));
  });
  watch_decoded<storage::CSINode>(informers_, volume_limits, [loop](const ObjectKey& key, auto info) {
    loop->volume_limits_changed(key.name, std::move(info));
  });
  const auto tracks_capacity = [](const storage::CSIDriver& driver) {
    return driver.spec.storage_capacity.value_or(false);
  };
  watch_decoded<storage::CSIDriver>(informers_, tracks_capacity, [loop](const ObjectKey& key, auto info) {
    loop->driver_changed(key.name, std::move(info));
  });
  watch_decoded<storage::CSIStorageCapacity>(informers_, storage_capacity_info,
                                             [loop](const ObjectKey& key, auto info) {
                                               loop->storage_capacity_changed(client::to_string(key), std::move(info));
                                             });
  watch_decoded<storage::VolumeAttachment>(informers_, attachment_info, [loop](const ObjectKey& key, auto info) {
    loop->attachment_changed(key.name, std::move(info));
  });
  watch_decoded<api::policy::v1::PodDisruptionBudget>(informers_, budget_info, [loop](const ObjectKey& key, auto info) {
    loop->budget_changed(key.ns, key.name, std::move(info));
  });
}

void Scheduler::start() {
  informers_.when_all_synced([loop = loop_] { loop->begin(); });
}

void Scheduler::stop() { loop_->stop(); }

LoopStats Scheduler::stats() const { return loop_->stats(); }

}  // namespace scheduler
