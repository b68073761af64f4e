#include "kv/history.h"

#include <algorithm>
#include <string>
#include <utility>

#include "kv/limits.h"

namespace kv {

namespace {
constexpr uint64_t kEventBytes = 128;  // batch, event and record headers, about

std::unexpected<base::Error> compacted_error(int64_t revision, int64_t compacted) {
  return base::fail(base::Reason::kExpired, "revision " + std::to_string(revision) +
                                                " is no longer kept: history is compacted up to revision " +
                                                std::to_string(compacted));
}
}  // namespace

uint64_t EventBatch::retained_bytes() const {
  uint64_t total = 0;
  for (const Event& event : events) {
    total += kEventBytes + (event.previous ? event.previous->key.size() + event.previous->value.size() : 0);
  }
  return total;
}

void History::append(EventBatchPtr batch) {
  base::MutexLock lock(mutex_);
  bytes_ += batch->retained_bytes();
  batches_.push_back(std::move(batch));
}

base::Result<std::vector<EventBatchPtr>> History::from(int64_t from_revision) const {
  base::MutexLock lock(mutex_);
  if (from_revision <= compacted_) return compacted_error(from_revision, compacted_);
  auto first = std::ranges::lower_bound(batches_, from_revision, {},
                                        [](const EventBatchPtr& batch) { return batch->last_revision(); });
  return std::vector<EventBatchPtr>(first, batches_.end());
}

base::Result<SnapshotPtr> History::rebuild(int64_t revision, const SnapshotPtr& newest) {
  if (revision == newest->revision()) return newest;
  SnapshotPtr nearest = newest;
  std::vector<EventBatchPtr> undo;
  {
    base::MutexLock lock(mutex_);
    if (revision < compacted_) return compacted_error(revision, compacted_);
    for (auto pinned = pinned_.begin(); pinned != pinned_.end(); ++pinned) {
      if ((*pinned)->revision() == revision) {
        pinned_.splice(pinned_.begin(), pinned_, pinned);
        return pinned_.front();
      }
      if ((*pinned)->revision() > revision && (*pinned)->revision() < nearest->revision()) nearest = *pinned;
    }
    auto first = std::ranges::upper_bound(batches_, revision, {},
                                          [](const EventBatchPtr& batch) { return batch->last_revision(); });
    for (; first != batches_.end() && (*first)->first_revision() <= nearest->revision(); ++first) {
      undo.push_back(*first);
    }
  }
  Tree tree = nearest->tree();
  for (auto batch = undo.rbegin(); batch != undo.rend(); ++batch) {
    for (auto event = (*batch)->events.rbegin(); event != (*batch)->events.rend(); ++event) {
      if (event->revision() <= revision || event->revision() > nearest->revision()) continue;
      event->previous ? tree.set(event->previous) : tree.erase(event->kv->key.view());
    }
  }
  SnapshotPtr result = std::make_shared<const Snapshot>(std::move(tree), revision);
  base::MutexLock lock(mutex_);
  if (revision >= compacted_) pinned_.push_front(result);
  if (pinned_.size() > kPinnedSnapshots) pinned_.pop_back();
  return result;
}

void History::compact_locked(int64_t revision) {
  if (revision <= compacted_) return;
  compacted_ = revision;
  ++compactions_;
  while (!batches_.empty() && batches_.front()->last_revision() <= revision) {
    bytes_ -= batches_.front()->retained_bytes();
    batches_.pop_front();
  }
  pinned_.remove_if([revision](const SnapshotPtr& pinned) { return pinned->revision() < revision; });
}

void History::compact(int64_t revision) {
  base::MutexLock lock(mutex_);
  compact_locked(revision);
}

void History::trim(uint64_t limit) {
  base::MutexLock lock(mutex_);
  uint64_t excess = bytes_ > limit ? bytes_ - limit : 0;
  int64_t revision = 0;
  for (const EventBatchPtr& batch : batches_) {
    if (excess == 0) break;
    excess -= std::min(excess, batch->retained_bytes());
    revision = batch->last_revision();
  }
  compact_locked(revision);
}

int64_t History::compacted_revision() const {
  base::MutexLock lock(mutex_);
  return compacted_;
}

uint64_t History::retained_bytes() const {
  base::MutexLock lock(mutex_);
  return bytes_;
}

uint64_t History::compactions() const {
  base::MutexLock lock(mutex_);
  return compactions_;
}

bool History::empty() const {
  base::MutexLock lock(mutex_);
  return batches_.empty();
}

}  // namespace kv
