// The requests of the garbage collector, each for exactly the state of the object that was looked at. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "client/transport.h"
#include "schema/metadata_view.h"

namespace controllers::garbagecollector {

bool contains(const schema::Strings& strings, std::string_view wanted);
// The uid of the one owner of an object; nothing when it has several.
std::optional<std::string> only_owner(const schema::MetadataView& metadata);

client::Call delete_call(const schema::Resource& resource, const client::RawObject& object,
                         const schema::MetadataView& metadata, client::Propagation propagation);
client::Call patch_call(const schema::Resource& resource, const schema::MetadataView& metadata, std::string patch);
// A merge patch that takes the finalizer off.
std::string finalizer_patch(const schema::MetadataView& metadata, int64_t revision, std::string_view finalizer);

}  // namespace controllers::garbagecollector
