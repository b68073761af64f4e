// Box<T>: a nullable pointer with value semantics: copying copies what it points to, == compares it. T may be
// incomplete where a Box of it is declared. Thread: as T.
#pragma once

#include <utility>

namespace base {

template <typename T>
class Box {
 public:
  Box() = default;
  Box(std::nullptr_t) {}  // NOLINT(google-explicit-constructor): so that a Box is assigned nullptr like a pointer
  Box(T value) : pointer_(new T(std::move(value))) {}  // NOLINT(google-explicit-constructor)
  Box(const Box& other) : pointer_(other.pointer_ ? new T(*other.pointer_) : nullptr) {}
  Box(Box&& other) noexcept : pointer_(std::exchange(other.pointer_, nullptr)) {}
  Box& operator=(Box other) noexcept {
    std::swap(pointer_, other.pointer_);
    return *this;
  }
  ~Box() { delete pointer_; }

  explicit operator bool() const { return pointer_ != nullptr; }
  T* get() { return pointer_; }
  const T* get() const { return pointer_; }
  T& operator*() { return *pointer_; }
  const T& operator*() const { return *pointer_; }
  T* operator->() { return pointer_; }
  const T* operator->() const { return pointer_; }
  // The value, made with its defaults first if there is none.
  T& ensure() {
    if (!pointer_) pointer_ = new T();
    return *pointer_;
  }
  void reset() { *this = Box(); }
  bool operator==(const Box& other) const {
    return pointer_ && other.pointer_ ? *pointer_ == *other.pointer_ : pointer_ == other.pointer_;
  }

 private:
  T* pointer_ = nullptr;
};

}  // namespace base
