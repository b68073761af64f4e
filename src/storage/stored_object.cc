#include "storage/stored_object.h"

#include <utility>

namespace storage {

base::Result<StoredObject> open_stored(kv::KeyValueRef kv) {
  auto envelope = schema::unwrap(kv->value.view());
  if (!envelope) {
    return base::fail(base::Reason::kInternalError, "stored value of " + std::string(kv->key.view()) +
                                                        " is not a protobuf object: " + envelope.error().message);
  }
  const int64_t revision = kv->mod_revision;
  return StoredObject{std::move(kv), envelope->raw, revision};
}

}  // namespace storage
