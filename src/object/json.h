// JSON text to Value and back, with the rules of Go's encoding/json where clients see them. Pure; thread: any.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "object/value.h"

namespace object {

// What a member does that stands more than once in one object.
enum class Duplicates : uint8_t {
  kReplace,  // the later value replaces the earlier one (documents without a type)
  kMerge,    // the same, but an object is merged into an earlier object (Compat: how Go decodes into structs and maps)
};

struct JsonOptions {
  Duplicates duplicates = Duplicates::kReplace;
  // When set, receives the path of every repeated member, `spec.containers[0].image`, in the order of the text.
  std::vector<std::string>* duplicate_fields = nullptr;
};

// One document with nothing but white space around it. Integers that fit int64 become kInt, all other numbers kDouble
// (the nearest one; beyond the range of double is an error). Invalid UTF-8 and lone surrogates become U+FFFD. Nesting
// is limited by codec::kMaxDepth. Errors are kBadRequest with the text of Go's encoding/json, such as `unexpected end
// of JSON input` and `invalid character 'x' after top-level value`.
base::Result<Value> parse_json(std::string_view text, const JsonOptions& options = {});

// The same without the quick way for ordinary documents: for tests that compare the two.
base::Result<Value> parse_json_carefully(std::string_view text, const JsonOptions& options = {});

enum class KeyOrder : uint8_t {
  kKept,    // members in their order
  kSorted,  // members sorted by the bytes of their keys, at every level (Compat: how Go writes maps)
};

// Compact, without a newline at the end.
void append_json(std::string& out, const Value& value, KeyOrder order = KeyOrder::kKept);
std::string to_json(const Value& value, KeyOrder order = KeyOrder::kKept);
// Two spaces a level, without a newline at the end; empty arrays and objects are [] and {}.
void append_pretty_json(std::string& out, const Value& value, KeyOrder order = KeyOrder::kKept);
std::string to_pretty_json(const Value& value, KeyOrder order = KeyOrder::kKept);

// The word that Go's decoder uses for a JSON value in errors: "string", "number", "bool", "array", "object", "null".
std::string_view json_type_name(const Value& value);

}  // namespace object
