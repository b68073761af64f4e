#include "kv/segment_replay.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "kv/limits.h"
#include "kv/segment_format.h"

namespace kv {

using base::fail;
using base::Reason;
using base::Result;

namespace {

constexpr size_t kWindowBytes = size_t{1} << 20;
// A run of zeros this long ends the search for records behind a broken one: batches are smaller.
constexpr uint64_t kZerosEndSearch = size_t{4} << 20;

std::unexpected<base::Error> file_failed(const FileError& error) { return fail(Reason::kInternalError, error.message); }

// Forward reading with one buffer.
class Window {
 public:
  Window(const std::string& path, File& file, uint64_t size) : path_(path), file_(file), size_(size) {}
  uint64_t size() const { return size_; }
  // The bytes at the offset, valid until the next call; fewer at the end of the file.
  FileResult<std::string_view> view(uint64_t offset, uint64_t length) {
    length = std::min(length, size_ - std::min(size_, offset));
    if (offset < start_ || offset + length > start_ + filled_) {
      buffer_.resize(std::max<size_t>(length, std::min<uint64_t>(kWindowBytes, size_ - offset)));
      FileResult<size_t> got = file_.read_at(offset, buffer_);
      if (!got) return std::unexpected(got.error());
      if (*got < buffer_.size()) {  // must not pass for the end of the log
        return std::unexpected(
            FileError{FileError::Code::kOther, path_ + ": a read returned fewer bytes than the file has"});
      }
      start_ = offset;
      filled_ = *got;
    }
    uint64_t available = filled_ - (offset - start_);
    return std::string_view(buffer_).substr(offset - start_, std::min(length, available));
  }

 private:
  const std::string& path_;
  File& file_;
  const uint64_t size_;
  std::string buffer_;
  uint64_t start_ = 0;
  uint64_t filled_ = 0;
};

struct Found {
  RecordHeader header;
  std::string_view payload;
};

class SegmentReader {
 public:
  SegmentReader(std::string path, File& file, uint64_t size) : path_(std::move(path)), window_(path_, file, size) {}

  Result<SegmentHeader> header() {
    FileResult<std::string_view> bytes = window_.view(0, kSegmentHeaderBytes);
    if (!bytes) return file_failed(bytes.error());
    std::optional<SegmentHeader> header = decode_segment_header(*bytes);
    if (!header) return damaged(0, "the segment header is not valid");
    if (header->version != kLogVersion) {
      return fail(Reason::kInternalError, path_ + " has log format " + std::to_string(header->version) +
                                              "; this program reads format " + std::to_string(kLogVersion));
    }
    salt_ = header->salt;
    return *header;
  }

  // A record whose own checksum is right; none otherwise.
  Result<std::optional<Found>> record_at(uint64_t offset) {
    FileResult<std::string_view> bytes = window_.view(offset, kRecordHeaderBytes);
    if (!bytes) return file_failed(bytes.error());
    std::optional<RecordHeader> header = decode_record_header(*bytes);
    if (!header || offset + record_bytes(header->length) > window_.size()) return std::nullopt;
    bytes = window_.view(offset, kRecordHeaderBytes + header->length);
    if (!bytes) return file_failed(bytes.error());
    if (bytes->size() < kRecordHeaderBytes + header->length) return std::nullopt;
    std::string_view payload = bytes->substr(kRecordHeaderBytes);
    if (!checksum_matches(bytes->substr(0, kRecordHeaderBytes), payload, salt_)) return std::nullopt;
    return Found{*header, payload};
  }

  // The offset of a sound record with a number above `number`, at or after `offset`.
  Result<std::optional<uint64_t>> later_record(uint64_t offset, uint64_t number) {
    uint64_t zeros = 0;
    for (; offset + kRecordHeaderBytes <= window_.size() && zeros < kZerosEndSearch; offset += 8) {
      FileResult<std::string_view> bytes = window_.view(offset, 8);
      if (!bytes) return file_failed(bytes.error());
      if (bytes->size() < 8) break;
      uint64_t word;
      std::memcpy(&word, bytes->data(), sizeof(word));
      zeros = word == 0 ? zeros + 8 : 0;
      if (static_cast<uint32_t>(word) != kRecordMagic) continue;
      TRY_ASSIGN(std::optional<Found> found, record_at(offset));
      if (found && found->header.number > number) return offset;
    }
    return std::nullopt;
  }

  std::unexpected<base::Error> damaged(uint64_t offset, const std::string& what) const {
    return fail(Reason::kInternalError, path_ + " is damaged at offset " + std::to_string(offset) + ": " + what +
                                            ". Nothing was changed. Restore the data directory from a backup, or "
                                            "check the disk");
  }
  uint64_t salt() const { return salt_; }

 private:
  const std::string path_;
  Window window_;
  uint64_t salt_ = 0;
};

class Replayer {
 public:
  Replayer(Directory& directory, uint64_t after, FunctionRef<Result<void>(uint64_t, std::string_view)> apply)
      : directory_(directory), after_(after), apply_(apply) {}

  Result<ReplayedLog> run() {
    TRY(list());
    for (size_t i = 0; i < log_.segments.size(); ++i) TRY(replay(i));
    if (log_.next_number <= after_ && !log_.segments.empty()) {
      return fail(Reason::kInternalError, directory_.path() + ": the log ends at record " +
                                              std::to_string(log_.next_number - 1) +
                                              ", but the snapshot holds record " + std::to_string(after_) +
                                              ". Restore the data directory from a backup");
    }
    if (log_.last_file) {
      // What was read may so far be in the system's memory only; it is about to be shown to readers.
      if (FileResult<void> synced = log_.last_file->sync(); !synced) return file_failed(synced.error());
    }
    return std::move(log_);
  }

 private:
  // Segments in order, without those that `after` covers.
  Result<void> list() {
    FileResult<std::vector<std::string>> names = directory_.list();
    if (!names) return file_failed(names.error());
    std::vector<ReplayedSegment>& segments = log_.segments;
    for (const std::string& name : *names) {
      if (auto number = number_in_name(name, "log-")) segments.push_back({name, *number});
    }
    std::ranges::sort(segments, {}, &ReplayedSegment::first_number);
    if (segments.empty() ? after_ > 0 : segments.front().first_number > after_ + 1) {
      return fail(Reason::kInternalError, directory_.path() + ": the log segment with record " +
                                              std::to_string(after_ + 1) +
                                              " is missing. Restore the data directory from a backup");
    }
    return {};
  }

  bool is_covered(size_t index) const {
    return index + 1 < log_.segments.size() && log_.segments[index + 1].first_number <= after_ + 1;
  }

  Result<void> replay(size_t index) {
    ReplayedSegment& segment = log_.segments[index];
    bool last = index + 1 == log_.segments.size();
    FileResult<std::unique_ptr<File>> file = directory_.open(segment.name);
    if (!file) return file_failed(file.error());
    FileResult<uint64_t> size = (*file)->size();
    if (!size) return file_failed(size.error());
    segment.size = segment.written = *size;
    if (is_covered(index)) return {};
    SegmentReader reader(directory_.path() + "/" + segment.name, **file, *size);
    TRY_ASSIGN(SegmentHeader header, reader.header());
    bool first_read = index == 0 || is_covered(index - 1);
    if (first_read) {
      log_.next_number = header.first_number;
      log_.last_crc = header.previous_crc;
    }
    if (header.first_number != segment.first_number || header.first_number != log_.next_number ||
        header.previous_crc != log_.last_crc) {
      return reader.damaged(0, "the segment does not continue the one before it; record " +
                                   std::to_string(log_.next_number) + " is missing");
    }
    TRY_ASSIGN(segment.written, records(reader));
    if (!last && log_.next_number != log_.segments[index + 1].first_number) {
      return reader.damaged(segment.written, "the checksum of record " + std::to_string(log_.next_number) +
                                                 " is wrong, and later records exist");
    }
    if (last) {
      log_.salt = reader.salt();
      log_.last_file = *std::move(file);
    }
    return {};
  }

  // Returns where the records end.
  Result<uint64_t> records(SegmentReader& reader) {
    uint64_t offset = kSegmentHeaderBytes;
    for (;;) {
      TRY_ASSIGN(std::optional<Found> found, reader.record_at(offset));
      if (!found || found->header.number != log_.next_number || found->header.previous_crc != log_.last_crc) break;
      if (found->header.number > after_) TRY(apply_(found->header.number, found->payload));
      ++log_.next_number;
      log_.last_crc = found->header.crc;
      offset += record_bytes(found->header.length);
    }
    TRY_ASSIGN(std::optional<uint64_t> later, reader.later_record(offset, log_.next_number));
    if (later) {
      return reader.damaged(offset, "the checksum of record " + std::to_string(log_.next_number) +
                                        " is wrong, and a later record is at offset " + std::to_string(*later));
    }
    return offset;
  }

  Directory& directory_;
  const uint64_t after_;
  const FunctionRef<Result<void>(uint64_t, std::string_view)> apply_;
  ReplayedLog log_;
};

}  // namespace

Result<ReplayedLog> replay_segments(Directory& directory, uint64_t after,
                                    FunctionRef<Result<void>(uint64_t, std::string_view)> apply) {
  return Replayer(directory, after, apply).run();
}

}  // namespace kv
