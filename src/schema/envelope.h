// The envelope of stored and sent protobuf objects: "k8s\0" and a runtime.Unknown {typeMeta, raw, "", ""}; and putting
// the resourceVersion, which stored bytes leave empty, into an answer without decoding or copying the object. Thread:
// any.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "schema/type_meta.h"

namespace schema {

inline constexpr std::string_view kEnvelopePrefix{"k8s\0", 4};
// contentEncoding "" and contentType "", which end every envelope.
inline constexpr std::string_view kEnvelopeEnd{"\x1a\0\x22\0", 4};

struct Envelope {
  TypeMeta type;
  std::string_view raw;  // the object's message
  std::string_view content_encoding;
  std::string_view content_type;
};

inline bool has_envelope(std::string_view bytes) { return bytes.starts_with(kEnvelopePrefix); }

// Views into `bytes`. kBadRequest when the prefix is missing or the message malformed.
[[nodiscard]] base::Result<Envelope> unwrap(std::string_view bytes);

// Appends the whole envelope of `raw`.
void wrap(const TypeMeta& type, std::string_view raw, std::string& out);
// Appends the envelope up to where `raw_size` bytes of raw, then kEnvelopeEnd, must follow.
void wrap_head(const TypeMeta& type, size_t raw_size, std::string& out);

// `head` then `rest` are an object's bytes with its resourceVersion set; `rest` views the input, `head` is short.
struct Spliced {
  std::string head;
  std::string_view rest;
  size_t size() const { return head.size() + rest.size(); }
};
// `raw`: an object whose field 1 is its ObjectMeta (made if it is missing). kInternalError when malformed.
[[nodiscard]] base::Result<Spliced> with_resource_version(std::string_view raw, uint64_t revision);

// Appends the whole answer for a stored object: envelope of `type` around `raw` with its resourceVersion set.
[[nodiscard]] base::Result<void> append_answer(const TypeMeta& type, std::string_view raw, uint64_t revision,
                                               std::string& out);
// The same as an element of a list's items (field 2): `head` has the element's tag and size too.
[[nodiscard]] base::Result<Spliced> list_item(std::string_view raw, uint64_t revision);
// Its bytes.
[[nodiscard]] base::Result<size_t> list_item_size(std::string_view raw, uint64_t revision);
// Appends `raw` with its resourceVersion as one element of a list's items (field 2).
[[nodiscard]] base::Result<void> append_list_item(std::string_view raw, uint64_t revision, std::string& out);

}  // namespace schema
