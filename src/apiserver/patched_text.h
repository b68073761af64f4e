// What a patch made of a document, in the words of upstream's errors. Pure; thread: any.
#pragma once

#include <string>

#include "object/value.h"
#include "schema/patch/json_patch.h"

namespace apiserver {

// A document as upstream's patch library writes it: objects that the merge patch `reached` reaches sorted by key, the
// others as they were.
std::string patched_text(const object::Value& document, const object::Value& reached);
// The containers that JSON patch operations walk through, as the merge patch that would reach them.
object::Value reached_by(const schema::JsonPatch& patch);

}  // namespace apiserver
