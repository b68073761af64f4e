// SharedBytes: immutable bytes with a reference count in the same allocation (8 bytes a handle, 16 bytes of overhead a
// block). The currency of stored objects: one copy in memory, shared by store, lists, watches and caches. Thread: any.
#pragma once

#include <atomic>
#include <cstdint>
#include <cstring>
#include <new>
#include <string_view>
#include <utility>

namespace base {

class SharedBytes {
 public:
  SharedBytes() = default;
  explicit SharedBytes(std::string_view bytes) : SharedBytes(uninitialized(bytes.size())) {
    if (!bytes.empty()) std::memcpy(mutable_data(), bytes.data(), bytes.size());
  }
  SharedBytes(const SharedBytes& other) : block_(other.block_) {
    if (block_) block_->references.fetch_add(1, std::memory_order_relaxed);
  }
  SharedBytes(SharedBytes&& other) noexcept : block_(std::exchange(other.block_, nullptr)) {}
  SharedBytes& operator=(SharedBytes other) noexcept {
    std::swap(block_, other.block_);
    return *this;
  }
  ~SharedBytes() {
    if (block_ && block_->references.fetch_sub(1, std::memory_order_acq_rel) == 1) ::operator delete(block_);
  }

  // A block of `size` bytes to be filled through mutable_data() before it is shared.
  static SharedBytes uninitialized(size_t size) {
    SharedBytes result;
    if (size > 0) result.block_ = new (::operator new(sizeof(Block) + size)) Block{{1}, size};
    return result;
  }
  char* mutable_data() { return reinterpret_cast<char*>(block_ + 1); }

  std::string_view view() const {
    return block_ ? std::string_view(reinterpret_cast<const char*>(block_ + 1), block_->size) : std::string_view();
  }
  size_t size() const { return block_ ? block_->size : 0; }
  bool empty() const { return block_ == nullptr; }
  // True when both handles share one block.
  bool same(const SharedBytes& other) const { return block_ == other.block_; }

 private:
  struct Block {
    std::atomic<uint32_t> references;
    size_t size;
  };
  Block* block_ = nullptr;
};

}  // namespace base
