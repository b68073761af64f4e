#include "apiserver/upkeep/status_keeper.h"

#include <array>

#include "apiserver/core.h"
#include "apiserver/local_transport.h"
#include "apiserver/upkeep/conditions.h"
#include "base/check.h"
#include "base/log.h"
#include "base/mutex.h"
#include "gen/catalogue.h"
#include "gen/codec.h"
#include "object/json.h"
#include "object/time.h"
#include "schema/metadata_view.h"

namespace apiserver {
namespace {

using ::api::apiregistration::v1::APIService;
using ::api::flowcontrol::v1::FlowSchema;
using upkeep::Found;

constexpr std::string_view kFlowGroup = "flowcontrol.apiserver.k8s.io", kApiGroup = "apiregistration.k8s.io";
constexpr std::string_view kFlowManager = "api-priority-and-fairness-config-consumer-v1";

const schema::Resource& row(std::string_view group, std::string_view resource, std::string_view subresource) {
  const schema::Resource* found = gen::find_resource(group, "v1", resource, subresource);
  CHECK(found != nullptr);
  return *found;
}

std::string dangling_config(const std::string& name, const ::api::flowcontrol::v1::FlowSchemaCondition& condition) {
  object::Object item, metadata, status, config;
  item.append("type", condition.type);
  item.append("status", condition.status);
  item.append("lastTransitionTime", object::format_time(condition.last_transition_time));
  item.append("reason", condition.reason);
  item.append("message", condition.message);
  metadata.append("name", name);
  object::Array conditions;
  conditions.emplace_back(std::move(item));
  status.append("conditions", std::move(conditions));
  config.append("apiVersion", "flowcontrol.apiserver.k8s.io/v1");
  config.append("kind", "FlowSchema");
  config.append("metadata", std::move(metadata));
  config.append("status", std::move(status));
  return object::to_json(object::Value(std::move(config)));
}

void report(std::string_view what, const base::Result<client::RawObject>& result) {
  if (result || result.error().reason == base::Reason::kNotFound) return;
  base::log::warning("a condition was not written", {{"object", what}, {"error", result.error().message}});
}

}  // namespace

class StatusKeeper::Impl : public std::enable_shared_from_this<Impl> {
 public:
  explicit Impl(Core& core)
      : core_(core), transport_(&core, User{"system:apiserver", "", {"system:masters"}}, "kube-apiserver") {}

  base::Result<void> start() {
    const auto self = weak_from_this();
    const auto each = [self](void (Impl::*check)(const std::string&)) {
      return [self, check](const client::WatchEvent&, std::string name) {
        if (auto impl = self.lock()) impl->post([impl, check, name = std::move(name)] { (impl.get()->*check)(name); });
      };
    };
    const auto all = [self](void (Impl::*check)()) {
      return [self, check](const client::WatchEvent& event, const std::string&) {
        if (event.type == client::WatchType::kModified) return;
        if (auto impl = self.lock()) impl->post([impl, check] { (impl.get()->*check)(); });
      };
    };
    TRY(followers_[0].start(transport_, row(kFlowGroup, "flowschemas", ""), each(&Impl::check_schema)));
    TRY(followers_[1].start(transport_, row(kFlowGroup, "prioritylevelconfigurations", ""), all(&Impl::check_schemas)));
    TRY(followers_[2].start(transport_, row(kApiGroup, "apiservices", ""), each(&Impl::check_api_service)));
    TRY(followers_[3].start(transport_, row("", "services", ""), all(&Impl::check_api_services)));
    post([impl = shared_from_this()] {
      impl->check_schemas();
      impl->check_api_services();
    });
    return {};
  }

  void stop() {
    for (Follower& follower : followers_) follower.stop();
    base::MutexLock lock(mutex_);
    stopped_ = true;
  }

 private:
  using OnChange = std::function<void(const client::WatchEvent&, std::string name)>;

  // One watch. When it ends before its time, what it followed is judged no more until a restart.
  class Follower final : public client::WatchReceiver {
   public:
    base::Result<void> start(LocalTransport& transport, const schema::Resource& resource, OnChange on_change) {
      on_change_ = std::move(on_change);
      client::ListCall call;
      call.resource = &resource;
      TRY_ASSIGN(const client::ListResult now, transport.list(call));
      TRY_ASSIGN(watch_, transport.watch(call, now.revision, this));
      return {};
    }
    void stop() { watch_.reset(); }
    void on_event(const client::WatchEvent& event) override {
      auto view = schema::view_metadata(event.object.payload());
      if (view) on_change_(event, std::string(view->name));
    }
    void on_end(const base::Error& error) override {
      base::log::warning("upkeep of conditions has lost its watch", {{"error", error.message}});
    }

   private:
    OnChange on_change_;
    std::unique_ptr<client::WatchHandle> watch_;
  };

  void post(base::Task task) {
    core_.pool().post([impl = shared_from_this(), task = std::move(task)]() mutable {
      base::MutexLock lock(impl->mutex_);
      if (!impl->stopped_) task();
    });
  }

  Found found(std::string_view group, std::string_view resource, std::string_view ns, std::string_view name) const {
    return core_.get(group, resource, ns, name) ? Found::kYes : Found::kNo;
  }

  void check_schema(const std::string& name) {
    const auto raw = core_.get(kFlowGroup, "flowschemas", "", name);
    if (!raw) return;
    const auto schema = gen::decode<FlowSchema>(*raw);
    if (!schema) return;
    const Found level =
        found(kFlowGroup, "prioritylevelconfigurations", "", schema->spec.priority_level_configuration.name);
    const auto condition = upkeep::dangling(*schema, level, core_.clock().wall_now());
    if (!condition) return;
    client::Call call;
    call.verb = client::Verb::kPatch;
    call.patch_type = client::PatchType::kApply;
    call.resource = &row(kFlowGroup, "flowschemas", "status");
    call.name = name;
    call.field_manager = kFlowManager;
    call.body = dangling_config(name, *condition);
    transport_.call(std::move(call), [name](base::Result<client::RawObject> result) { report(name, result); });
  }

  void check_api_service(const std::string& name) {
    const auto raw = core_.get(kApiGroup, "apiservices", "", name);
    if (!raw) return;
    auto object = gen::decode<APIService>(*raw);
    if (!object || !object->spec.service) return;
    const auto& service = *object->spec.service;
    const auto condition =
        upkeep::available(*object, found("", "services", service.namespace_, service.name), core_.clock().wall_now());
    if (!condition) return;
    auto& conditions = object->status.conditions;
    std::erase_if(conditions, [&](const auto& old) { return old.type == condition->type; });
    conditions.push_back(*condition);
    client::Call call;
    call.verb = client::Verb::kUpdate;
    call.resource = &row(kApiGroup, "apiservices", "status");
    call.name = name;
    call.body = gen::encode(*object);
    transport_.call(std::move(call), [name](base::Result<client::RawObject> result) { report(name, result); });
  }

  std::vector<std::string> names(std::string_view group, std::string_view resource) const {
    std::vector<std::string> out;
    core_.each(group, resource, "", [&](std::string_view name, std::string_view) { out.emplace_back(name); });
    return out;
  }
  void check_schemas() {
    for (const std::string& name : names(kFlowGroup, "flowschemas")) check_schema(name);
  }
  void check_api_services() {
    for (const std::string& name : names(kApiGroup, "apiservices")) check_api_service(name);
  }

  Core& core_;
  LocalTransport transport_;
  std::array<Follower, 4> followers_;
  base::Mutex mutex_;
  bool stopped_ GUARDED_BY(mutex_) = false;
};

StatusKeeper::StatusKeeper(Core& core) : impl_(std::make_shared<Impl>(core)) {}
StatusKeeper::~StatusKeeper() { impl_->stop(); }
base::Result<void> StatusKeeper::start() { return impl_->start(); }

}  // namespace apiserver
