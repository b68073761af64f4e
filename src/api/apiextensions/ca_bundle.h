// The certificates that a conversion webhook's server is checked against. Pure; thread: any.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "object/field_error.h"

namespace api {

// Why nothing can be checked against the bundle; nothing when it has a certificate. Compat: one that can be read is
// enough. A certificate counts as readable when it is one whole DER sequence.
std::optional<std::string> ca_bundle_problem(std::string_view bundle);
// An empty bundle is none.
void validate_ca_bundle(std::string_view bundle, const object::FieldPath& path, object::FieldErrors& errors);

}  // namespace api
