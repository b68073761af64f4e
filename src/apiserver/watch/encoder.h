// Watch events on the wire: JSON lines or length-prefixed protobuf, as whole objects, partial metadata or tables.
// Recent encodings are shared between the watchers of an event.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "apiserver/context.h"
#include "apiserver/table.h"
#include "apiserver/watch/hub.h"
#include "base/bytes.h"
#include "base/mutex.h"
#include "base/result.h"

namespace apiserver {

// Encodings of the last events, by event and form. Thread: any.
class EncodedEvents {
 public:
  struct Key {
    const void* object = nullptr;
    int64_t revision = 0;
    EventType type = EventType::kAdded;
    const Endpoint* endpoint = nullptr;
    uint64_t endpoint_serial = 0;
    MediaType media = MediaType::kJson;
    Form form = Form::kObject;
    std::string_view form_version;  // "v1" or "v1beta1": constants
    bool operator==(const Key&) const = default;
  };
  // Empty when it is not there.
  base::SharedBytes find(const Key& key) const;
  // `object` keeps the key's pointer from being reused.
  void add(const Key& key, kv::KeyValueRef object, base::SharedBytes bytes);

 private:
  struct Entry {
    Key key;
    kv::KeyValueRef object;
    base::SharedBytes bytes;
  };
  mutable base::Mutex mutex_;
  std::vector<Entry> ring_ GUARDED_BY(mutex_);
  size_t next_ GUARDED_BY(mutex_) = 0;
};

class EventEncoder {
 public:
  EventEncoder(const RequestContext& context, IncludeObject include, EncodedEvents* shared);

  base::Result<base::SharedBytes> encode(const WatchItem& item);
  enum class InitialEnd : uint8_t { kNo, kYes };
  base::Result<std::string> bookmark(int64_t revision, InitialEnd initial_end);
  std::string error(const base::Error& error) const;

 private:
  base::Result<std::string> object_bytes(const WatchItem& item);
  std::string frame(EventType type, std::string_view name, std::string_view object) const;

  const Endpoint& endpoint_;
  const Accepted accepted_;
  const IncludeObject include_;
  const base::Clock& clock_;
  EncodedEvents* shared_;
  bool columns_sent_ = false;
};

}  // namespace apiserver
