// Custom objects as other stores keep them. Our own store holds the envelope of a custom object's message; upstream
// keeps JSON in etcd: kind and apiVersion (of the storage version) in the object, no resourceVersion. Whoever moves
// data between the two (a store over etcd, backup and restore) converts at that edge with these. Pure; thread: any.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "schema/tables.h"
#include "schema/type_meta.h"

namespace storage {

// An enveloped value to the JSON text that upstream would store, ending with a newline. `message` is the table of
// custom objects.
base::Result<std::string> custom_to_json(const schema::Message& message, std::string_view stored);
// And back. The object is marked as cleaned by no known schema, so that reads prune and default it.
base::Result<std::string> custom_from_json(const schema::Message& message, std::string_view json);
// Is a stored value JSON, or an envelope?
bool is_json_value(std::string_view stored);

}  // namespace storage
