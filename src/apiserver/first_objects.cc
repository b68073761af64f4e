// Makes the objects that every cluster has from its first second, through the same pipeline as everybody's.
#include <unistd.h>

#include <condition_variable>
#include <mutex>

#include "apiserver/bootstrap/objects.h"
#include "apiserver/local_transport.h"
#include "apiserver/server.h"
#include "base/check.h"
#include "base/log.h"
#include "gen/catalogue.h"
#include "object/names.h"
#include "schema/proto_value.h"

namespace apiserver {
namespace {

using bootstrap::Existing;
using bootstrap::FirstObject;
using bootstrap::Need;
using object::Value;

// The first address of a range: the kubernetes Service's.
std::string first_address(const std::string& cidr) {
  object::IpPrefix prefix;
  if (!object::parse_cidr(cidr, prefix)) return "";
  object::IpAddress address = prefix.network();
  for (int i = address.size - 1; i >= 0 && ++address.bytes[i] == 0; --i) {
  }
  return object::format_ip(address);
}

std::string host_name() {
  char name[256] = {};
  return gethostname(name, sizeof name - 1) == 0 ? name : "localhost";
}

// Requests that run at the same time, so that they share their way to the disk.
class Batch {
 public:
  explicit Batch(LocalTransport& transport) : transport_(transport) {}

  void send(client::Call call, Need need) {
    {
      std::lock_guard lock(mutex_);
      ++open_;
    }
    std::string what = std::string(call.resource->name) + " " + call.name;
    transport_.call(std::move(call), [this, need, what = std::move(what)](base::Result<client::RawObject> result) {
      std::lock_guard lock(mutex_);
      if (!result && result.error().reason != base::Reason::kAlreadyExists) {
        if (refused_++ == 0) first_refusal_ = what + ": " + result.error().message;
        if (need == Need::kRequired && first_error_.message.empty()) first_error_ = result.error();
      }
      if (--open_ == 0) done_.notify_all();
    });
  }
  // Waits for all of them.
  base::Result<void> finish() {
    std::unique_lock lock(mutex_);
    done_.wait(lock, [this] { return open_ == 0; });
    if (refused_ > 0)
      base::log::warning("first objects were refused", {{"count", refused_}, {"first", first_refusal_}});
    if (!first_error_.message.empty()) return base::fail(first_error_);
    return {};
  }

 private:
  LocalTransport& transport_;
  std::mutex mutex_;
  std::condition_variable done_;
  int open_ = 0;
  int refused_ = 0;
  std::string first_refusal_;
  base::Error first_error_;
};

client::Call call_for(client::Verb verb, const FirstObject& object, const schema::Resource& resource) {
  client::Call call;
  call.verb = verb;
  call.resource = &resource;
  call.ns = object.value.string_at({"metadata", "namespace"});
  if (verb != client::Verb::kCreate) call.name = object.value.string_at({"metadata", "name"});
  return call;
}

// The update that brings what is stored up to what is wanted; nothing when there is nothing to do.
std::optional<Value> changed(const FirstObject& object, const Value& live) {
  if (object.existing == Existing::kCompleted) {
    Value result = bootstrap::completed(live, object.value);
    if (result.is_null()) return std::nullopt;
    return result;
  }
  Value result = live;
  bool differs = false;
  for (const object::Member& member : *object.value.object_if()) {
    if (member.key == "metadata") continue;
    const Value* have = result.find(member.key);
    if (have && *have == member.value) continue;
    result.object_if()->set(member.key, member.value);
    differs = true;
  }
  if (!differs) return std::nullopt;
  return result;
}

base::Result<void> ensure(Core& core, Batch& batch, const FirstObject& object) {
  const schema::Resource* resource = gen::find_resource(object.group, object.version, object.resource, "");
  CHECK(resource != nullptr);
  const schema::Message& message = *gen::find_kind(object.group, object.version, resource->kind)->message;
  const std::string_view name = object.value.string_at({"metadata", "name"});
  const auto raw = core.get(object.group, object.resource, object.value.string_at({"metadata", "namespace"}), name);
  if (!raw) {
    client::Call call = call_for(client::Verb::kCreate, object, *resource);
    TRY(schema::encode_value(message, object.value, call.body));
    batch.send(std::move(call), object.need);
    return {};
  }
  if (object.existing == Existing::kKept) return {};
  TRY_ASSIGN(Value live, schema::decode_value(message, *raw));
  const std::optional<Value> next = changed(object, live);
  if (!next) return {};
  client::Call call = call_for(client::Verb::kUpdate, object, *resource);
  TRY(schema::encode_value(message, *next, call.body));
  batch.send(std::move(call), object.need);
  return {};
}

}  // namespace

base::Result<void> make_first_objects(Core& core, const ServerOptions& options) {
  LocalTransport transport(&core, User{"system:apiserver", "", {"system:masters"}}, "kube-apiserver");
  bootstrap::Facts facts;
  facts.service_cidr = options.service_cidr;
  facts.service_address = first_address(options.service_cidr);
  facts.advertise_address = options.advertise_address.empty() ? options.bind_address : options.advertise_address;
  constexpr int kUsualPort = 6443;
  facts.port = options.port == 0 ? kUsualPort : options.port;
  facts.client_ca_pem = options.client_ca_pem;
  facts.host_name = host_name();
  facts.now = core.clock().wall_now();
  facts.serves = [&core](std::string_view group, std::string_view version) {
    return core.endpoints().has_group_version(group, version);
  };
  Batch batch(transport);
  base::Result<void> result;
  for (const FirstObject& object : bootstrap::first_objects(facts)) {
    if (auto made = ensure(core, batch, object); !made && result) result = made;
  }
  if (auto finished = batch.finish(); !finished && result) result = finished;
  return result;
}

}  // namespace apiserver
