// A stored value seen as an object. The view keeps the value alive; nothing is copied. Thread: any.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "kv/store.h"
#include "schema/envelope.h"

namespace storage {

struct StoredObject {
  kv::KeyValueRef kv;    // null = no object
  std::string_view raw;  // the message's protobuf, in kv's value
  int64_t revision = 0;
  explicit operator bool() const { return static_cast<bool>(kv); }
};

// kInternalError when the value is no envelope: then the data is damaged or of another program.
base::Result<StoredObject> open_stored(kv::KeyValueRef kv);

}  // namespace storage
