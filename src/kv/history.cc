#include "kv/history.h"

#include <algorithm>
#include <string>
#include <utility>

#include "kv/limits.h"

namespace kv {

namespace {
std::unexpected<base::Error> compacted_error(int64_t revision, int64_t compacted) {
  return base::fail(base::Reason::kExpired, "revision " + std::to_string(revision) +
                                                " is no longer kept: history is compacted up to revision " +
                                                std::to_string(compacted));
}
}  // namespace

void History::append(EventBatchPtr batch) {
  HistoryPiece piece{batch->first_revision(), batch->last_revision(), batch->retained_bytes(), batch, {}};
  base::MutexLock lock(mutex_);
  bytes_ += piece.bytes;
  unsettled_bytes_ += piece.bytes;
  pieces_.push_back(std::move(piece));
}

base::Result<std::vector<HistoryPiece>> History::from(int64_t from_revision) const {
  base::MutexLock lock(mutex_);
  if (from_revision <= compacted_) return compacted_error(from_revision, compacted_);
  auto first = std::ranges::lower_bound(pieces_, from_revision, {}, &HistoryPiece::last_revision);
  return std::vector<HistoryPiece>(first, pieces_.end());
}

base::Result<SnapshotPtr> History::rebuild(int64_t revision, const SnapshotPtr& newest) {
  if (revision == newest->revision()) return newest;
  SnapshotPtr nearest = newest;
  std::vector<HistoryPiece> undo;
  uint64_t own_bytes = 0;
  {
    base::MutexLock lock(mutex_);
    if (revision < compacted_) return compacted_error(revision, compacted_);
    for (auto pinned = pinned_.begin(); pinned != pinned_.end(); ++pinned) {
      const int64_t its = pinned->snapshot->revision();
      if (its == revision) {
        pinned_.splice(pinned_.begin(), pinned_, pinned);
        return pinned_.front().snapshot;
      }
      if (its > revision && its < nearest->revision()) {
        nearest = pinned->snapshot;
        own_bytes = pinned->bytes;  // what it unpacked is kept alive by what is built on it
      }
    }
    auto first = std::ranges::upper_bound(pieces_, revision, {}, &HistoryPiece::last_revision);
    for (; first != pieces_.end() && first->first_revision <= nearest->revision(); ++first) undo.push_back(*first);
  }
  Tree tree = nearest->tree();
  for (auto piece = undo.rbegin(); piece != undo.rend(); ++piece) {
    const EventBatchPtr batch = piece->open();
    for (auto event = batch->events.rbegin(); event != batch->events.rend(); ++event) {
      if (event->revision() <= revision || event->revision() > nearest->revision()) continue;
      if (piece->packed && event->previous) own_bytes += event->previous->value.size();
      event->previous ? tree.set(event->previous) : tree.erase(event->kv->key.view());
    }
  }
  SnapshotPtr result = std::make_shared<const Snapshot>(std::move(tree), revision);
  base::MutexLock lock(mutex_);
  if (revision >= compacted_) pin({result, own_bytes});
  return result;
}

void History::pin(Pinned pinned) {
  pinned_.push_front(std::move(pinned));
  uint64_t bytes = 0;
  size_t count = 0;
  // The newest stays, whatever it costs: the next page of its list asks for it again.
  pinned_.remove_if([&](const Pinned& each) {
    bytes += each.bytes;
    return ++count > 1 && (count > kPinnedSnapshots || bytes > kPinnedBytes);
  });
}

void History::compact_locked(int64_t revision) {
  if (revision <= compacted_) return;
  compacted_ = revision;
  ++compactions_;
  while (!pieces_.empty() && pieces_.front().last_revision <= revision) {
    bytes_ -= pieces_.front().bytes;
    if (settled_ > 0) {
      --settled_;
    } else {
      unsettled_bytes_ -= pieces_.front().bytes;
    }
    pieces_.pop_front();
  }
  pinned_.remove_if([revision](const Pinned& pinned) { return pinned.snapshot->revision() < revision; });
}

void History::compact(int64_t revision) {
  base::MutexLock lock(mutex_);
  compact_locked(revision);
}

void History::trim(uint64_t limit) {
  base::MutexLock lock(mutex_);
  uint64_t excess = bytes_ > limit ? bytes_ - limit : 0;
  int64_t revision = 0;
  for (const HistoryPiece& piece : pieces_) {
    if (excess == 0) break;
    excess -= std::min(excess, piece.bytes);
    revision = piece.last_revision;
  }
  compact_locked(revision);
}

bool History::wants_packing() const {
  base::MutexLock lock(mutex_);
  return unsettled_bytes_ > 2 * kUnpackedHistoryBytes;
}

void History::pack() {
  for (;;) {
    const std::vector<EventBatchPtr> batches = to_pack();
    if (batches.empty()) return;
    uint64_t bytes = 0;
    for (const EventBatchPtr& batch : batches) bytes += PackedEvents::text_bytes(*batch);
    std::shared_ptr<const PackedEvents> packed;
    if (bytes <= kMostPackedBytes) packed = std::make_shared<const PackedEvents>(batches);
    // What does not shrink stays as it is.
    if (packed && packed->retained_bytes() > bytes - bytes / 4) packed = nullptr;
    settle(batches, std::move(packed));
  }
}

// The oldest that are not packed, as many as make one piece; none when little is left.
std::vector<EventBatchPtr> History::to_pack() const {
  base::MutexLock lock(mutex_);
  std::vector<EventBatchPtr> batches;
  uint64_t left = unsettled_bytes_, bytes = 0;
  size_t events = 0;
  for (size_t i = settled_; i < pieces_.size() && left > kUnpackedHistoryBytes; ++i) {
    const HistoryPiece& piece = pieces_[i];
    if (!batches.empty() && (bytes + piece.bytes > kPackedBytes || events >= kPackedEvents)) break;
    left -= piece.bytes;
    bytes += piece.bytes;
    events += piece.batch->events.size();
    batches.push_back(piece.batch);
  }
  return batches;
}

// Puts the packed form, if there is one, in their place; nothing when they were compacted meanwhile.
void History::settle(std::span<const EventBatchPtr> batches, std::shared_ptr<const PackedEvents> packed) {
  base::MutexLock lock(mutex_);
  if (settled_ >= pieces_.size() || pieces_[settled_].batch != batches.front()) return;
  const auto first = pieces_.begin() + static_cast<ptrdiff_t>(settled_);
  const auto last = first + static_cast<ptrdiff_t>(batches.size());
  uint64_t bytes = 0;
  for (auto piece = first; piece != last; ++piece) bytes += piece->bytes;
  unsettled_bytes_ -= bytes;
  settled_ += packed ? 1 : batches.size();
  if (!packed) return;
  bytes_ = bytes_ - bytes + packed->retained_bytes();
  *first = {first->first_revision, (last - 1)->last_revision, packed->retained_bytes(), {}, std::move(packed)};
  pieces_.erase(first + 1, last);
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
  return pieces_.empty();
}

}  // namespace kv
