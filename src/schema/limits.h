// What the codecs refuse. Beyond a limit the answer is an error of reason kBadRequest that names it.
#pragma once

#include <cstddef>

namespace schema {

// Nested messages in protobuf, and nested values in JSON. Every level is a stack frame.
inline constexpr int kMaxDepth = 400;
// One encoded message. Sizes inside it are 32-bit.
inline constexpr size_t kMaxMessageBytes = size_t{1} << 30;

}  // namespace schema
