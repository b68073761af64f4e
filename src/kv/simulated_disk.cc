#include "kv/simulated_disk.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace kv {

namespace {
std::unexpected<FileError> failed(FileError::Code code, std::string message) {
  return std::unexpected(FileError{code, std::move(message)});
}
std::unexpected<FileError> power_lost() { return failed(FileError::Code::kOther, "the simulated disk is gone"); }
}  // namespace

class SimulatedDisk::SimulatedFile final : public File {
 public:
  SimulatedFile(SimulatedDisk& disk, InodePtr inode) : disk_(disk), inode_(std::move(inode)) {}

  FileResult<size_t> read_at(uint64_t offset, std::span<char> buffer) override {
    if (disk_.lost()) return power_lost();
    const std::string& bytes = inode_->written;
    size_t count = offset < bytes.size() ? std::min<uint64_t>(buffer.size(), bytes.size() - offset) : 0;
    if (disk_.read_limit_) count = std::min(count, *disk_.read_limit_);
    std::memcpy(buffer.data(), bytes.data() + std::min<uint64_t>(offset, bytes.size()), count);
    return count;
  }

  FileResult<void> write_at(uint64_t offset, std::string_view bytes) override {
    bool lost_before = disk_.lost();
    FileResult<void> happens = disk_.change();
    if (lost_before) return happens;
    uint64_t fits = bytes.size();
    if (!happens) fits /= 2;  // the write that the power failed in
    uint64_t grows = offset + bytes.size() - std::min<uint64_t>(offset + bytes.size(), inode_->written.size());
    uint64_t room = disk_.capacity_ ? *disk_.capacity_ - std::min(*disk_.capacity_, disk_.used()) : grows;
    if (grows > room) fits = std::min(fits, bytes.size() - (grows - room));
    if (inode_->written.size() < offset + fits) inode_->written.resize(offset + fits);
    std::memcpy(inode_->written.data() + offset, bytes.data(), fits);
    inode_->unsynced.emplace_back(offset, fits);
    if (happens && fits < bytes.size()) return failed(FileError::Code::kNoSpace, "no space on the simulated disk");
    return happens;
  }

  FileResult<void> reserve(uint64_t size) override {
    if (FileResult<void> happens = disk_.change(); !happens) return happens;
    uint64_t grows = size - std::min<uint64_t>(size, inode_->written.size());
    if (disk_.capacity_ && disk_.used() + grows > *disk_.capacity_) {
      return failed(FileError::Code::kNoSpace, "no space on the simulated disk");
    }
    return {};
  }

  // Compat: on Linux a failed fsync leaves the pages clean: a second fsync succeeds, and they are lost with the power.
  FileResult<void> sync() override {
    if (FileResult<void> happens = disk_.change(); !happens) return happens;
    inode_->unsynced.clear();
    if (std::exchange(disk_.fail_next_sync_, false)) {
      return failed(FileError::Code::kOther, "the simulated sync failed");
    }
    inode_->durable = inode_->written;
    return {};
  }

  FileResult<uint64_t> size() override {
    if (disk_.lost()) return power_lost();
    return inode_->written.size();
  }

 private:
  SimulatedDisk& disk_;
  const InodePtr inode_;
};

class SimulatedDisk::SimulatedLock final : public FileLock {
 public:
  explicit SimulatedLock(SimulatedDisk& disk) : disk_(disk) { disk_.locked_ = true; }
  ~SimulatedLock() override { disk_.locked_ = false; }

 private:
  SimulatedDisk& disk_;
};

class SimulatedDisk::SimulatedDirectory final : public Directory {
 public:
  SimulatedDirectory(SimulatedDisk& disk, std::string path) : disk_(disk), path_(std::move(path)) {}

  const std::string& path() const override { return path_; }

  FileResult<std::vector<std::string>> list() override {
    if (disk_.lost()) return power_lost();
    return disk_.names();
  }

  FileResult<std::unique_ptr<File>> open(const std::string& name) override {
    if (disk_.lost()) return power_lost();
    auto found = disk_.names_.find(name);
    if (found == disk_.names_.end()) return failed(FileError::Code::kNotFound, "no file " + name);
    return std::make_unique<SimulatedFile>(disk_, found->second);
  }

  FileResult<std::unique_ptr<File>> create(const std::string& name) override {
    if (FileResult<void> happens = disk_.change(); !happens) return std::unexpected(happens.error());
    auto inode = std::make_shared<Inode>();
    disk_.rename_names([name, inode](Names& names) { names[name] = inode; });
    return std::make_unique<SimulatedFile>(disk_, inode);
  }

  FileResult<void> rename(const std::string& from, const std::string& to) override {
    if (FileResult<void> happens = disk_.change(); !happens) return happens;
    if (!disk_.names_.contains(from)) return failed(FileError::Code::kNotFound, "no file " + from);
    disk_.rename_names([from, to](Names& names) {
      auto found = names.find(from);
      if (found == names.end()) return;  // its creation was lost
      names[to] = found->second;
      names.erase(from);
    });
    return {};
  }

  FileResult<void> remove(const std::string& name) override {
    if (FileResult<void> happens = disk_.change(); !happens) return happens;
    if (!disk_.names_.contains(name)) return failed(FileError::Code::kNotFound, "no file " + name);
    disk_.rename_names([name](Names& names) { names.erase(name); });
    return {};
  }

  FileResult<void> sync() override {
    if (FileResult<void> happens = disk_.change(); !happens) return happens;
    disk_.durable_names_ = disk_.names_;
    disk_.unsynced_names_.clear();
    return {};
  }

  FileResult<std::unique_ptr<FileLock>> lock(const std::string& name) override {
    if (disk_.locked_) return failed(FileError::Code::kBusy, name + " is locked");
    return std::make_unique<SimulatedLock>(disk_);
  }

 private:
  SimulatedDisk& disk_;
  const std::string path_;
};

std::unique_ptr<Directory> SimulatedDisk::open(std::string path) {
  return std::make_unique<SimulatedDirectory>(*this, std::move(path));
}

FileResult<void> SimulatedDisk::change() {
  ++operations_;
  if (lost()) return power_lost();
  return {};
}

void SimulatedDisk::rename_names(std::function<void(Names&)> operation) {
  operation(names_);
  unsynced_names_.push_back(std::move(operation));
}

uint64_t SimulatedDisk::used() const {
  uint64_t total = 0;
  for (const auto& [name, inode] : names_) total += inode->written.size();
  return total;
}

std::string* SimulatedDisk::bytes(const std::string& name) {
  auto found = names_.find(name);
  return found == names_.end() ? nullptr : &found->second->written;
}

std::vector<std::string> SimulatedDisk::names() const {
  std::vector<std::string> result;
  for (const auto& [name, inode] : names_) result.push_back(name);
  return result;
}

void SimulatedDisk::kill() {
  fail_from_ = 0;
  fail_next_sync_ = false;
  locked_ = false;
}

SimulatedDisk SimulatedDisk::after_power_loss(base::Rng& rng) const {
  Names names = durable_names_;
  bool in_order = rng.below(2) == 0;
  uint64_t kept = rng.below(unsynced_names_.size() + 1);
  for (uint64_t i = 0; i < unsynced_names_.size(); ++i) {
    if (in_order ? i < kept : rng.below(2) == 0) unsynced_names_[i](names);
  }
  SimulatedDisk result;
  for (const auto& [name, inode] : names) {
    std::string bytes = inode->durable;
    for (const auto& [offset, length] : inode->unsynced) {
      for (uint64_t at = offset; at < offset + length;) {
        uint64_t next = std::min((at / kSector + 1) * kSector, offset + length);
        if (rng.below(2) == 0) {
          if (bytes.size() < next) bytes.resize(next);
          std::memcpy(bytes.data() + at, inode->written.data() + at, next - at);
        }
        at = next;
      }
    }
    auto copy = std::make_shared<Inode>();
    copy->written = copy->durable = std::move(bytes);
    result.names_[name] = std::move(copy);
  }
  result.durable_names_ = result.names_;
  return result;
}

}  // namespace kv
