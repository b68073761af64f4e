// The JSON text that a custom object keeps: everything of it but apiVersion, kind and metadata, as one object with
// sorted members. These find the places in it where those three stand when the whole object is shown, so that the text
// can be copied. Pure; thread: any.
#pragma once

#include <string>
#include <string_view>

#include "object/value.h"
#include "schema/tables.h"

namespace schema {

// Of Special::kCustomObject: the message of all custom objects, whose field 1 is the metadata and field 2 the content.
// In JSON the content's members stand in the object itself.

// Runs of members, without braces and without commas at their ends; views into the content.
struct ContentRuns {
  std::string_view before_version;   // keys < "apiVersion"
  std::string_view before_kind;      // keys < "kind"
  std::string_view before_metadata;  // keys < "metadata"
  std::string_view rest;
};
// False when the content is no JSON object in compact form. "" has no members.
bool split_content(std::string_view content, ContentRuns& runs);

// The content of a whole object: its members but those three, sorted at every level. "" when there is none.
std::string content_of(const object::Object& object);
// The members of a content as a tree; an empty object for "".
object::Value content_tree(std::string_view content);

}  // namespace schema
