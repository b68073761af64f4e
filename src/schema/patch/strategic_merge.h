// Strategic merge patch: a merge patch that knows the schema's lists (merge by key or replace) and directives ($patch,
// $deleteFromPrimitiveList, $setElementOrder, $retainKeys). Pure; thread: any.
//
// Errors have upstream's texts and reasons: kBadRequest for directives of a bad shape, kInvalid with the fixed text for
// lists of lists, kUnknown (HTTP 500 without a reason) for all others, such as a missing merge key.
#pragma once

#include "base/result.h"
#include "object/value.h"
#include "schema/tables.h"

namespace schema {

// `type` is the message of the object. What the patch says of unknown members is kept: strict decoding finds it later.
base::Result<object::Value> apply_strategic_merge_patch(object::Value document, object::Value patch,
                                                        const Message& type);

}  // namespace schema
