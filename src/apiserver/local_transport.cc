#include "apiserver/local_transport.h"

#include <mutex>
#include <utility>

#include "apiserver/core.h"
#include "apiserver/crd/custom_endpoints.h"
#include "apiserver/crd/custom_resource.h"
#include "apiserver/list_plan.h"
#include "apiserver/pipeline.h"
#include "apiserver/verbs/verbs.h"
#include "apiserver/watch/hub.h"
#include "object/status.h"
#include "storage/keys.h"
#include "storage/stored_object.h"

namespace apiserver {
namespace {

using client::Verb;

std::string_view verb_name(Verb verb) {
  switch (verb) {
    case Verb::kGet:
      return "get";
    case Verb::kCreate:
      return "create";
    case Verb::kUpdate:
      return "update";
    case Verb::kPatch:
      return "patch";
    case Verb::kDelete:
      return "delete";
    case Verb::kDeleteCollection:
      break;
  }
  return "deletecollection";
}

// Payload and revision of a stored value, without copying it.
base::Result<client::RawObject> raw_object(const kv::KeyValueRef& kv, int64_t revision) {
  TRY_ASSIGN(storage::StoredObject stored, storage::open_stored(kv));
  client::RawObject raw;
  raw.bytes = kv->value;
  raw.offset = static_cast<uint32_t>(stored.raw.data() - kv->value.view().data());
  raw.size = static_cast<uint32_t>(stored.raw.size());
  raw.revision = revision;
  return raw;
}

client::RawObject answer_object(const Answer& answer) {
  client::RawObject raw;
  if (!answer.message || answer.raw.empty()) return raw;
  raw.bytes = base::SharedBytes(answer.raw);
  raw.size = static_cast<uint32_t>(answer.raw.size());
  raw.revision = answer.revision;
  return raw;
}

std::string_view propagation_name(client::Propagation propagation) {
  switch (propagation) {
    case client::Propagation::kOrphan:
      return "Orphan";
    case client::Propagation::kForeground:
      return "Foreground";
    case client::Propagation::kBackground:
    case client::Propagation::kUnset:
      break;
  }
  return "Background";
}

void fill_context(RequestContext& context, const client::Call& call) {
  context.info.is_resource = true;
  context.info.verb = verb_name(call.verb);
  context.info.group = call.resource->group;
  context.info.version = call.resource->version;
  context.info.resource = call.resource->name;
  context.info.subresource = call.resource->subresource;
  context.info.ns = call.resource->name == "namespaces" ? call.name : call.ns;
  context.info.name = call.name;
  context.body = call.body;
  context.body_type = call.verb == Verb::kPatch ? MediaType::kJson : MediaType::kRawProtobuf;
  context.patch_type = call.patch_type;
}

base::Result<Answer> run_delete(RequestContext& context, const client::Call& call) {
  DeleteOptions options;
  options.grace_period_seconds = call.grace_period_seconds;
  options.propagation = call.propagation;
  options.has_precondition_uid = !call.precondition_uid.empty();
  options.precondition_uid = call.precondition_uid;
  options.has_precondition_resource_version = call.precondition_revision.has_value();
  if (call.precondition_revision) options.precondition_resource_version = std::to_string(*call.precondition_revision);
  return delete_object(context, *context.endpoint, call.name, options);
}

// Deletes what the selectors match; the answer waits for the last of it.
base::Result<Answer> run_delete_collection(RequestContext& context, const client::Call& call) {
  ListOptions options;
  TRY_ASSIGN(options.labels, object::LabelSelector::parse(call.label_selector));
  TRY_ASSIGN(options.fields, object::FieldSelector::parse(call.field_selector));
  TRY_ASSIGN(ListPlan plan, plan_list(*context.core, *context.endpoint, call.ns, options));
  DeleteOptions remove;
  remove.propagation = call.propagation;
  remove.grace_period_seconds = call.grace_period_seconds;
  Answer answer;
  answer.success = base::ErrorDetails{};
  for (const kv::KeyValueRef& kv : plan.items) {
    const storage::KeyParts key = storage::split_key(context.endpoint->prefix(), kv->key.view());
    context.info.ns = key.ns;
    auto deleted = delete_object(context, *context.endpoint, std::string(key.name), remove);
    if (!deleted && deleted.error().reason != base::Reason::kNotFound) return deleted;
    if (deleted && deleted->ticket) answer.ticket = deleted->ticket;
  }
  return answer;
}

class LocalWatcher final : public Watcher {
 public:
  explicit LocalWatcher(client::WatchReceiver* receiver) : receiver_(receiver) {}

  void on_item(const WatchItem& item) override {
    auto raw = raw_object(item.object, item.revision);
    if (!raw) return on_end(raw.error());
    client::WatchEvent event;
    event.type = item.type == EventType::kAdded      ? client::WatchType::kAdded
                 : item.type == EventType::kModified ? client::WatchType::kModified
                                                     : client::WatchType::kDeleted;
    event.object = std::move(*raw);
    event.revision = item.revision;
    std::scoped_lock lock(mutex_);
    if (receiver_) receiver_->on_event(event);
  }
  void on_bookmark(int64_t revision) override {
    std::scoped_lock lock(mutex_);
    if (receiver_) receiver_->on_event({client::WatchType::kBookmark, {}, revision});
  }
  void on_end(const base::Error& error) override {
    std::scoped_lock lock(mutex_);
    if (client::WatchReceiver* receiver = std::exchange(receiver_, nullptr)) receiver->on_end(error);
  }
  // The definition has changed or gone: watching on finds out which; nothing has to be listed.
  void on_gone() override { on_end({base::Reason::kTimeout, "the resource's definition has changed"}); }
  void detach() {
    std::scoped_lock lock(mutex_);
    receiver_ = nullptr;
  }

 private:
  // Held while the receiver is called, so that detach() waits for it; recursive, for a receiver that drops its handle.
  std::recursive_mutex mutex_;
  client::WatchReceiver* receiver_;
};

class LocalHandle final : public client::WatchHandle {
 public:
  LocalHandle(std::shared_ptr<LocalWatcher> watcher, std::unique_ptr<Subscription> subscription)
      : watcher_(std::move(watcher)), subscription_(std::move(subscription)) {}
  ~LocalHandle() override {
    subscription_.reset();
    watcher_->detach();
  }

 private:
  std::shared_ptr<LocalWatcher> watcher_;
  std::unique_ptr<Subscription> subscription_;
};

}  // namespace

void LocalTransport::call(client::Call call, client::Callback done) {
  RequestContext context;
  context.core = core_;
  context.origin = Origin::kInProcess;
  context.user = user_;
  context.now = core_->clock().wall_now();
  context.endpoint_owner = core_->endpoints().lookup_any(call.resource->group, call.resource->version,
                                                         call.resource->name, call.resource->subresource);
  context.endpoint = context.endpoint_owner.get();
  if (!context.endpoint)
    return done(base::fail({base::Reason::kNotFound, "the server could not find the requested resource", {}}));
  fill_context(context, call);
  context.query.set("fieldManager", call.field_manager.empty() ? field_manager_ : call.field_manager);
  if (call.propagation != client::Propagation::kUnset)
    context.query.set("propagationPolicy", std::string(propagation_name(call.propagation)));
  auto answer = call.verb == Verb::kDelete             ? run_delete(context, call)
                : call.verb == Verb::kDeleteCollection ? run_delete_collection(context, call)
                                                       : serve_in_process(context);
  if (!answer) return done(base::fail(std::move(answer).error()));
  client::RawObject object = answer_object(*answer);
  if (!answer->ticket) return done(std::move(object));
  core_->store().when_durable(*answer->ticket, [object = std::move(object), done = std::move(done),
                                                held = std::move(answer->held)](base::Result<void> durable) mutable {
    held.reset();  // before whoever asked goes on
    if (!durable) return done(base::fail(durable.error()));
    done(std::move(object));
  });
}

base::Result<client::ListResult> LocalTransport::list(const client::ListCall& call) {
  const EndpointPtr endpoint =
      core_->endpoints().lookup_any(call.resource->group, call.resource->version, call.resource->name, "");
  if (!endpoint) return base::fail(base::Reason::kNotFound, "no such resource");
  ListOptions options;
  TRY_ASSIGN(options.labels, object::LabelSelector::parse(call.label_selector));
  TRY_ASSIGN(options.fields, object::FieldSelector::parse(call.field_selector));
  TRY_ASSIGN(ListPlan plan, plan_list(*core_, *endpoint, call.ns, options));
  client::ListResult result;
  result.revision = plan.revision;
  result.items.reserve(plan.items.size());
  for (const kv::KeyValueRef& kv : plan.items) {
    TRY_ASSIGN(client::RawObject raw, raw_object(kv, kv->mod_revision));
    result.items.push_back(std::move(raw));
  }
  return result;
}

base::Result<std::unique_ptr<client::WatchHandle>> LocalTransport::watch(const client::ListCall& call, int64_t revision,
                                                                         client::WatchReceiver* receiver) {
  const EndpointPtr endpoint =
      core_->endpoints().lookup_any(call.resource->group, call.resource->version, call.resource->name, "");
  if (!endpoint) return base::fail(base::Reason::kNotFound, "no such resource");
  ListOptions options;
  TRY_ASSIGN(options.labels, object::LabelSelector::parse(call.label_selector));
  TRY_ASSIGN(options.fields, object::FieldSelector::parse(call.field_selector));
  TRY_ASSIGN(Selection selection, Selection::compile(*endpoint, options));
  auto watcher = std::make_shared<LocalWatcher>(receiver);
  TRY_ASSIGN(auto subscription,
             core_->watches().watch(*endpoint, WatchScope{call.ns, std::move(selection)}, revision, watcher));
  return std::make_unique<LocalHandle>(std::move(watcher), std::move(subscription));
}

base::Result<std::vector<std::shared_ptr<const schema::Resource>>> LocalTransport::custom_resources() {
  std::vector<std::shared_ptr<const schema::Resource>> rows;
  const CustomEndpoints& custom = core_->endpoints().custom();
  for (const std::string& group : custom.groups()) {
    const std::vector<std::string> versions = custom.versions(group);
    for (CustomResourcePtr& resource : custom.resources(group)) {
      for (const std::string& version : versions) {
        const Endpoint* endpoint = resource->endpoint(version, "");
        if (!endpoint) continue;
        rows.emplace_back(resource, endpoint->resource);
        break;
      }
    }
  }
  return rows;
}

bool LocalTransport::serves(const schema::Resource& resource) const {
  return core_->endpoints().find(resource.group, resource.version, resource.name, "") != nullptr;
}

}  // namespace apiserver
