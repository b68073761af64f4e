// EventRecorder: writes core/v1 Events about objects. The same event again raises the count of the first one; more than
// ten of a kind in ten minutes become one combined event; a source that talks too much about one object is cut off.
// Compat: upstream's correlator: 25 events at once for a source and object, then one in five minutes.
// Asynchronous: a lost event is logged, never an error of its caller. Thread: any.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "client/client.h"
#include "gen/core/v1.h"

namespace client {

enum class EventType : uint8_t { kNormal, kWarning };

api::core::v1::ObjectReference make_reference(const schema::Resource& resource,
                                              const api::meta::v1::ObjectMeta& metadata);
template <typename T>
api::core::v1::ObjectReference reference_to(const T& object) {
  return make_reference(resource_of<T>(), object.metadata);
}

class EventRecorder {
 public:
  // `clock` outlives the recorder. `component`: upstream's name of the source, e.g. "replicaset-controller".
  EventRecorder(std::shared_ptr<Transport> transport, const base::Clock* clock, std::string component,
                std::string host = "");
  ~EventRecorder();
  EventRecorder(const EventRecorder&) = delete;

  void event(const api::core::v1::ObjectReference& about, EventType type, std::string_view reason, std::string message);
  template <typename T>
  void event_on(const T& object, EventType type, std::string_view reason, std::string message) {
    event(reference_to(object), type, reason, std::move(message));
  }

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace client
