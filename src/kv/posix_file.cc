#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

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

class PosixFile final : public File {
 public:
  PosixFile(Descriptor fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}

  FileResult<size_t> read_at(uint64_t offset, std::span<char> buffer) override {
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

  FileResult<void> write_at(uint64_t offset, std::string_view bytes) override {
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
  const Descriptor fd_;
  const std::string path_;
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
