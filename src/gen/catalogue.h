// The API of v1.35 as generated tables: every message, kind and resource, and the table of a generated struct.
// Constant data. Thread: any.
#pragma once

#include <span>
#include <string_view>

#include "schema/tables.h"

namespace gen {

// Every message of every package, removed versions too.
std::span<const schema::Message* const> messages();
// "core.v1", "Pod" → its table; null when there is none.
const schema::Message* find_message(std::string_view package, std::string_view name);
// Every kind, in no order that matters.
std::span<const schema::Kind> kinds();
// Null when there is none.
const schema::Kind* find_kind(std::string_view group, std::string_view version, std::string_view kind);
// Group versions with their resources, in discovery order; those that are off by default too.
std::span<const schema::GroupVersion> group_versions();
// subresource "" = the resource itself. Null when there is none.
const schema::Resource* find_resource(std::string_view group, std::string_view version, std::string_view name,
                                      std::string_view subresource);

// The table of a generated struct: gen::message_of<api::core::v1::Pod>().
template <typename T>
const schema::Message& message_of();

}  // namespace gen
