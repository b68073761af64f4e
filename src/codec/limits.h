// The limits of every decoder of outside bytes. What happens when one is reached is said beside it.
#pragma once

#include <cstddef>
#include <cstdint>

namespace codec {

// Nesting of arrays and objects in a JSON or YAML text. Deeper: the error `exceeded max depth` (bad request).
// Compat: upstream's limit is 10,000; every level costs a stack frame of our recursive walks (< 500 bytes), and so the
// same limit needs < 5 MB, within the 8 MB stack of a worker; kMaxDepth is what fits in 1 MB with room to spare.
inline constexpr int kMaxDepth = 1000;

// Nesting of messages in protobuf bytes. Deeper: malformed.
// Compat: upstream's decoders have no limit but recursive types (JSONSchemaProps); this is protobuf's customary one.
inline constexpr int kMaxWireDepth = 100;

// Values that a YAML document may hold after its anchors are expanded. More: an error that says so.
inline constexpr size_t kMaxYamlNodes = 2'000'000;
// Values, and bytes of text in them, that come from anchors and aliases: a small document that expands to more is
// hostile. More: an error that says so.
inline constexpr size_t kMaxYamlAliasNodes = 100'000;
inline constexpr size_t kMaxYamlAliasBytes = 16'000'000;

// CBOR: nesting of maps, arrays and tags, and how much one array or map may hold. More: `exceeded max …` (bad request).
// Compat: upstream's numbers.
inline constexpr int kMaxCborDepth = 64;
inline constexpr uint64_t kMaxCborElements = 1024;
inline constexpr uint64_t kMaxCborPairs = 1024;

}  // namespace codec
