// Internal to object/yaml*.cc: what a plain scalar means by YAML 1.1, as go-yaml v2 reads it. Pure.
#pragma once

#include <string_view>

#include "object/value.h"

namespace object {

enum class ScalarKind : uint8_t { kString, kNull, kBool, kInt, kFloat, kTimestamp, kInfinity };

struct PlainScalar {
  ScalarKind kind = ScalarKind::kString;
  Value value;  // of strings, timestamps and infinities: the text
};

// Floats without a fraction become integers when they fit (Compat: sigs.k8s.io/yaml passes them through JSON text).
PlainScalar resolve_plain_scalar(std::string_view text);

// True for 1:30 and the like, which other YAML 1.1 readers take for numbers.
bool is_base60(std::string_view text);

}  // namespace object
