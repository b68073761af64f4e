// The log on disk: numbered records in preallocated, zero-filled segment files (docs/formats/log.md). Each record
// carries the checksum of the one before it, and is on stable storage before the next is written, so the end of the log
// is told apart from damage: a broken record is a torn end only if no later record exists. Threads: append() from the
// commit strand; trim() and the getters from any thread; spare segments are prepared on the executor.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/executor.h"
#include "base/mutex.h"
#include "base/rng.h"
#include "kv/file.h"
#include "kv/mvcc_store.h"
#include "kv/store.h"
#include "kv/strand.h"

namespace kv {

struct SegmentSizes {
  uint64_t first;  // of the first segment
  uint64_t most;   // each segment is sixteen times the one before, up to this; more where one record needs it
};

class SegmentLog {
 public:
  using Apply = FunctionRef<base::Result<void>(uint64_t number, std::string_view payload)>;

  // Calls `apply` for every record with a number above `after`, in order, and makes sure that they are on stable
  // storage. A new log is made when the directory has no segment and `after` is 0.
  static base::Result<std::unique_ptr<SegmentLog>> open(Directory& directory, Environment environment,
                                                        SegmentSizes sizes, uint64_t after, Apply apply);
  ~SegmentLog();

  // A payload behind kRecordHeaderBytes of room, which becomes the record. Returns its number once it is on stable
  // storage.
  std::expected<uint64_t, CommitFailure> append(std::string& record);
  // Removes the segments whose records all have numbers up to `number`.
  void trim(uint64_t number);

  uint64_t bytes() const;       // of all segments, as far as they are written
  uint64_t file_bytes() const;  // of all segments and the spare
  uint64_t last_sync_nanoseconds() const;

 private:
  struct Segment {
    std::string name;
    uint64_t first_number = 0;
    uint64_t size = 0;     // of the file
    uint64_t written = 0;  // as far as records go
  };
  enum class Filling : uint8_t { kZeros, kReserved };
  // A file of zeros under a temporary name.
  struct Spare {
    std::string name;
    uint64_t size = 0;
    std::unique_ptr<File> file;
  };

  SegmentLog(Directory& directory, Environment environment, SegmentSizes sizes);
  base::Result<void> create_first();
  FileResult<Spare> make_spare(uint64_t size, Filling filling);
  FileResult<void> fill(File& file, uint64_t size);
  void prepare_spare();
  FileResult<Spare> take_spare(uint64_t least);
  FileResult<void> activate(Spare spare);
  std::expected<void, CommitFailure> make_room(uint64_t size);
  void want_spare();

  Directory& directory_;
  const Environment environment_;
  const SegmentSizes sizes_;

  // The commit strand's.
  std::unique_ptr<File> file_;  // of the last segment
  uint64_t position_ = 0;       // where the next record goes
  uint64_t file_size_ = 0;
  uint64_t next_number_ = 1;
  uint32_t last_crc_ = 0;
  uint64_t salt_ = 0;

  mutable base::Mutex mutex_;
  std::vector<Segment> segments_ GUARDED_BY(mutex_);
  Spare spare_ GUARDED_BY(mutex_);                // no file: none is ready
  uint64_t spare_wanted_ GUARDED_BY(mutex_) = 0;  // its size; 0: none
  uint64_t spare_counter_ GUARDED_BY(mutex_) = 0;
  uint64_t last_sync_ GUARDED_BY(mutex_) = 0;

  Strand prepare_;
};

}  // namespace kv
