// The limits of the patch engines.
#pragma once

#include <cstddef>

namespace schema {

// Operations of one JSON patch. More: RequestEntityTooLarge with upstream's text.
inline constexpr size_t kMaxJsonPatchOperations = 10'000;
// JSON bytes that the "copy" operations of one patch may add together. More: the patch does not apply.
inline constexpr size_t kMaxJsonPatchCopyBytes = size_t{3} * 1024 * 1024;
// Nesting that a JSON patch may build by moving and copying. More: the patch does not apply.
inline constexpr int kMaxPatchedDepth = 1'000;

}  // namespace schema
