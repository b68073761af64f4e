// How components reach the API server: one interface, in process (shares the store's bytes) or over HTTPS. Objects are
// protobuf bytes shared by reference; client/client.h gives them types.
// Invariants: every write runs the server's whole pipeline under the identity of the transport; a watch delivers every
// change once and in order, or ends with kExpired/kGone, after which the caller lists again.
// Thread: any thread calls. Callbacks run on a thread of the transport, must not block, and may call back in.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "schema/tables.h"

namespace client {

// One object as the server keeps it: shared bytes, of which payload() is the message's protobuf without envelope. The
// payload's metadata has no resourceVersion when the bytes come from the store: `revision` is it.
struct RawObject {
  base::SharedBytes bytes;
  uint32_t offset = 0;  // of the payload
  uint32_t size = 0;
  int64_t revision = 0;
  explicit operator bool() const { return !bytes.empty(); }
  std::string_view payload() const { return bytes.view().substr(offset, size); }
};

enum class Verb : uint8_t { kGet, kCreate, kUpdate, kPatch, kDelete, kDeleteCollection };
enum class PatchType : uint8_t { kMerge, kStrategicMerge, kJson, kApply };
enum class Propagation : uint8_t { kUnset, kOrphan, kBackground, kForeground };

// One request for one object (or a deletecollection).
struct Call {
  Verb verb = Verb::kGet;
  const schema::Resource* resource = nullptr;  // of a subresource: that row
  std::string ns;                              // "" for cluster-scoped resources
  std::string name;                            // "" on create
  std::string body;                            // create, update: the message's protobuf; patch: JSON text
  PatchType patch_type = PatchType::kMerge;
  std::string field_manager;  // "" = the transport's identity
  // delete
  Propagation propagation = Propagation::kUnset;
  std::optional<int64_t> grace_period_seconds;
  std::string precondition_uid;  // "" = none
  std::optional<int64_t> precondition_revision;
  // deletecollection
  std::string label_selector, field_selector;
};
using Callback = std::move_only_function<void(base::Result<RawObject>)>;

struct ListCall {
  const schema::Resource* resource = nullptr;
  std::string ns;  // "" = all namespaces
  std::string label_selector, field_selector;
};
struct ListResult {
  std::vector<RawObject> items;  // in key order
  int64_t revision = 0;          // to watch from
};

enum class WatchType : uint8_t { kAdded, kModified, kDeleted, kBookmark };
struct WatchEvent {
  WatchType type;
  RawObject object;      // of a deletion: the last state; empty for a bookmark
  int64_t revision = 0;  // resume from here
};

// Receives a watch. Called one at a time, in order.
class WatchReceiver {
 public:
  virtual ~WatchReceiver() = default;
  virtual void on_event(const WatchEvent& event) = 0;
  // The watch has ended; nothing follows. kExpired/kGone: list again; anything else: watch again from the last
  // revision.
  virtual void on_end(const base::Error& error) = 0;
};
// Dropping it ends the watch; once the destructor has returned the receiver is not called (from within the receiver's
// own call: once that has returned).
class WatchHandle {
 public:
  virtual ~WatchHandle() = default;
};

class Transport {
 public:
  virtual ~Transport() = default;
  // The callback gets the object that the server answers with (of a deletion: the object, or empty for a Status).
  virtual void call(Call call, Callback done) = 0;
  // Blocks the calling thread; never on a loop or a callback's thread. In process it only reads memory.
  virtual base::Result<ListResult> list(const ListCall& call) = 0;
  // Changes after `revision`.
  virtual base::Result<std::unique_ptr<WatchHandle>> watch(const ListCall& call, int64_t revision,
                                                           WatchReceiver* receiver) = 0;

  // The resources that are served now and not built in, each in its preferred version; a row lives as long as its
  // handle. Blocks like list(). An error when they are not known for certain.
  virtual base::Result<std::vector<std::shared_ptr<const schema::Resource>>> custom_resources() {
    return std::vector<std::shared_ptr<const schema::Resource>>();
  }
  // Whether objects of such resources can be listed, watched, patched and deleted. Over the network only their metadata
  // is shown.
  virtual bool carries_custom_objects() const { return false; }
  // Whether a built-in resource of a version that is off by default is served. No where it is not known at once.
  virtual bool serves(const schema::Resource&) const { return false; }

  // call() and wait for its answer. For workers; never on a loop or a callback's thread.
  base::Result<RawObject> call_and_wait(Call call);
};

// Whether the server knows the resource but not the object: that a resource is not served says nothing of its objects.
bool is_missing_object(const base::Error& error);

}  // namespace client
