// Internal to encode_value: says what is wrong with a document that did not encode, in the words and the order of
// upstream's decoder. Slow; runs only for documents that have something to report.
#pragma once

#include "schema/proto_value.h"

namespace schema::internal {

// Collects unknown members into options.strict_issues; the error is the one that upstream returns: the first that a
// type with its own decoding reports, else the first type error.
base::Result<void> diagnose_value(const Message& message, const object::Value& value,
                                  const ValueEncodeOptions& options);

}  // namespace schema::internal
