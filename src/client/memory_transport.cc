#include "client/memory_transport.h"

#include <utility>

#include "base/check.h"
#include "gen/catalogue.h"
#include "object/json.h"
#include "object/selector.h"
#include "object/time.h"
#include "schema/patch/merge_patch.h"
#include "schema/proto_value.h"

namespace client {
namespace {

using object::Value;

const schema::Resource& main_resource(const schema::Resource& resource) {
  if (resource.subresource.empty()) return resource;
  const schema::Resource* main = gen::find_resource(resource.group, resource.version, resource.name, "");
  CHECK(main != nullptr);
  return *main;
}

const schema::Message& message_of(const schema::Resource& resource) {
  const schema::Kind* kind = gen::find_kind(resource.group, resource.version, resource.kind);
  CHECK(kind != nullptr);
  return *kind->message;
}

object::Object& member(Value& value, std::string_view name) {
  if (!value.is_object()) value = object::Object();
  Value& inner = (*value.object_if())[name];
  if (!inner.is_object()) inner = object::Object();
  return *inner.object_if();
}

bool non_empty_list(const Value& value, std::initializer_list<std::string_view> path) {
  const Value* found = value.at_path(path);
  return found && found->array_if() && !found->array_if()->empty();
}

void add_finalizer(Value& object, std::string_view name) {
  Value& list = member(object, "metadata")["finalizers"];
  if (!list.is_array()) list = object::Array();
  list.array_if()->push_back(Value(name));
}

base::Result<RawObject> not_found(const schema::Resource& resource, const std::string& name) {
  return base::fail(
      {base::Reason::kNotFound, std::string(resource.name) + " \"" + name + "\" not found", {.name = name}});
}

}  // namespace

class MemoryTransport::Handle final : public WatchHandle {
 public:
  explicit Handle(MemoryTransport* owner) : owner_(owner) {}
  ~Handle() override {
    std::scoped_lock lock(owner_->mutex_);
    owner_->watches_.erase(this);
  }

 private:
  MemoryTransport* const owner_;
};

void MemoryTransport::call(Call call, Callback done) {
  base::Result<RawObject> result;
  {
    std::scoped_lock lock(mutex_);
    ++counts_[call.verb];
    result = run(call);
  }
  done(std::move(result));
}

base::Result<RawObject> MemoryTransport::run(const Call& call) {
  const schema::Resource& resource = main_resource(*call.resource);
  for (Failure& failure : failures_) {
    if (failure.count > 0 && failure.verb == call.verb && failure.resource == resource.name) {
      --failure.count;
      return base::fail(failure.error);
    }
  }
  switch (call.verb) {
    case Verb::kGet: {
      const auto& objects = objects_[&resource];
      const auto found = objects.find({call.ns, call.name});
      if (found == objects.end()) return not_found(resource, call.name);
      return found->second;
    }
    case Verb::kCreate:
      return create(resource, call);
    case Verb::kUpdate:
    case Verb::kPatch:
      return change(resource, call);
    case Verb::kDelete:
      return remove(resource, call);
    case Verb::kDeleteCollection:
      break;
  }
  std::vector<ObjectKey> keys;
  for (const auto& [key, object] : objects_[&resource]) {
    if (key.ns == call.ns) keys.push_back(key);
  }
  for (const ObjectKey& key : keys) {
    Call one = call;
    one.name = key.name;
    (void)remove(resource, one);
  }
  return RawObject();
}

base::Result<RawObject> MemoryTransport::create(const schema::Resource& resource, const Call& call) {
  if (call.resource->subresource == "binding") {
    TRY_ASSIGN(Value binding, schema::decode_value(*gen::find_message("core.v1", "Binding"), call.body));
    const auto found = objects_[&resource].find({call.ns, call.name});
    if (found == objects_[&resource].end()) return not_found(resource, call.name);
    TRY_ASSIGN(Value pod, schema::decode_value(message_of(resource), found->second.payload()));
    member(pod, "spec").set("nodeName", Value(binding.string_at({"target", "name"})));
    return store(resource, found->first, std::move(pod));
  }
  TRY_ASSIGN(Value value, schema::decode_value(message_of(resource), call.body));
  object::Object& metadata = member(value, "metadata");
  std::string name(value.string_at({"metadata", "name"}));
  const std::string uid = "uid-" + std::to_string(next_uid_++);
  if (name.empty()) name = std::string(value.string_at({"metadata", "generateName"})) + std::to_string(next_uid_);
  const ObjectKey key{resource.namespaced ? call.ns : "", name};
  if (objects_[&resource].contains(key)) {
    return base::fail(base::Reason::kAlreadyExists, std::string(resource.name) + " \"" + name + "\" already exists");
  }
  metadata.set("name", Value(name));
  if (resource.namespaced) metadata.set("namespace", Value(call.ns));
  if (value.string_at({"metadata", "uid"}).empty()) metadata.set("uid", Value(uid));
  metadata.set("generation", Value(1));
  metadata.set("creationTimestamp", Value(object::format_time(object::to_time(clock_->wall_now()))));
  return store(resource, key, std::move(value));
}

base::Result<RawObject> MemoryTransport::change(const schema::Resource& resource, const Call& call) {
  const ObjectKey key{call.ns, call.name};
  const auto found = objects_[&resource].find(key);
  if (found == objects_[&resource].end()) return not_found(resource, call.name);
  TRY_ASSIGN(Value old, schema::decode_value(message_of(resource), found->second.payload()));
  Value value;
  if (call.verb == Verb::kPatch) {
    TRY_ASSIGN(Value patch, object::parse_json(call.body));
    TRY_ASSIGN(value, schema::apply_merge_patch(old, patch));
  } else {
    TRY_ASSIGN(value, schema::decode_value(message_of(resource), call.body));
  }
  const std::string given(value.string_at({"metadata", "resourceVersion"}));
  if (!given.empty() && given != std::to_string(found->second.revision)) {
    return base::fail(base::Reason::kConflict, "Operation cannot be fulfilled on " + std::string(resource.name) +
                                                   " \"" + call.name + "\": the object has been modified");
  }
  if (const Value* uid = value.at_path({"metadata", "uid"});
      uid && !(*uid == Value(old.string_at({"metadata", "uid"})))) {
    return base::fail(base::Reason::kConflict, "uid mismatch");
  }
  if (call.resource->subresource == "status") {
    Value status = value.find("status") ? *value.find("status") : Value();
    const Value* annotations = value.at_path({"metadata", "annotations"});
    Value changed = old;
    if (annotations) member(changed, "metadata").set("annotations", *annotations);
    changed.object_if()->set("status", std::move(status));
    value = std::move(changed);
  } else if (gen::find_resource(resource.group, resource.version, resource.name, "status") &&
             call.resource->subresource.empty()) {
    const Value* status = old.find("status");
    if (status)
      value.object_if()->set("status", *status);
    else
      value.object_if()->erase("status");
    const Value* spec = value.find("spec");
    const Value* old_spec = old.find("spec");
    if (spec && old_spec && !(*spec == *old_spec)) {
      const Value* generation = old.at_path({"metadata", "generation"});
      member(value, "metadata")
          .set("generation", Value((generation && generation->int_if() ? *generation->int_if() : 1) + 1));
    }
  }
  const bool deleting = value.at_path({"metadata", "deletionTimestamp"}) != nullptr;
  const bool held = non_empty_list(value, {"metadata", "finalizers"}) || non_empty_list(value, {"spec", "finalizers"});
  const Value* grace = value.at_path({"metadata", "deletionGracePeriodSeconds"});
  const bool graceful = grace && grace->int_if() && *grace->int_if() > 0;
  if (deleting && !held && !graceful) {
    if (auto last = store(resource, key, std::move(value)); !last) return last;
    return erase(resource, key);
  }
  return store(resource, key, std::move(value));
}

base::Result<RawObject> MemoryTransport::remove(const schema::Resource& resource, const Call& call) {
  const ObjectKey key{call.ns, call.name};
  const auto found = objects_[&resource].find(key);
  if (found == objects_[&resource].end()) return not_found(resource, call.name);
  TRY_ASSIGN(Value value, schema::decode_value(message_of(resource), found->second.payload()));
  if ((!call.precondition_uid.empty() && value.string_at({"metadata", "uid"}) != call.precondition_uid) ||
      (call.precondition_revision && *call.precondition_revision != found->second.revision)) {
    return base::fail(base::Reason::kConflict, "precondition failed");
  }
  const bool pod = resource.name == "pods";
  const bool graceful =
      pod && call.grace_period_seconds.value_or(30) > 0 && !value.string_at({"spec", "nodeName"}).empty();
  if (call.propagation == Propagation::kForeground) add_finalizer(value, "foregroundDeletion");
  if (call.propagation == Propagation::kOrphan) add_finalizer(value, "orphan");
  const bool held = non_empty_list(value, {"metadata", "finalizers"}) || non_empty_list(value, {"spec", "finalizers"});
  if (!graceful && !held) return erase(resource, key);
  if (value.at_path({"metadata", "deletionTimestamp"})) return found->second;
  member(value, "metadata").set("deletionTimestamp", Value(object::format_time(object::to_time(clock_->wall_now()))));
  if (graceful)
    member(value, "metadata").set("deletionGracePeriodSeconds", Value(call.grace_period_seconds.value_or(30)));
  if (resource.name == "namespaces") member(value, "status").set("phase", Value("Terminating"));
  return store(resource, key, std::move(value));
}

base::Result<RawObject> MemoryTransport::store(const schema::Resource& resource, const ObjectKey& key, Value value) {
  member(value, "metadata").erase("resourceVersion");
  std::string bytes;
  TRY(schema::encode_value(message_of(resource), value, bytes));
  RawObject raw;
  raw.bytes = base::SharedBytes(bytes);
  raw.size = static_cast<uint32_t>(bytes.size());
  raw.revision = ++revision_;
  RawObject& slot = objects_[&resource][key];
  const WatchType type = slot ? WatchType::kModified : WatchType::kAdded;
  slot = raw;
  deliver(resource, key, {type, raw, revision_});
  return raw;
}

RawObject MemoryTransport::erase(const schema::Resource& resource, const ObjectKey& key) {
  const auto found = objects_[&resource].find(key);
  RawObject raw = found->second;
  objects_[&resource].erase(found);
  raw.revision = ++revision_;
  deliver(resource, key, {WatchType::kDeleted, raw, revision_});
  return raw;
}

void MemoryTransport::deliver(const schema::Resource& resource, const ObjectKey& key, WatchEvent event) {
  history_.push_back({&resource, event, key.ns});
  for (const auto& [handle, watching] : watches_) {
    if (watching.resource == &resource && (watching.ns.empty() || watching.ns == key.ns)) {
      watching.receiver->on_event(event);
    }
  }
}

base::Result<ListResult> MemoryTransport::list(const ListCall& call) {
  std::scoped_lock lock(mutex_);
  const schema::Resource& resource = main_resource(*call.resource);
  TRY_ASSIGN(auto selector, object::LabelSelector::parse(call.label_selector));
  ListResult result;
  result.revision = revision_;
  for (const auto& [key, object] : objects_[&resource]) {
    if (!call.ns.empty() && key.ns != call.ns) continue;
    if (!selector.empty()) {
      TRY_ASSIGN(Value value, schema::decode_value(message_of(resource), object.payload()));
      if (!selector.matches(object::ValueLabels(value.at_path({"metadata", "labels"})))) continue;
    }
    result.items.push_back(object);
  }
  return result;
}

base::Result<std::unique_ptr<WatchHandle>> MemoryTransport::watch(const ListCall& call, int64_t revision,
                                                                  WatchReceiver* receiver) {
  std::scoped_lock lock(mutex_);
  if (revision < forgotten_) return base::fail(base::Reason::kExpired, "too old resource version");
  const schema::Resource& resource = main_resource(*call.resource);
  auto handle = std::make_unique<Handle>(this);
  const size_t past = history_.size();
  watches_[handle.get()] = {&resource, call.ns, receiver};
  for (size_t i = 0; i < past; ++i) {
    const Event event = history_[i];
    if (event.resource != &resource || event.event.revision <= revision) continue;
    if (call.ns.empty() || call.ns == event.ns) receiver->on_event(event.event);
  }
  return handle;
}

void MemoryTransport::end_watches(const base::Error& error) {
  std::scoped_lock lock(mutex_);
  if (error.reason == base::Reason::kExpired) {
    history_.clear();
    forgotten_ = revision_;
  }
  const auto watches = std::exchange(watches_, {});
  for (const auto& [handle, watching] : watches) watching.receiver->on_end(error);
}

size_t MemoryTransport::calls(Verb verb) const {
  std::scoped_lock lock(mutex_);
  const auto found = counts_.find(verb);
  return found == counts_.end() ? 0 : found->second;
}

void MemoryTransport::fail_next(Verb verb, std::string resource, int count, base::Error error) {
  std::scoped_lock lock(mutex_);
  failures_.push_back({verb, std::move(resource), count, std::move(error)});
}

}  // namespace client
