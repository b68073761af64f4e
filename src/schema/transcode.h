// Protobuf bytes → JSON text or CBOR without a tree between: how LIST, WATCH and GET answer. Byte-equal to upstream's
// compact JSON: schema order, omission rules, escapes. Thread: any.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "schema/tables.h"
#include "schema/type_meta.h"

namespace schema {

// kind and apiVersion of whole objects inside an object. Protobuf has them not; a server writes them all the same.
enum class NestedTypes : uint8_t { kLeftOut, kWritten };

struct JsonOptions {
  TypeMeta type;  // kind and apiVersion of the top message; items of a list have none
  // When not "": written as the resourceVersion of the top message's metadata (field 1) instead of what the bytes hold;
  // stored objects hold none.
  std::string_view resource_version;
  NestedTypes nested_types = NestedTypes::kLeftOut;
};

// Appends one JSON value, no newline. For metadata alone pass the table of meta.v1 PartialObjectMetadata with any
// object's bytes (metadata is field 1 everywhere; the rest is skipped unread). Malformed bytes: kInternalError, and
// `out` is as before.
[[nodiscard]] base::Result<void> append_json(const Message& message, std::string_view bytes, const JsonOptions& options,
                                             std::string& out);

// The same as one CBOR item, without the tag that says that it is CBOR; members in the same order. Embedded JSON
// becomes CBOR too.
[[nodiscard]] base::Result<void> append_cbor(const Message& message, std::string_view bytes, const JsonOptions& options,
                                             std::string& out);

// True wire form at every depth, and JSON wherever the API embeds JSON (raw extensions, managed fields): for protobuf
// that a client sent, before it is stored. append_json trusts embedded JSON to have been checked. kBadRequest when not.
// kUnsure looks only where well-formed bytes may still be no value (Message::unsure): for bytes that will be decoded.
enum class CheckedParts : uint8_t { kAll, kUnsure };
[[nodiscard]] base::Result<void> check_message(const Message& message, std::string_view bytes,
                                               CheckedParts parts = CheckedParts::kAll);

}  // namespace schema
