// An object of which a patch sees no more than it speaks of: those members as a tree, the rest as it is encoded. So a
// patch of a label costs a tree of the metadata, and not one of the whole Pod. Pure; thread: any.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "object/value.h"
#include "schema/tables.h"
#include "schema/type_meta.h"

namespace apiserver {

// Members of an object's JSON form, by name.
using MemberNames = std::vector<std::string_view>;
// Unless it is among them.
void add_name(MemberNames& names, std::string_view name);

enum class ManagedFields : uint8_t { kKept, kLeftOut };  // of the document

struct PartialDocument {
  object::Value tree;  // with kind and apiVersion
  std::string rest;    // to be appended to the encoding of the tree
};

// `names` nullopt: all members. `resource_version` is put into the metadata, when that is one of the members.
base::Result<PartialDocument> partial_document(const schema::Message& message, std::string_view raw,
                                               const schema::TypeMeta& type, const std::optional<MemberNames>& names,
                                               ManagedFields managed_fields, const std::string& resource_version);

}  // namespace apiserver
