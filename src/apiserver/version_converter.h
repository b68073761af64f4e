// Objects of one kind from version to version, as their trees: field management compares what a write changed in the
// version of each manager. Pure; thread: any.
#pragma once

#include <optional>

#include "apiserver/endpoint.h"
#include "schema/apply/managed_fields.h"

namespace apiserver {

// Nothing when all versions that the entries name are like the endpoint's, as nearly always: custom resources (Compat:
// theirs are taken to be alike), versions with the same members, and versions that this server does not know.
std::optional<schema::VersionConverter> version_converter(const Endpoints& endpoints, const Endpoint& endpoint,
                                                          const schema::ReadEntries& live,
                                                          const schema::ReadEntries& sent);

}  // namespace apiserver
