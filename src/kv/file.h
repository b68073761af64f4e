// The port to the disk: everything the store does with files goes through here, so that tests can put a simulated disk
// with lost pages, torn writes and failures in its place (simulated_disk.h).
// Thread: any; one File is used by one thread at a time.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace kv {

struct FileError {
  enum class Code : uint8_t { kNotFound, kNoSpace, kBusy, kOther };
  Code code = Code::kOther;
  std::string message;  // names the file and the operation
};
template <typename T>
using FileResult = std::expected<T, FileError>;

class File {
 public:
  virtual ~File() = default;
  // Reads up to buffer.size() bytes; fewer only at the end of the file.
  virtual FileResult<size_t> read_at(uint64_t offset, std::span<char> buffer) = 0;
  virtual FileResult<void> write_at(uint64_t offset, std::string_view bytes) = 0;
  // A hint: writes follow one another from `offset` on, and behind the last one are zeros or the end of the file, to
  // which zeros may be added. Such writes may go past the system's page cache. It holds until a
  // write is elsewhere, or a read.
  virtual FileResult<void> write_in_order(uint64_t) { return {}; }
  // Reserves space for the first `size` bytes. The caller still writes them, so that later writes change no metadata.
  virtual FileResult<void> reserve(uint64_t size) = 0;
  // What was written, and the size, are on stable storage. After an error nothing is known about earlier writes.
  virtual FileResult<void> sync() = 0;
  virtual FileResult<uint64_t> size() = 0;
};

// Held until destroyed; given up by the system when the process dies.
class FileLock {
 public:
  virtual ~FileLock() = default;
};

// One data directory. Names are plain file names in it.
class Directory {
 public:
  virtual ~Directory() = default;
  virtual const std::string& path() const = 0;
  virtual FileResult<std::vector<std::string>> list() = 0;
  virtual FileResult<std::unique_ptr<File>> open(const std::string& name) = 0;
  virtual FileResult<std::unique_ptr<File>> create(const std::string& name) = 0;  // empty, replacing any
  virtual FileResult<void> rename(const std::string& from, const std::string& to) = 0;
  virtual FileResult<void> remove(const std::string& name) = 0;
  // Names made, renamed and removed so far are on stable storage.
  virtual FileResult<void> sync() = 0;
  // kBusy when another process (or another lock of this one) holds it.
  virtual FileResult<std::unique_ptr<FileLock>> lock(const std::string& name) = 0;
};

// Creates the directory (mode 0700) and its parents where missing.
FileResult<std::unique_ptr<Directory>> open_directory(const std::string& path);

}  // namespace kv
