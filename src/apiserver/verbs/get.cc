#include "apiserver/core.h"
#include "apiserver/verbs/verbs.h"
#include "apiserver/write.h"
#include "object/status.h"
#include "storage/keys.h"
#include "storage/stored_object.h"

namespace apiserver {

// Compat: resourceVersion of a get: "" and "0" are the newest, N is at least N.
base::Result<Answer> get_verb(RequestContext& context) {
  const Endpoint& endpoint = *context.endpoint;
  // Compat: the one such resource with a get names itself in the singular.
  if (!endpoint.is_stored()) return base::fail(object::not_found({"", "componentstatus"}, context.info.name));
  TRY_ASSIGN(uint64_t wanted, parse_resource_version(context.query.get("resourceVersion")));
  const kv::SnapshotPtr snapshot = context.core->store().snapshot();
  if (wanted > static_cast<uint64_t>(snapshot->revision())) {
    return base::fail(object::too_large_resource_version(wanted, static_cast<uint64_t>(snapshot->revision())));
  }
  const std::string& name = context.info.name;
  kv::KeyValueRef kv =
      snapshot->get_ref(storage::object_key(endpoint.prefix(), endpoint.namespaced() ? context.info.ns : "", name));
  if (!kv) return base::fail(object::not_found(endpoint.group_resource, name));
  TRY_ASSIGN(storage::StoredObject stored, storage::open_stored(std::move(kv)));
  return answer_with(endpoint, std::string(stored.raw), stored.revision, 200);
}

}  // namespace apiserver
