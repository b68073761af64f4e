// What a conversion webhook may make of an object: another version of the same kind, name, namespace and uid, with
// labels and annotations of its choice; all other metadata stays. Pure.
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "object/value.h"

namespace apiserver {

enum class ConvertedPart : uint8_t { kForm, kType, kIdentity, kMetadata };
struct ConvertedError {
  ConvertedPart part;  // what is wrong
  std::string detail;  // upstream's text
};

// Checks `converted` and gives it the metadata that it should have.
std::expected<void, ConvertedError> check_converted(const object::Value& original, std::string_view api_version,
                                                    object::Value& converted);

}  // namespace apiserver
