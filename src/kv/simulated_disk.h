// A disk for simulation. It keeps apart what was written and what is on stable storage; it fails, fills up and loses
// power on command; and from a seed it says what is left afterwards: unsynced sectors each kept or lost (so that writes
// tear), unsynced names kept up to some point. Thread: one. The disk outlives the directories opened on it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/rng.h"
#include "kv/file.h"

namespace kv {

class SimulatedDisk {
 public:
  SimulatedDisk() = default;
  std::unique_ptr<Directory> open(std::string path = "/sim");

  // The operation with this number (the first change is 1), if a write, happens in part; it and all later ones fail.
  void fail_from(uint64_t operation) { fail_from_ = operation; }
  void fail_next_sync() { fail_next_sync_ = true; }
  // Total size of all files; beyond it writes fail with kNoSpace, having written what fits.
  void set_capacity(uint64_t bytes) { capacity_ = bytes; }
  // Reads return at most this many bytes.
  void set_read_limit(uint64_t bytes) { read_limit_ = bytes; }
  uint64_t operations() const { return operations_; }
  uint64_t used() const;

  // The process was killed: the disk works again, and has all that was written, on stable storage or not.
  void kill();
  // What is there after the power was lost: another disk.
  SimulatedDisk after_power_loss(base::Rng& rng) const;

  // The bytes of a file, to be damaged by a test; null when there is none.
  std::string* bytes(const std::string& name);
  std::vector<std::string> names() const;

 private:
  class SimulatedDirectory;
  class SimulatedFile;
  class SimulatedLock;
  static constexpr uint64_t kSector = 512;

  struct Inode {
    std::string written;
    std::string durable;
    std::vector<std::pair<uint64_t, uint64_t>> unsynced;  // offset, length
  };
  using InodePtr = std::shared_ptr<Inode>;
  using Names = std::map<std::string, InodePtr>;

  // Counts a change; the error when it is not to happen (any more).
  FileResult<void> change();
  bool lost() const { return fail_from_ != 0 && operations_ >= fail_from_; }
  void rename_names(std::function<void(Names&)> operation);

  Names names_;
  Names durable_names_;
  std::vector<std::function<void(Names&)>> unsynced_names_;
  uint64_t operations_ = 0;
  uint64_t fail_from_ = 0;
  bool fail_next_sync_ = false;
  std::optional<uint64_t> capacity_;
  std::optional<uint64_t> read_limit_;
  bool locked_ = false;
};

}  // namespace kv
