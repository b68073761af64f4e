// Arena: the memory of one evaluation. Values that an evaluation makes live in it and die with it; nothing in it is
// freed alone. Owner: the caller of Program::evaluate, one thread. reset() makes it reusable without giving memory
// back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace cel {

class Arena {
 public:
  Arena() = default;
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;
  ~Arena() { destroy_objects(); }

  void* allocate(size_t bytes) {
    bytes = (bytes + 15) & ~size_t{15};
    if (bytes <= left_) {
      void* at = next_;
      next_ += bytes;
      left_ -= bytes;
      return at;
    }
    return allocate_slowly(bytes);
  }
  template <typename T>
  T* allocate_array(size_t count) {
    static_assert(std::is_trivially_destructible_v<T> && alignof(T) <= 16);
    return static_cast<T*>(allocate(count * sizeof(T)));
  }
  template <typename T, typename... A>
  T* make(A&&... arguments) {
    static_assert(alignof(T) <= 16);
    T* object = new (allocate(sizeof(T))) T(std::forward<A>(arguments)...);
    if constexpr (!std::is_trivially_destructible_v<T>) {
      destructors_.push_back({object, [](void* p) { static_cast<T*>(p)->~T(); }});
    }
    return object;
  }
  // A copy of the text that lives as long as the arena.
  std::string_view copy(std::string_view text) {
    if (text.empty()) return {};
    char* at = static_cast<char*>(allocate(text.size()));
    std::memcpy(at, text.data(), text.size());
    return {at, text.size()};
  }
  // Bytes handed out since the last reset.
  size_t used() const { return closed_ + (current_size_ - left_); }
  void reset();

 private:
  struct Destructor {
    void* object;
    void (*destroy)(void*);
  };
  void* allocate_slowly(size_t bytes);
  void destroy_objects();

  alignas(16) char first_[2048];
  char* next_ = first_;
  size_t left_ = sizeof(first_);
  size_t current_size_ = sizeof(first_);
  size_t closed_ = 0;
  std::vector<std::unique_ptr<char[]>> blocks_;
  std::vector<Destructor> destructors_;
};

}  // namespace cel
