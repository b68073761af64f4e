// JSON merge patch (RFC 7386) as upstream applies it. Pure; thread: any.
#pragma once

#include "base/result.h"
#include "object/value.h"

namespace schema {

// The patched document, which is an object. Errors are kBadRequest with upstream's text: a patch that is null or no
// object.
base::Result<object::Value> apply_merge_patch(object::Value document, const object::Value& patch);

}  // namespace schema
