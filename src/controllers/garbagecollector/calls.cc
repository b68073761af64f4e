#include "controllers/garbagecollector/calls.h"

#include "controllers/garbagecollector/plan.h"
#include "object/json.h"
#include "object/value.h"

namespace controllers::garbagecollector {

bool contains(const schema::Strings& strings, std::string_view wanted) {
  for (const std::string_view text : strings) {
    if (text == wanted) return true;
  }
  return false;
}

std::optional<std::string> only_owner(const schema::MetadataView& metadata) {
  std::optional<std::string> uid;
  for (const schema::OwnerView owner : metadata.owner_references) {
    if (uid) return std::nullopt;
    uid = std::string(owner.uid);
  }
  return uid;
}

client::Call delete_call(const schema::Resource& resource, const client::RawObject& object,
                         const schema::MetadataView& metadata, client::Propagation propagation) {
  client::Call call;
  call.verb = client::Verb::kDelete;
  call.resource = &resource;
  call.ns = metadata.namespace_;
  call.name = metadata.name;
  // Compat: an object that already has a finalizer for its dependents keeps that way of deletion.
  call.propagation = contains(metadata.finalizers, kForegroundFinalizer) ? client::Propagation::kForeground
                     : contains(metadata.finalizers, kOrphanFinalizer)   ? client::Propagation::kOrphan
                                                                         : propagation;
  call.precondition_uid = metadata.uid;
  call.precondition_revision = object.revision;
  return call;
}

client::Call patch_call(const schema::Resource& resource, const schema::MetadataView& metadata, std::string patch) {
  client::Call call;
  call.verb = client::Verb::kPatch;
  call.resource = &resource;
  call.ns = metadata.namespace_;
  call.name = metadata.name;
  call.body = std::move(patch);
  return call;
}

std::string finalizer_patch(const schema::MetadataView& metadata, int64_t revision, std::string_view finalizer) {
  object::Array kept;
  for (const std::string_view text : metadata.finalizers) {
    if (text != finalizer) kept.emplace_back(text);
  }
  object::Object fields, patch;
  fields.set("uid", metadata.uid);
  fields.set("resourceVersion", std::to_string(revision));
  fields.set("finalizers", kept.empty() ? object::Value() : object::Value(std::move(kept)));
  patch.set("metadata", object::Value(std::move(fields)));
  return object::to_json(object::Value(std::move(patch)));
}

}  // namespace controllers::garbagecollector
