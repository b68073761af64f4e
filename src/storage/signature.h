// Signatures of stored objects: what lets a list with a selector pass the objects that cannot match without touching
// them. A signature holds every label, and for some resources one field that clients select by; it may promise too much
// (two labels may set the same bits), never too little. What is no protobuf object has the signature that covers
// everything. Invariant: a pure function of key and value, so that it is right in every snapshot. Thread: any.
#pragma once

#include <string_view>

#include "kv/tree.h"
#include "schema/metadata_view.h"

namespace storage {

class ObjectSigner final : public kv::Signer {
 public:
  kv::Signature sign(std::string_view key, std::string_view value) const override;
};

// The bits of every object with this label.
kv::Signature label_signature(std::string_view key, std::string_view value);

// The path of the string field that the objects below a key prefix ("/registry/pods") are signed with; size 0: none.
schema::NumberPath signed_field(std::string_view prefix);
// The bits of every such object whose field has this value ("" when it is not set).
kv::Signature field_signature(std::string_view value);

}  // namespace storage
