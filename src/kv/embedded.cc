#include "kv/embedded.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/log.h"
#include "kv/batch_codec.h"
#include "kv/segment_format.h"
#include "kv/segment_log.h"
#include "kv/snapshot_file.h"

namespace kv {

using base::fail;
using base::Reason;
using base::Result;

namespace {

constexpr const char* kLockName = "LOCK";
constexpr const char* kFormatName = "FORMAT";
constexpr std::string_view kFormatText = "keelson store format ";
constexpr uint64_t kFormat = 1;

std::unexpected<base::Error> file_failed(const FileError& error) { return fail(Reason::kInternalError, error.message); }

// What is in a data directory.
struct Contents {
  bool has_format = false;
  bool has_data = false;
  std::vector<uint64_t> snapshots;  // newest first
  std::vector<std::string> unfinished;
};

Result<Contents> look(Directory& directory) {
  FileResult<std::vector<std::string>> names = directory.list();
  if (!names) return file_failed(names.error());
  Contents contents;
  for (std::string& name : *names) {
    if (name == kFormatName) contents.has_format = true;
    if (number_in_name(name, "log-")) contents.has_data = true;
    if (auto number = number_in_name(name, "snapshot-")) contents.snapshots.push_back(*number);
    if (name.ends_with(".tmp")) contents.unfinished.push_back(std::move(name));
  }
  contents.has_data |= !contents.snapshots.empty();
  std::ranges::sort(contents.snapshots, std::greater());
  return contents;
}

Result<std::unique_ptr<FileLock>> lock(Directory& directory) {
  FileResult<std::unique_ptr<FileLock>> held = directory.lock(kLockName);
  if (held) return *std::move(held);
  if (held.error().code != FileError::Code::kBusy) return file_failed(held.error());
  return fail(Reason::kInternalError, "the data directory " + directory.path() +
                                          " is in use by another process. Stop that process, or give this one a "
                                          "data directory of its own");
}

Result<std::string> read_format(Directory& directory) {
  FileResult<std::unique_ptr<File>> file = directory.open(kFormatName);
  if (!file) return file_failed(file.error());
  std::string text(64, '\0');
  FileResult<size_t> got = (*file)->read_at(0, text);
  if (!got) return file_failed(got.error());
  text.resize(*got);
  while (!text.empty() && (text.back() == '\n' || text.back() == '\0')) text.pop_back();
  return text;
}

Result<void> check_format(const std::string& text, const Directory& directory) {
  std::string found = text.starts_with(kFormatText) ? text.substr(kFormatText.size()) : "?";
  if (found == std::to_string(kFormat)) return {};
  return fail(Reason::kInternalError, "the data directory " + directory.path() + " has store format " + found +
                                          ", and this program reads format " + std::to_string(kFormat) +
                                          ". Start the version of the program that wrote it, or a newer one");
}

FileResult<void> write_format(Directory& directory) {
  TRY_ASSIGN(std::unique_ptr<File> file, directory.create("FORMAT.tmp"));
  TRY(file->write_at(0, std::string(kFormatText) + std::to_string(kFormat) + "\n"));
  return directory.rename("FORMAT.tmp", kFormatName);
}

// FORMAT is not synced when a store begins, which would take half of the time to its first readiness. If a power loss
// takes it, it is written again: every segment and snapshot has a version of its own.
Result<Contents> prepare(Directory& directory) {
  TRY_ASSIGN(Contents contents, look(directory));
  for (const std::string& name : contents.unfinished) {
    if (FileResult<void> removed = directory.remove(name); !removed) return file_failed(removed.error());
  }
  std::string format;
  if (contents.has_format) {
    TRY_ASSIGN(format, read_format(directory));
  }
  if (!format.empty()) {
    TRY(check_format(format, directory));
  } else if (FileResult<void> written = write_format(directory); !written) {
    return file_failed(written.error());
  }
  // A name that an earlier process gave just before it was killed may not be on stable storage yet, and what is about
  // to be written may go into that file. In a new store the first segment sees to it.
  if (!contents.has_data) return contents;
  if (FileResult<void> synced = directory.sync(); !synced) return file_failed(synced.error());
  return contents;
}

// The newest snapshot that is sound. When a damaged one is passed over, the log must reach back to the one used; the
// replay checks that.
Result<std::optional<SnapshotImage>> load_snapshot(Directory& directory, const Contents& contents,
                                                   const Signer* signer) {
  std::optional<base::Error> first_error;
  for (uint64_t number : contents.snapshots) {
    Result<SnapshotImage> image = read_snapshot(directory, snapshot_name(number), signer);
    if (image) return *std::move(image);
    base::log::warning("a snapshot cannot be read", {{"error", image.error().message}});
    if (!first_error) first_error = image.error();
  }
  if (first_error) return fail(*std::move(first_error));
  return std::nullopt;
}

// The commit log: appends batches, and now and then has a snapshot written so that old segments can go.
class EmbeddedLog final : public CommitLog {
 public:
  struct Parts {
    std::unique_ptr<Directory> directory;
    std::unique_ptr<FileLock> lock;
    std::unique_ptr<SegmentLog> log;
    std::map<int64_t, LeaseRecord> leases;
    uint64_t replayed_bytes = 0;  // of payloads behind the snapshot
  };
  EmbeddedLog(Environment environment, EmbeddedOptions options, Parts parts)
      : options_(options),
        parts_(std::move(parts)),
        bytes_since_snapshot_(parts_.replayed_bytes),
        writer_(environment.executor, [this] { write_wanted(); }) {}
  ~EmbeddedLog() override { writer_.close(); }

  std::expected<void, CommitFailure> append(const CommitBatch& batch) override {
    record_.assign(kRecordHeaderBytes, '\0');
    encode_batch(record_, batch);
    const uint64_t payload_bytes = record_.size() - kRecordHeaderBytes;
    TRY_ASSIGN(uint64_t number, parts_.log->append(record_));
    bytes_since_snapshot_ += payload_bytes;
    if (record_.capacity() > kKeepBytes) std::string().swap(record_);
    for (const LeaseChange& change : batch.lease_changes) {
      if (change.kind == LeaseChange::Kind::kEnd) {
        parts_.leases.erase(change.lease.id);
      } else {
        parts_.leases[change.lease.id] = change.lease;
      }
    }
    consider_snapshot(batch, number);
    return {};
  }

  void describe(StoreStatus& status) const override {
    status.log_bytes = parts_.log->bytes();
    status.last_sync_nanoseconds = parts_.log->last_sync_nanoseconds();
    base::MutexLock lock(mutex_);
    status.disk_bytes = parts_.log->file_bytes() + snapshot_bytes_;
    status.snapshots_total = snapshots_;
  }

 private:
  // The state is set aside some way before a snapshot is due, and that is what is written: the log behind it keeps the
  // latest history, so that watchers can resume after a restart.
  void consider_snapshot(const CommitBatch& batch, uint64_t number) {
    uint64_t due = std::max(options_.snapshot_after_bytes, batch.live_bytes);
    if (!aside_ && bytes_since_snapshot_ >= due - std::min(due / 2, options_.history_after_restart_bytes)) {
      aside_ = SnapshotImage{batch.tree, batch.revision, number, parts_.leases};
      bytes_aside_ = bytes_since_snapshot_;
    }
    if (!aside_ || bytes_since_snapshot_ < due) return;
    {
      base::MutexLock lock(mutex_);
      if (busy_) return;
      busy_ = true;
      wanted_ = *std::exchange(aside_, std::nullopt);
    }
    bytes_since_snapshot_ -= bytes_aside_;
    writer_.schedule();
  }

  void write_wanted() {
    SnapshotImage image;
    {
      base::MutexLock lock(mutex_);
      if (!wanted_) return;
      image = *std::exchange(wanted_, std::nullopt);
    }
    FileResult<uint64_t> written = write_snapshot(*parts_.directory, image);
    if (written) {
      parts_.log->trim(image.log_number);
      remove_older(image.log_number);
    } else {
      base::log::warning("cannot write a snapshot; the log grows on", {{"error", written.error().message}});
    }
    base::MutexLock lock(mutex_);
    busy_ = false;
    if (!written) return;
    ++snapshots_;
    snapshot_bytes_ = *written;
  }

  void remove_older(uint64_t number) {
    Result<Contents> contents = look(*parts_.directory);
    if (!contents) return;
    for (uint64_t other : contents->snapshots) {
      if (other < number) static_cast<void>(parts_.directory->remove(snapshot_name(other)));
    }
  }

  static constexpr size_t kKeepBytes = size_t{4} << 20;  // a larger record's memory is given back

  const EmbeddedOptions options_;
  Parts parts_;         // leases: the commit strand's, as of the last durable batch
  std::string record_;  // this and the next three: the commit strand's
  uint64_t bytes_since_snapshot_;
  std::optional<SnapshotImage> aside_;
  uint64_t bytes_aside_ = 0;
  mutable base::Mutex mutex_;
  bool busy_ GUARDED_BY(mutex_) = false;
  std::optional<SnapshotImage> wanted_ GUARDED_BY(mutex_);
  uint64_t snapshot_bytes_ GUARDED_BY(mutex_) = 0;
  uint64_t snapshots_ GUARDED_BY(mutex_) = 0;
  Strand writer_;
};

}  // namespace

Result<std::unique_ptr<Store>> open_embedded_store(Environment environment, std::unique_ptr<Directory> directory,
                                                   EmbeddedOptions options) {
  EmbeddedLog::Parts parts;
  TRY_ASSIGN(parts.lock, lock(*directory));
  TRY_ASSIGN(Contents contents, prepare(*directory));
  TRY_ASSIGN(std::optional<SnapshotImage> image, load_snapshot(*directory, contents, environment.signer));
  RecoveredState state{.tree = Tree(environment.signer)};
  uint64_t number = 0;
  if (image) {
    number = image->log_number;
    state.tree = std::move(image->tree);
    state.revision = state.compacted_revision = image->revision;
    state.leases = std::move(image->leases);
  }
  auto apply = [&](uint64_t record, std::string_view payload) -> Result<void> {
    parts.replayed_bytes += payload.size();
    Result<void> applied = apply_batch(payload, state);
    if (!applied) applied.error().message += " (log record " + std::to_string(record) + ")";
    return applied;
  };
  TRY_ASSIGN(parts.log, SegmentLog::open(*directory, environment, {options.first_segment_bytes, options.segment_bytes},
                                         number, apply));
  parts.directory = std::move(directory);
  parts.leases = state.leases;
  auto log = std::make_unique<EmbeddedLog>(environment, options, std::move(parts));
  return std::make_unique<MvccStore>(environment, std::move(state), std::move(log));
}

Result<std::unique_ptr<Store>> open_embedded_store(Environment environment, const std::string& path,
                                                   EmbeddedOptions options) {
  FileResult<std::unique_ptr<Directory>> directory = open_directory(path);
  if (!directory) return file_failed(directory.error());
  return open_embedded_store(environment, *std::move(directory), options);
}

}  // namespace kv
