// Objects as text: a message's bytes as the JSON or the CBOR of an answer. Thread: any.
#pragma once

#include <string>
#include <string_view>

#include "apiserver/negotiate.h"
#include "base/result.h"
#include "schema/transcode.h"

namespace apiserver {

// Appends one document: a CBOR item, behind its tag if it is a whole answer; for all other types JSON, without a
// newline.
enum class Place : uint8_t { kWhole, kInside };
base::Result<void> append_document(MediaType type, Place place, const schema::Message& message, std::string_view raw,
                                   const schema::JsonOptions& options, std::string& out);

// What was made as JSON text, in the negotiated type: the text itself, or CBOR.
base::Result<std::string> document_of_json(MediaType type, Place place, std::string json);

}  // namespace apiserver
