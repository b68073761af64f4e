#include "cel/arena.h"

#include <algorithm>

namespace cel {

void* Arena::allocate_slowly(size_t bytes) {
  constexpr size_t kSmallest = 8192, kLargest = 1 << 20;
  const size_t size = std::max(bytes, std::clamp(current_size_ * 2, kSmallest, kLargest));
  closed_ += current_size_ - left_;
  blocks_.push_back(std::unique_ptr<char[]>(new char[size]));
  next_ = blocks_.back().get() + bytes;
  left_ = size - bytes;
  current_size_ = size;
  return blocks_.back().get();
}

void Arena::destroy_objects() {
  for (auto at = destructors_.rbegin(); at != destructors_.rend(); ++at) at->destroy(at->object);
  destructors_.clear();
}

void Arena::reset() {
  destroy_objects();
  blocks_.clear();
  next_ = first_;
  left_ = current_size_ = sizeof(first_);
  closed_ = 0;
}

}  // namespace cel
