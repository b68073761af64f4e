// MemoryTransport: a small API server's store behind the Transport interface, for tests of what sits on client/. It
// assigns names, uids, revisions and generations, keeps status apart, checks resourceVersions and preconditions,
// honours finalizers and graceful deletion, and delivers watches on the calling thread. No validation, defaults or
// admission. Thread: any; calls run one at a time.
#pragma once

#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "client/informer.h"
#include "client/transport.h"
#include "object/value.h"

namespace client {

class MemoryTransport final : public Transport {
 public:
  explicit MemoryTransport(const base::Clock* clock) : clock_(clock) {}

  void call(Call call, Callback done) override;
  base::Result<ListResult> list(const ListCall& call) override;
  base::Result<std::unique_ptr<WatchHandle>> watch(const ListCall& call, int64_t revision,
                                                   WatchReceiver* receiver) override;

  // Ends every watch with the error; with kExpired also forgets history, so that watches from older revisions fail.
  void end_watches(const base::Error& error);
  size_t calls(Verb verb) const;
  // The next `count` calls of the verb on the resource fail with the error.
  void fail_next(Verb verb, std::string resource, int count, base::Error error);

 private:
  struct Event {
    const schema::Resource* resource;
    WatchEvent event;
    std::string ns;
  };
  class Handle;
  struct Watching {
    const schema::Resource* resource;
    std::string ns;
    WatchReceiver* receiver;
  };
  struct Failure {
    Verb verb;
    std::string resource;
    int count;
    base::Error error;
  };
  using Objects = std::map<ObjectKey, RawObject>;

  base::Result<RawObject> run(const Call& call);
  base::Result<RawObject> create(const schema::Resource& resource, const Call& call);
  base::Result<RawObject> change(const schema::Resource& resource, const Call& call);
  base::Result<RawObject> remove(const schema::Resource& resource, const Call& call);
  base::Result<RawObject> store(const schema::Resource& resource, const ObjectKey& key, object::Value value);
  RawObject erase(const schema::Resource& resource, const ObjectKey& key);
  void deliver(const schema::Resource& resource, const ObjectKey& key, WatchEvent event);

  const base::Clock* const clock_;
  mutable std::recursive_mutex mutex_;
  std::map<const schema::Resource*, Objects> objects_;
  std::vector<Event> history_;
  std::map<const void*, Watching> watches_;
  std::map<Verb, size_t> counts_;
  std::vector<Failure> failures_;
  int64_t revision_ = 1;
  int64_t forgotten_ = 0;  // watches from before it are refused
  int64_t next_uid_ = 1;
};

}  // namespace client
