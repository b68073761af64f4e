// JSON patch (RFC 6902) with upstream's liberties: negative and signed array indexes, `replace` of an absent member
// adds it, an operation without a value writes null, `test` distinguishes 1 from 1.0. Pure; thread: any.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "object/value.h"

namespace schema {

struct JsonPatchOperation {
  std::string op;
  std::optional<std::string> path;
  std::optional<std::string> from;
  object::Value value;
};

struct JsonPatch {
  std::vector<JsonPatchOperation> operations;
};

// Reads the patch document. Errors: kBadRequest when it has another shape (text of Go's decoder),
// kRequestEntityTooLarge above kMaxJsonPatchOperations. `unknown_fields`, when given, receives one line for each member
// of an operation that has no meaning: `json patch unknown field "[0].x"`.
base::Result<JsonPatch> decode_json_patch(const object::Value& document,
                                          std::vector<std::string>* unknown_fields = nullptr);

// The patched document. Errors: kInvalid with upstream's fixed text and empty details when an operation does not apply
// (the cause is told by apply_json_patch_traced), and nothing else.
base::Result<object::Value> apply_json_patch(object::Value document, const JsonPatch& patch);

// The same; on failure `cause` tells which operation failed and why, in our own words, for the log.
base::Result<object::Value> apply_json_patch_traced(object::Value document, const JsonPatch& patch, std::string& cause);

}  // namespace schema
