// YAML text to Value and back, as sigs.k8s.io/yaml does: the scalars of YAML 1.1, read as what JSON can say. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "object/json.h"
#include "object/value.h"

namespace object {

struct YamlOptions {
  // When set, receives `line 5: key "name" already set in map` for every repeated key (the later one wins).
  std::vector<std::string>* duplicate_keys = nullptr;
};

// One document; an empty text is null. Plain scalars are typed by YAML 1.1: null ~, true false yes no on off, decimal,
// octal, hexadecimal and binary integers, floats; quoted ones are strings. Keys become strings. Merge keys (<<) and
// anchors work within codec::kMaxYamlAliasNodes; nesting within codec::kMaxDepth. Infinity and NaN are errors: JSON
// cannot say them. Errors are kBadRequest and start with `error converting YAML to JSON: yaml: `.
base::Result<Value> parse_yaml(std::string_view text, const YamlOptions& options = {});

// The documents of a stream, cut at `---` lines, comments-only ones left out. Views into `text`.
std::vector<std::string_view> split_yaml_documents(std::string_view text);

// Keys sorted, two spaces a level, list items not indented below their key, strings quoted only where a plain scalar
// would read back as something else, literal blocks for strings with newlines; ends with a newline.
void append_yaml(std::string& out, const Value& value);
std::string to_yaml(const Value& value);

}  // namespace object
