#include "controllers/runtime/owners.h"

#include "object/json.h"
#include "object/value.h"

namespace controllers {

using api::meta::v1::OwnerReference;

std::string_view group_of(std::string_view api_version) {
  const size_t slash = api_version.find('/');
  return slash == std::string_view::npos ? std::string_view() : api_version.substr(0, slash);
}

std::string api_version_of(const schema::Resource& resource) {
  return resource.group.empty() ? std::string(resource.version)
                                : std::string(resource.group) + "/" + std::string(resource.version);
}

const OwnerReference* controller_of(const api::meta::v1::ObjectMeta& metadata) {
  for (const OwnerReference& owner : metadata.owner_references) {
    if (owner.controller.value_or(false)) return &owner;
  }
  return nullptr;
}

std::optional<schema::OwnerView> controller_of(const client::RawObject& object) {
  const auto view = schema::view_metadata(object.payload());
  if (!view) return std::nullopt;
  for (const schema::OwnerView owner : view->owner_references) {
    if (owner.controller) return owner;
  }
  return std::nullopt;
}

OwnerReference controller_reference(const schema::Resource& resource, const api::meta::v1::ObjectMeta& owner) {
  OwnerReference reference;
  reference.api_version = api_version_of(resource);
  reference.kind = resource.kind;
  reference.name = owner.name;
  reference.uid = owner.uid;
  reference.controller = true;
  reference.block_owner_deletion = true;
  return reference;
}

void index_by_owner(client::Informer& informer) {
  informer.add_index(std::string(kOwnerIndex), [](const client::RawObject& object, std::vector<std::string>& values) {
    const auto view = schema::view_metadata(object.payload());
    if (!view) return;
    for (const schema::OwnerView owner : view->owner_references) values.emplace_back(owner.uid);
  });
}

void index_orphans(client::Informer& informer) {
  informer.add_index(std::string(kOrphanIndex), [](const client::RawObject& object, std::vector<std::string>& values) {
    const auto view = schema::view_metadata(object.payload());
    if (view && !controller_of(object)) values.emplace_back(view->namespace_);
  });
}

namespace {

object::Object owner_fields(const schema::MetadataView& metadata, int64_t revision,
                            const std::vector<OwnerReference>& owners) {
  object::Array list;
  for (const OwnerReference& owner : owners) {
    object::Object item;
    item.set("apiVersion", owner.api_version);
    item.set("kind", owner.kind);
    item.set("name", owner.name);
    item.set("uid", owner.uid);
    if (owner.controller) item.set("controller", *owner.controller);
    if (owner.block_owner_deletion) item.set("blockOwnerDeletion", *owner.block_owner_deletion);
    list.emplace_back(std::move(item));
  }
  object::Object fields;
  fields.set("uid", metadata.uid);
  fields.set("resourceVersion", std::to_string(revision));
  fields.set("ownerReferences", list.empty() ? object::Value() : object::Value(std::move(list)));
  return fields;
}

std::string metadata_patch(object::Object fields) {
  object::Object patch;
  patch.set("metadata", std::move(fields));
  return object::to_json(object::Value(std::move(patch)));
}

}  // namespace

std::string owner_patch(const schema::MetadataView& metadata, int64_t revision,
                        const std::vector<OwnerReference>& owners) {
  return metadata_patch(owner_fields(metadata, revision, owners));
}

std::string owner_patch(const schema::MetadataView& metadata, int64_t revision,
                        const std::vector<OwnerReference>& owners, const std::vector<std::string>& finalizers) {
  object::Object fields = owner_fields(metadata, revision, owners);
  object::Array list(finalizers.begin(), finalizers.end());
  fields.set("finalizers", list.empty() ? object::Value() : object::Value(std::move(list)));
  return metadata_patch(std::move(fields));
}

std::vector<OwnerReference> owners_of(const schema::MetadataView& metadata) {
  std::vector<OwnerReference> owners;
  for (const schema::OwnerView view : metadata.owner_references) {
    OwnerReference owner;
    owner.api_version = view.api_version;
    owner.kind = view.kind;
    owner.name = view.name;
    owner.uid = view.uid;
    if (view.controller) owner.controller = true;
    if (view.block_owner_deletion) owner.block_owner_deletion = true;
    owners.push_back(std::move(owner));
  }
  return owners;
}

}  // namespace controllers
