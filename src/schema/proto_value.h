// Protobuf bytes ↔ JSON-shaped Value, driven by the tables: what clients send in JSON or YAML becomes stored bytes, and
// stored bytes become the tree that patches, apply and admission work on. Thread: any.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "object/value.h"
#include "schema/tables.h"
#include "schema/type_meta.h"

namespace object {
class TextValue;
}

namespace schema {

// Whose words say what is wrong with a document.
enum class Decoder : uint8_t { kJson, kCbor };

struct ValueEncodeOptions {
  Decoder decoder = Decoder::kJson;
  // When set, collects what upstream's strict decoding reports, in document order: `unknown field "spec.foo"`.
  // The caller joins them: "strict decoding error: A, B". Null: unknown members are dropped in silence.
  // Compat: of CBOR only one is reported, by its place in its map: `cbor: found unknown field at map element index 3`.
  std::vector<std::string>* strict_issues = nullptr;
  // The JSON text that `value` was parsed from, or "". Numbers like 1.50 or 1e3 are then quoted in errors, and stand in
  // raw extensions, as the client wrote them; a Value forgets their form.
  std::string_view source_json;
};

// Appends the encoding of `value` to `out`; `kind` and `apiVersion` at the top of a message with type_meta are skipped.
// Names match case-sensitively; null leaves a member unset. Fails with kBadRequest and upstream's text of a decoding
// error ("json: cannot unmarshal string into Go struct field PodSpec.spec.containers of type []v1.Container"), without
// the sentence that a handler puts before it; `out` is then as before.
[[nodiscard]] base::Result<void> encode_value(const Message& message, const object::Value& value, std::string& out,
                                              const ValueEncodeOptions& options = {});

// The same of a document in which nothing is wrong, not even an unknown member; nullopt: something is, and encode_value
// says what.
[[nodiscard]] std::optional<std::string> encode_ordinary(const Message& message, const object::TextValue& value,
                                                         std::string_view source_json);

// The value that JSON of these bytes would parse to: members in schema order, left out by the JSON rules. `type` gives
// kind and apiVersion of the top message ("" = left out).
[[nodiscard]] base::Result<object::Value> decode_value(const Message& message, std::string_view bytes,
                                                       const TypeMeta& type = {});

}  // namespace schema
