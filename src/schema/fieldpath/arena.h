// A bump allocator for one operation on field sets: everything made in it lives until it is destroyed. What it holds is
// trivially destructible. Thread: as plain data.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>
#include <type_traits>
#include <vector>

namespace schema {

class Arena {
 public:
  Arena() = default;
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  // Uninitialized room for `count` objects.
  template <typename T>
  T* allocate(size_t count) {
    static_assert(std::is_trivially_destructible_v<T> && alignof(T) <= kAlign);
    return static_cast<T*>(raw(count * sizeof(T)));
  }
  template <typename T>
  T* create(const T& value) {
    return new (allocate<T>(1)) T(value);
  }
  std::string_view copy(std::string_view text) {
    if (text.empty()) return {};
    char* bytes = static_cast<char*>(raw(text.size()));
    std::memcpy(bytes, text.data(), text.size());
    return {bytes, text.size()};
  }

 private:
  static constexpr size_t kAlign = 8;
  static constexpr size_t kFirst = 4096;
  static constexpr size_t kChunk = size_t{32} * 1024;

  void* raw(size_t size) {
    size = (size + kAlign - 1) & ~(kAlign - 1);
    if (size > left_) {
      const size_t room = size > kChunk ? size : kChunk;
      chunks_.push_back(std::make_unique_for_overwrite<std::byte[]>(room));
      next_ = chunks_.back().get();
      left_ = room;
    }
    void* place = next_;
    next_ += size;
    left_ -= size;
    return place;
  }

  alignas(kAlign) std::byte first_[kFirst];
  std::byte* next_ = first_;
  size_t left_ = kFirst;
  std::vector<std::unique_ptr<std::byte[]>> chunks_;
};

}  // namespace schema
