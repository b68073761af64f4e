// Informer: a local, ordered picture of one resource, kept true by list and watch (the reflector), with indexes by key.
// In process it holds references to the store's own bytes: one copy of each object for the whole program.
// Invariants: handlers see every change of a key in order, after the cache shows it; after a relist they see the
// difference; has_synced() turns true once the first list has been handed to the handlers. A resource that the server
// does not have counts as listed; it is asked for every half minute, and what was known of its objects stays.
// Thread: reads from any; handlers run one at a time on the informer's strand and must not block (they add keys to
// workqueues).
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/executor.h"
#include "client/client.h"
#include "client/transport.h"

namespace client {

// "namespace/name", or "name" for a cluster-scoped object.
struct ObjectKey {
  std::string ns;
  std::string name;
  auto operator<=>(const ObjectKey&) const = default;
};
std::string to_string(const ObjectKey& key);
ObjectKey parse_key(std::string_view text);

// One change. `before` is empty for an addition, `after` for a deletion.
struct Change {
  const ObjectKey& key;
  const RawObject& before;
  const RawObject& after;
};
using ChangeHandler = std::function<void(const Change&)>;
// Index values of an object (owner uid, node name, …) from its bytes; see schema/metadata_view.h.
using IndexFunction = std::function<void(const RawObject& object, std::vector<std::string>& values)>;

struct InformerOptions {
  ListCall scope;
  base::Executor* executor = nullptr;  // runs handlers and retries
};

class Informer {
 public:
  Informer(std::shared_ptr<Transport> transport, InformerOptions options);
  ~Informer();  // stops
  Informer(const Informer&) = delete;

  // All before start().
  void add_handler(ChangeHandler handler);
  // A name that is there already keeps its function: components share indexes by name.
  void add_index(std::string name, IndexFunction function);
  void start();
  void stop();

  bool has_synced() const;
  // The newest revision that the cache shows; a write of this resource at a revision up to it is visible here.
  int64_t revision() const;
  // Calls back once has_synced(), at once if it already has.
  void when_synced(base::Task callback);
  // Empty when absent.
  RawObject get(const ObjectKey& key) const;
  // All, in key order; "" = every namespace.
  std::vector<RawObject> list(std::string_view ns = "") const;
  std::vector<RawObject> by_index(std::string_view index, std::string_view value) const;
  size_t size() const;
  const schema::Resource& resource() const;

  template <typename T>
  base::Result<T> get_as(const ObjectKey& key) const {
    RawObject raw = get(key);
    if (!raw) return base::fail(base::Reason::kNotFound, to_string(key) + " not found");
    return decode_object<T>(raw);
  }
  template <typename T>
  std::vector<T> list_as(std::string_view ns = "") const {
    return decode_all<T>(list(ns));
  }
  template <typename T>
  std::vector<T> by_index_as(std::string_view index, std::string_view value) const {
    return decode_all<T>(by_index(index, value));
  }

 private:
  template <typename T>
  static std::vector<T> decode_all(const std::vector<RawObject>& raws) {
    std::vector<T> objects;
    objects.reserve(raws.size());
    for (const RawObject& raw : raws) {
      if (auto object = decode_object<T>(raw)) objects.push_back(std::move(*object));
    }
    return objects;
  }
  class Impl;
  std::shared_ptr<Impl> impl_;
};

// One informer a resource, shared by all components of a process. Thread: get() before start().
class InformerFactory {
 public:
  InformerFactory(std::shared_ptr<Transport> transport, base::Executor* executor);
  ~InformerFactory();
  // The informer of all objects of the resource, made on first use.
  Informer& get(const schema::Resource& resource);
  template <typename T>
  Informer& get() {
    return get(resource_of<T>());
  }
  void start();
  void stop();
  bool all_synced() const;
  void when_all_synced(base::Task callback);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace client
