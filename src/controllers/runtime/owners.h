// Owner references: who controls an object, the index of objects by their owners, and changes of owner. Pure but for
// the index. Thread: any.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "client/client.h"
#include "client/informer.h"
#include "gen/meta/v1.h"
#include "schema/metadata_view.h"

namespace controllers {

// "apps" of "apps/v1"; "" of "v1".
std::string_view group_of(std::string_view api_version);
std::string api_version_of(const schema::Resource& resource);

const api::meta::v1::OwnerReference* controller_of(const api::meta::v1::ObjectMeta& metadata);
std::optional<schema::OwnerView> controller_of(const client::RawObject& object);  // views the object's bytes
// A reference with controller and blockOwnerDeletion set.
api::meta::v1::OwnerReference controller_reference(const schema::Resource& resource,
                                                   const api::meta::v1::ObjectMeta& owner);

// Objects by the uid of each of their owners.
inline constexpr std::string_view kOwnerIndex = "ownerUid";
void index_by_owner(client::Informer& informer);
// Objects that no controller owns, by namespace: candidates for adoption.
inline constexpr std::string_view kOrphanIndex = "orphan";
void index_orphans(client::Informer& informer);

// Merge patch texts that replace the owner references of exactly this state of the object.
std::string owner_patch(const schema::MetadataView& metadata, int64_t revision,
                        const std::vector<api::meta::v1::OwnerReference>& owners);
// The same, with finalizers in the place of those that it has.
std::string owner_patch(const schema::MetadataView& metadata, int64_t revision,
                        const std::vector<api::meta::v1::OwnerReference>& owners,
                        const std::vector<std::string>& finalizers);
std::vector<api::meta::v1::OwnerReference> owners_of(const schema::MetadataView& metadata);

}  // namespace controllers
