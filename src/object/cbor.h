// CBOR to Value and back, as upstream's `application/cbor`. Pure; thread: any.
//
// Reading: text and byte strings are both strings; a byte string below a tag that expects base64, base64url or hex is
// that text; dates (tags 0 and 1) are RFC 3339 text; other tags mean nothing. Integers fit int64. Refused: keys that
// repeat or are no strings, floats that are not finite, big numbers, `undefined` and unassigned simple values, text
// that is no UTF-8, and what exceeds codec/limits.h. Byte strings may hold anything.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "object/json.h"
#include "object/value.h"

namespace object {

// How deep an error lies; kTopKeys: in the names of the outermost map, or in its kind or apiVersion. Compat: upstream
// finds out the type of an object first, and tells what hinders that before all else.
enum class CborFault : uint8_t { kNone, kUnreadable, kTopKeys, kInside };

struct CborOptions {
  CborFault* fault = nullptr;  // when set, receives where the error lies
  Value* rest = nullptr;       // when set and the fault is kInside, receives the document without what is at fault
};

// One item and nothing after it. Errors are kBadRequest with upstream's text.
base::Result<Value> parse_cbor(std::string_view bytes, const CborOptions& options = {});

// The word that upstream's decoder uses for a value in errors: "byte string", "positive integer", "primitives", "map".
std::string_view cbor_type_name(const Value& value);

enum class CborOrder : uint8_t {
  kKept,    // members in their order. Compat: upstream answers in a random order
  kSorted,  // by the bytes of their encoded keys, at every level: upstream's deterministic form
};

// One item, without the tag that says that it is CBOR.
void append_cbor(std::string& out, const Value& value, CborOrder order = CborOrder::kKept);
// With the tag.
std::string to_cbor(const Value& value, CborOrder order = CborOrder::kKept);

}  // namespace object
