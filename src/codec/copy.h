// Copying texts that are mostly short, as names and values in objects are: the call to memcpy costs more than the copy.
// Pure.
#pragma once

#include <cstddef>
#include <cstring>

namespace codec {

inline void copy_text(char* to, const char* from, size_t size) {
  // Two blocks that may overlap cover every size from one block to two.
  const auto both_ends = [&]<size_t kBlock>() {
    char head[kBlock];
    char tail[kBlock];
    std::memcpy(head, from, kBlock);
    std::memcpy(tail, from + size - kBlock, kBlock);
    std::memcpy(to, head, kBlock);
    std::memcpy(to + size - kBlock, tail, kBlock);
  };
  if (size > 32) {
    std::memcpy(to, from, size);
  } else if (size >= 16) {
    both_ends.operator()<16>();
  } else if (size >= 8) {
    both_ends.operator()<8>();
  } else if (size >= 4) {
    both_ends.operator()<4>();
  } else {
    for (size_t i = 0; i < size; ++i) to[i] = from[i];
  }
}

}  // namespace codec
