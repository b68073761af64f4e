// Events that are rarely read, kept small: in history most versions of an object are near copies of each other.
// Immutable. Thread: any.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "kv/store.h"

namespace kv {

// Events of consecutive batches, made durable together or one after the other.
struct EventBatch {
  std::vector<Event> events;  // not empty; revisions do not fall
  int64_t first_revision() const { return events.front().revision(); }
  int64_t last_revision() const { return events.back().revision(); }
  uint64_t retained_bytes() const;  // what keeping it costs: replaced values and a fixed part per event
};
using EventBatchPtr = std::shared_ptr<const EventBatch>;

class PackedEvents {
 public:
  // `batches` in order, not empty.
  explicit PackedEvents(std::span<const EventBatchPtr> batches);
  // Copies that share nothing with what is in the store.
  EventBatchPtr unpack() const;
  // What has to be written to pack a batch, about.
  static uint64_t text_bytes(const EventBatch& batch);
  uint64_t retained_bytes() const { return packed_.size() + sizeof *this; }

 private:
  base::SharedBytes packed_;
  size_t text_bytes_ = 0;
  size_t count_ = 0;
};

}  // namespace kv
