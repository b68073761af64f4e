#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "base/result.h"
#include "kv/file.h"

namespace kv {

namespace {

std::unexpected<FileError> failed(const char* operation, const std::string& path, int code = errno) {
  FileError error;
  if (code == ENOENT) error.code = FileError::Code::kNotFound;
  if (code == ENOSPC || code == EDQUOT) error.code = FileError::Code::kNoSpace;
  if (code == EWOULDBLOCK) error.code = FileError::Code::kBusy;
  char text[128];
  error.message = std::string("cannot ") + operation + " " + path + ": " + strerror_r(code, text, sizeof(text));
  return std::unexpected(std::move(error));
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

// Memory for direct writes, whose addresses, offsets and sizes are multiples of a block.
class Blocks {
 public:
  static constexpr size_t kBlock = 4096;
  ~Blocks() { free(); }
  Blocks() = default;
  Blocks(const Blocks&) = delete;
  Blocks& operator=(const Blocks&) = delete;

  char* data() { return data_; }
  void free() {
    std::free(std::exchange(data_, nullptr));
    size_ = 0;
  }
  // Room for at least so many bytes; the first `kept` stay. False: there is no memory.
  bool reserve(size_t size, size_t kept) {
    if (size <= size_) return true;
    const size_t wanted = (size + kBlock - 1) / kBlock * kBlock;
    char* more = static_cast<char*>(std::aligned_alloc(kBlock, wanted));
    if (!more) return false;
    if (kept > 0) std::memcpy(more, data_, kept);
    std::free(data_);
    data_ = more;
    size_ = wanted;
    return true;
  }

 private:
  char* data_ = nullptr;
  size_t size_ = 0;
};

class PosixFile final : public File {
 public:
  PosixFile(Descriptor fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}

  FileResult<size_t> read_at(uint64_t offset, std::span<char> buffer) override {
    leave_direct();  // reads of any place and size
    size_t done = 0;
    while (done < buffer.size()) {
      ssize_t got = ::pread(fd_.get(), buffer.data() + done, buffer.size() - done, static_cast<off_t>(offset + done));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return failed("read", path_);
      if (got == 0) break;
      done += static_cast<size_t>(got);
    }
    return done;
  }

  // What stands before `offset` in its block is read first: it will be written again, as it was.
  FileResult<void> write_in_order(uint64_t offset) override {
    leave_direct();
    const size_t inside = offset % Blocks::kBlock;
    if (!blocks_.reserve(Blocks::kBlock, 0)) return {};
    if (inside > 0) {
      TRY_ASSIGN(const size_t got, read_at(offset - inside, std::span<char>(blocks_.data(), inside)));
      if (got != inside) return {};
    }
    const int flags = ::fcntl(fd_.get(), F_GETFL);
    direct_ = flags >= 0 && ::fcntl(fd_.get(), F_SETFL, flags | O_DIRECT) == 0;  // not on every file system
    end_ = offset;
    return {};
  }

  FileResult<void> write_at(uint64_t offset, std::string_view bytes) override {
    if (direct_ && offset == end_) {
      size_t done = 0;
      while (done < bytes.size() && write_direct(bytes.substr(done, kMostDirect))) {
        done += std::min(bytes.size() - done, kMostDirect);
      }
      if (done == bytes.size()) return {};
      offset += done;
      bytes.remove_prefix(done);
    }
    if (direct_) leave_direct();
    while (!bytes.empty()) {
      ssize_t put = ::pwrite(fd_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
      if (put < 0 && errno == EINTR) continue;
      if (put < 0) return failed("write", path_);
      bytes.remove_prefix(static_cast<size_t>(put));
      offset += static_cast<uint64_t>(put);
    }
    return {};
  }

  FileResult<void> reserve(uint64_t size) override {
    if (::fallocate(fd_.get(), 0, 0, static_cast<off_t>(size)) == 0) return {};
    if (errno == EOPNOTSUPP || errno == ENOSYS) return {};  // the zeros written afterwards reserve it as well
    return failed("reserve space for", path_);
  }

  FileResult<void> sync() override {
    if (::fdatasync(fd_.get()) != 0) return failed("sync", path_);
    return {};
  }

  FileResult<uint64_t> size() override {
    struct stat info;
    if (::fstat(fd_.get(), &info) != 0) return failed("stat", path_);
    return static_cast<uint64_t>(info.st_size);
  }

 private:
  static constexpr size_t kMostDirect = size_t{1} << 20;

  // False: it did not work, whatever the cause; the file is as if nothing had been written.
  bool write_direct(std::string_view bytes) {
    const size_t inside = end_ % Blocks::kBlock;
    const size_t used = inside + bytes.size();
    const size_t whole = (used + Blocks::kBlock - 1) / Blocks::kBlock * Blocks::kBlock;
    if (!blocks_.reserve(whole, inside)) return false;
    std::memcpy(blocks_.data() + inside, bytes.data(), bytes.size());
    std::memset(blocks_.data() + used, 0, whole - used);
    ssize_t put;
    do {
      put = ::pwrite(fd_.get(), blocks_.data(), whole, static_cast<off_t>(end_ - inside));
    } while (put < 0 && errno == EINTR);
    if (put != static_cast<ssize_t>(whole)) return false;
    end_ += bytes.size();
    const size_t tail = end_ % Blocks::kBlock;
    std::memmove(blocks_.data(), blocks_.data() + used - tail, tail);
    return true;
  }

  void leave_direct() {
    if (!std::exchange(direct_, false)) return;
    const int flags = ::fcntl(fd_.get(), F_GETFL);
    static_cast<void>(::fcntl(fd_.get(), F_SETFL, flags & ~O_DIRECT));
    blocks_.free();
  }

  const Descriptor fd_;
  const std::string path_;
  bool direct_ = false;  // writes go past the page cache
  uint64_t end_ = 0;     // of the last one
  Blocks blocks_;        // begins with what is in end_'s block before it
};

class PosixLock final : public FileLock {
 public:
  explicit PosixLock(Descriptor fd) : fd_(std::move(fd)) {}

 private:
  const Descriptor fd_;
};

class PosixDirectory final : public Directory {
 public:
  PosixDirectory(Descriptor fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}

  const std::string& path() const override { return path_; }

  FileResult<std::vector<std::string>> list() override {
    DIR* stream = ::opendir(path_.c_str());
    if (!stream) return failed("list", path_);
    std::vector<std::string> names;
    while (const dirent* entry = ::readdir(stream)) {
      std::string name = entry->d_name;
      if (name != "." && name != "..") names.push_back(std::move(name));
    }
    ::closedir(stream);
    return names;
  }

  FileResult<std::unique_ptr<File>> open(const std::string& name) override { return open_file(name, 0, "open"); }
  FileResult<std::unique_ptr<File>> create(const std::string& name) override {
    return open_file(name, O_CREAT | O_TRUNC, "create");
  }

  FileResult<void> rename(const std::string& from, const std::string& to) override {
    if (::renameat(fd_.get(), from.c_str(), fd_.get(), to.c_str()) != 0) return failed("rename", join(from));
    return {};
  }
  FileResult<void> remove(const std::string& name) override {
    if (::unlinkat(fd_.get(), name.c_str(), 0) != 0) return failed("remove", join(name));
    return {};
  }
  FileResult<void> sync() override {
    if (::fsync(fd_.get()) != 0) return failed("sync", path_);
    return {};
  }

  FileResult<std::unique_ptr<FileLock>> lock(const std::string& name) override {
    Descriptor fd(::openat(fd_.get(), name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    if (fd.get() < 0) return failed("open", join(name));
    if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) return failed("lock", join(name));
    return std::make_unique<PosixLock>(std::move(fd));
  }

 private:
  std::string join(const std::string& name) const { return path_ + "/" + name; }

  FileResult<std::unique_ptr<File>> open_file(const std::string& name, int flags, const char* operation) {
    Descriptor fd(::openat(fd_.get(), name.c_str(), O_RDWR | O_CLOEXEC | flags, 0600));
    if (fd.get() < 0) return failed(operation, join(name));
    return std::make_unique<PosixFile>(std::move(fd), join(name));
  }

  const Descriptor fd_;
  const std::string path_;
};

}  // namespace

FileResult<std::unique_ptr<Directory>> open_directory(const std::string& path) {
  for (size_t slash = path.find('/', 1);; slash = path.find('/', slash + 1)) {
    std::string parent = path.substr(0, slash);
    if (::mkdir(parent.c_str(), 0700) != 0 && errno != EEXIST) return failed("create directory", parent);
    if (slash == std::string::npos) break;
  }
  Descriptor fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd.get() < 0) return failed("open directory", path);
  return std::make_unique<PosixDirectory>(std::move(fd), path);
}

}  // namespace kv
