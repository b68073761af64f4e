// Typed verbs on a transport: client.get<core::v1::Pod>("default", "web"). T is a generated struct of a stored kind in
// its storage version. Blocking: for workers (reconcilers, commands), never on a loop. Thread: any.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "client/transport.h"
#include "gen/catalogue.h"
#include "schema/proto_struct.h"

namespace client {

// The resource that serves T, e.g. pods for Pod; CHECKs that there is one. "status" etc. = that subresource.
const schema::Resource& resource_of(const schema::Message& message, std::string_view subresource = "");
template <typename T>
const schema::Resource& resource_of(std::string_view subresource = "") {
  return resource_of(gen::message_of<T>(), subresource);
}

// The struct of a raw object, its metadata.resourceVersion set from the revision.
template <typename T>
base::Result<T> decode_object(const RawObject& raw) {
  T object;
  TRY(schema::decode_struct(gen::message_of<T>(), raw.payload(), &object));
  object.metadata.resource_version = std::to_string(raw.revision);
  return object;
}
template <typename T>
std::string encode_object(const T& object) {
  std::string bytes;
  schema::encode_struct(gen::message_of<T>(), &object, bytes);
  return bytes;
}

struct DeleteOptions {
  Propagation propagation = Propagation::kUnset;
  std::optional<int64_t> grace_period_seconds;
  std::string precondition_uid;
  std::optional<int64_t> precondition_revision;
};

class Client {
 public:
  explicit Client(std::shared_ptr<Transport> transport) : transport_(std::move(transport)) {}
  Transport& transport() const { return *transport_; }
  const std::shared_ptr<Transport>& shared_transport() const { return transport_; }

  template <typename T>
  base::Result<T> get(std::string_view ns, std::string_view name) const {
    return typed<T>(transport_->call_and_wait(make_call<T>(Verb::kGet, ns, name)));
  }
  // Straight from the server, in key order.
  template <typename T>
  base::Result<std::vector<T>> list(std::string_view ns, std::string label_selector = "",
                                    std::string field_selector = "") const {
    ListCall call{&resource_of<T>(), std::string(ns), std::move(label_selector), std::move(field_selector)};
    TRY_ASSIGN(ListResult raw, transport_->list(call));
    std::vector<T> items;
    for (const RawObject& item : raw.items) {
      TRY_ASSIGN(T object, decode_object<T>(item));
      items.push_back(std::move(object));
    }
    return items;
  }
  template <typename T>
  base::Result<T> create(const T& object) const {
    Call call = make_call<T>(Verb::kCreate, object.metadata.namespace_, "");
    call.body = encode_object(object);
    return typed<T>(transport_->call_and_wait(std::move(call)));
  }
  // Conflict unless object.metadata.resource_version is the newest. subresource "" = the object itself.
  template <typename T>
  base::Result<T> update(const T& object, std::string_view subresource = "") const {
    Call call = make_call<T>(Verb::kUpdate, object.metadata.namespace_, object.metadata.name, subresource);
    call.body = encode_object(object);
    return typed<T>(transport_->call_and_wait(std::move(call)));
  }
  template <typename T>
  base::Result<T> update_status(const T& object) const {
    return update(object, "status");
  }
  // `json` is the patch's text.
  template <typename T>
  base::Result<T> patch(std::string_view ns, std::string_view name, PatchType type, std::string json,
                        std::string_view subresource = "") const {
    Call call = make_call<T>(Verb::kPatch, ns, name, subresource);
    call.patch_type = type;
    call.body = std::move(json);
    return typed<T>(transport_->call_and_wait(std::move(call)));
  }
  template <typename T>
  base::Result<void> remove(std::string_view ns, std::string_view name, const DeleteOptions& options = {}) const {
    Call call = make_call<T>(Verb::kDelete, ns, name);
    call.propagation = options.propagation;
    call.grace_period_seconds = options.grace_period_seconds;
    call.precondition_uid = options.precondition_uid;
    call.precondition_revision = options.precondition_revision;
    if (auto result = transport_->call_and_wait(std::move(call)); !result) return base::fail(std::move(result).error());
    return {};
  }
  // POST to a subresource whose body and answer are of another kind: Binding, Eviction, TokenRequest.
  template <typename Body>
  base::Result<void> create_subresource(const schema::Resource& subresource, std::string_view ns, std::string_view name,
                                        const Body& body) const {
    Call call;
    call.verb = Verb::kCreate;
    call.resource = &subresource;
    call.ns = ns;
    call.name = name;
    call.body = encode_object(body);
    if (auto result = transport_->call_and_wait(std::move(call)); !result) return base::fail(std::move(result).error());
    return {};
  }

 private:
  template <typename T>
  static Call make_call(Verb verb, std::string_view ns, std::string_view name, std::string_view subresource = "") {
    Call call;
    call.verb = verb;
    call.resource = &resource_of<T>(subresource);
    call.ns = ns;
    call.name = name;
    return call;
  }
  template <typename T>
  static base::Result<T> typed(base::Result<RawObject> raw) {
    if (!raw) return base::fail(std::move(raw).error());
    if (!*raw) return T();
    return decode_object<T>(*raw);
  }

  std::shared_ptr<Transport> transport_;
};

}  // namespace client
