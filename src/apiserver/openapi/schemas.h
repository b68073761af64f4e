// The OpenAPI schema of a message, from the tables: what `kubectl explain` shows and clients validate against.
// Pure; thread: any.
#pragma once

#include <set>
#include <string>
#include <string_view>

#include "object/value.h"
#include "schema/tables.h"

namespace apiserver::openapi {

// Compat: version 2 leaves defaults out and keeps siblings of $ref; version 3 has defaults and wraps $ref in allOf.
enum class Dialect : uint8_t { kV2, kV3 };

// "io.k8s.api.core.v1.Pod", as upstream names its Go types backwards.
std::string definition_name(const schema::Message& message);
// "#/definitions/…" or "#/components/schemas/…"
std::string reference(Dialect dialect, std::string_view name);

using Messages = std::set<const schema::Message*>;
// The definition of a message. Adds the messages that it refers to.
object::Value definition(Dialect dialect, const schema::Message& message, Messages& referred);
// `start` and all that can be reached from it.
Messages closure(const Messages& start);

// Our own words for "core.v1 Pod" or "core.v1 Pod.spec" (api/schema/descriptions.txt); "" when there are none.
std::string_view description(std::string_view package, std::string_view name);

}  // namespace apiserver::openapi
