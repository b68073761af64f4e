#include "kv/segment_log.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "kv/segment_format.h"
#include "kv/segment_replay.h"

namespace kv {

using base::fail;
using base::Reason;
using base::Result;

namespace {

constexpr uint64_t kGrowth = 16;
constexpr uint64_t kSyncBytes = size_t{8} << 20;  // zeros between two syncs: less, and the log's own syncs wait longer
constexpr size_t kFillBytes = size_t{1} << 18;    // written at once when a segment is zero-filled

CommitFailure commit_failure(const FileError& error) {
  if (error.code == FileError::Code::kNoSpace) {
    return {CommitFailure::Kind::kNothingWritten,
            base::Error(Reason::kServiceUnavailable, "the disk is full: " + error.message)};
  }
  return {CommitFailure::Kind::kStopped, base::Error(Reason::kOutcomeUnknown, error.message)};
}

}  // namespace

SegmentLog::SegmentLog(Directory& directory, Environment environment, SegmentSizes sizes)
    : directory_(directory),
      environment_(environment),
      sizes_(sizes),
      prepare_(environment.executor, [this] { prepare_spare(); }) {}

SegmentLog::~SegmentLog() {
  prepare_.close();
  base::MutexLock lock(mutex_);
  if (spare_.file) static_cast<void>(directory_.remove(spare_.name));
}

Result<std::unique_ptr<SegmentLog>> SegmentLog::open(Directory& directory, Environment environment, SegmentSizes sizes,
                                                     uint64_t after, Apply apply) {
  std::unique_ptr<SegmentLog> log(new SegmentLog(directory, environment, sizes));
  TRY_ASSIGN(ReplayedLog replayed, replay_segments(directory, after, apply));
  if (replayed.segments.empty()) {
    TRY(log->create_first());
  } else {
    base::MutexLock lock(log->mutex_);
    for (const ReplayedSegment& segment : replayed.segments) {
      log->segments_.push_back({segment.name, segment.first_number, segment.size, segment.written});
    }
    log->file_ = std::move(replayed.last_file);
    log->file_size_ = replayed.segments.back().size;
    log->position_ = replayed.segments.back().written;
    log->next_number_ = replayed.next_number;
    log->last_crc_ = replayed.last_crc;
    log->salt_ = replayed.salt;
  }
  static_cast<void>(log->file_->write_in_order(log->position_));  // a hint
  log->trim(after);
  return log;
}

Result<void> SegmentLog::create_first() {
  FileResult<Spare> spare = make_spare(sizes_.first, Filling::kZeros);
  FileResult<void> made = spare ? activate(*std::move(spare)) : FileResult<void>(std::unexpected(spare.error()));
  if (!made) return fail(Reason::kInternalError, made.error().message);
  return {};
}

FileResult<SegmentLog::Spare> SegmentLog::make_spare(uint64_t size, Filling filling) {
  Spare spare;
  {
    base::MutexLock lock(mutex_);
    spare.name = "segment-" + std::to_string(++spare_counter_) + ".tmp";
  }
  spare.size = size;
  FileResult<std::unique_ptr<File>> file = directory_.create(spare.name);
  if (!file) return std::unexpected(file.error());
  spare.file = *std::move(file);
  FileResult<void> filled = spare.file->reserve(size);
  if (filled && filling == Filling::kZeros) filled = fill(*spare.file, size);
  if (!filled) {
    spare.file.reset();
    static_cast<void>(directory_.remove(spare.name));
    return std::unexpected(filled.error());
  }
  return spare;
}

// Written zeros, not only reserved space: a later write then changes data blocks and no metadata, and fdatasync is one
// write to the disk. What the last sync does not cover, activate() syncs.
FileResult<void> SegmentLog::fill(File& file, uint64_t size) {
  const std::string zeros(std::min<uint64_t>(size, kFillBytes), '\0');
  TRY(file.write_in_order(0));
  for (uint64_t at = 0; at < size; at += zeros.size()) {
    if (at > 0 && at % kSyncBytes == 0) TRY(file.sync());
    TRY(file.write_at(at, std::string_view(zeros).substr(0, std::min<uint64_t>(zeros.size(), size - at))));
  }
  return {};
}

void SegmentLog::prepare_spare() {
  uint64_t size;
  {
    base::MutexLock lock(mutex_);
    if (spare_.file || spare_wanted_ == 0) return;
    size = std::exchange(spare_wanted_, 0);
  }
  FileResult<Spare> spare = make_spare(size, Filling::kZeros);
  if (spare) {
    if (FileResult<void> synced = spare->file->sync(); !synced) {
      static_cast<void>(directory_.remove(spare->name));
      spare = std::unexpected(synced.error());
    }
  }
  if (!spare) {
    base::log::warning("cannot prepare a log segment ahead of need", {{"error", spare.error().message}});
    return;
  }
  base::MutexLock lock(mutex_);
  spare_ = *std::move(spare);
}

FileResult<SegmentLog::Spare> SegmentLog::take_spare(uint64_t least) {
  {
    base::MutexLock lock(mutex_);
    if (spare_.file && spare_.size >= least) return std::exchange(spare_, {});
  }
  // None is ready: writers wait, so space is only reserved. Syncs to this segment cost a change of metadata more.
  return make_spare(std::max(least, std::min(file_size_ * kGrowth, sizes_.most)), Filling::kReserved);
}

// Gives the spare its header and its name; from then on it is the last segment.
FileResult<void> SegmentLog::activate(Spare spare) {
  uint64_t salt = environment_.rng.next();
  FileResult<void> headed = spare.file->write_at(0, encode(SegmentHeader{kLogVersion, salt, next_number_, last_crc_}));
  if (headed) headed = spare.file->sync();
  std::string name = segment_name(next_number_);
  if (headed) headed = directory_.rename(spare.name, name);
  if (!headed) {
    spare.file.reset();
    static_cast<void>(directory_.remove(spare.name));
    return headed;
  }
  if (FileResult<void> synced = directory_.sync(); !synced) {
    synced.error().code = FileError::Code::kOther;  // the name may or may not last: never carry on
    return synced;
  }
  file_ = std::move(spare.file);
  file_size_ = spare.size;
  position_ = kSegmentHeaderBytes;
  static_cast<void>(file_->write_in_order(position_));  // a hint
  salt_ = salt;
  base::MutexLock lock(mutex_);
  // A segment without a record, too small for its first one, has just been replaced.
  if (!segments_.empty() && segments_.back().name == name) segments_.pop_back();
  segments_.push_back({std::move(name), next_number_, file_size_, position_});
  return {};
}

std::expected<void, CommitFailure> SegmentLog::make_room(uint64_t size) {
  if (position_ + size <= file_size_) return {};
  FileResult<Spare> spare = take_spare(kSegmentHeaderBytes + size);
  if (!spare) return std::unexpected(commit_failure(spare.error()));
  if (FileResult<void> active = activate(*std::move(spare)); !active) {
    return std::unexpected(commit_failure(active.error()));
  }
  return {};
}

std::expected<uint64_t, CommitFailure> SegmentLog::append(std::string& record) {
  TRY(make_room(record_bytes(record.size() - kRecordHeaderBytes)));
  uint32_t crc = seal_record(record, {0, next_number_, last_crc_, 0}, salt_);
  // A write that found no space leaves part of a record at most. The next record takes its place and its number.
  if (FileResult<void> put = file_->write_at(position_, record); !put) {
    return std::unexpected(commit_failure(put.error()));
  }
  base::MonoTime before = environment_.clock.mono_now();
  if (FileResult<void> synced = file_->sync(); !synced) {
    synced.error().code = FileError::Code::kOther;  // whatever the cause, the outcome is not known
    return std::unexpected(commit_failure(synced.error()));
  }
  uint64_t took = static_cast<uint64_t>((environment_.clock.mono_now() - before).count());
  position_ += record.size();
  last_crc_ = crc;
  {
    base::MutexLock lock(mutex_);
    segments_.back().written = position_;
    last_sync_ = took;
  }
  want_spare();
  return next_number_++;
}

// The next segment is made ready once this one is a quarter full, but behind a first segment only once that is half
// full: a control plane that has just started, or that stays small, has better things to do.
void SegmentLog::want_spare() {
  if (position_ < file_size_ / (file_size_ <= sizes_.first ? 2 : 4)) return;
  {
    base::MutexLock lock(mutex_);
    if (spare_.file || spare_wanted_ != 0) return;
    spare_wanted_ = std::min(file_size_ * kGrowth, sizes_.most);
  }
  prepare_.schedule();
}

void SegmentLog::trim(uint64_t number) {
  std::vector<std::string> names;
  {
    base::MutexLock lock(mutex_);
    size_t count = 0;
    while (count + 1 < segments_.size() && segments_[count + 1].first_number <= number + 1) {
      names.push_back(segments_[count++].name);
    }
    segments_.erase(segments_.begin(), segments_.begin() + static_cast<ptrdiff_t>(count));
  }
  // Oldest first, so that what is left after a crash has no hole.
  for (const std::string& name : names) {
    if (FileResult<void> removed = directory_.remove(name); !removed) {
      base::log::warning("cannot remove an old log segment", {{"error", removed.error().message}});
    }
  }
}

uint64_t SegmentLog::bytes() const {
  base::MutexLock lock(mutex_);
  uint64_t total = 0;
  for (const Segment& segment : segments_) total += segment.written;
  return total;
}

uint64_t SegmentLog::file_bytes() const {
  base::MutexLock lock(mutex_);
  uint64_t total = spare_.file ? spare_.size : 0;
  for (const Segment& segment : segments_) total += segment.size;
  return total;
}

uint64_t SegmentLog::last_sync_nanoseconds() const {
  base::MutexLock lock(mutex_);
  return last_sync_;
}

}  // namespace kv
