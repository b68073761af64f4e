// What structural schemas refuse or cut off.
#pragma once

#include <cstddef>

namespace schema {

// Errors that one validation reports; what is wrong beyond them is not looked for.
inline constexpr size_t kMaxSchemaErrors = 1000;
// Parts of one schema; a larger one does not compile (kInvalid).
inline constexpr size_t kMaxSchemaNodes = 500'000;
// Schemas nested in schemas. The protobuf codec's limit on stored CRDs is lower.
inline constexpr int kMaxSchemaDepth = 400;

}  // namespace schema
