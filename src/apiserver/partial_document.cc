#include "apiserver/partial_document.h"

#include <algorithm>

#include "codec/wire.h"
#include "object/status.h"
#include "schema/proto_value.h"

namespace apiserver {
namespace {

using codec::WireReader;
using codec::WireType;

constexpr uint32_t kMetadata = 1, kManagedFields = 17;

bool contains(const MemberNames& names, std::string_view name) { return std::ranges::find(names, name) != names.end(); }

// Compat: whatever a patch speaks of, raw JSON in the object is written anew by it, and differs then where it had
// spaces.
bool is_raw_json(const schema::Field& field) {
  return field.message && field.message->special == schema::Special::kRawExtension;
}

bool is_inside(const schema::Field* field, const std::optional<MemberNames>& names) {
  return !names || (field && (field->inlined || is_raw_json(*field) || contains(*names, field->json)));
}

// Appends a metadata field without what it says of managed fields: the tree of a field set costs as much as the
// object's own, and field management wants the sets as text. False: malformed.
bool append_metadata(std::string_view metadata, std::string& out) {
  std::string kept;
  kept.reserve(metadata.size());
  WireReader members(metadata);
  uint32_t field = 0;
  WireType type;
  while (!members.done()) {
    const char* begin = members.position();
    if (!members.read_tag(field, type) || !members.skip(field, type)) return false;
    if (field != kManagedFields) kept.append(begin, static_cast<size_t>(members.position() - begin));
  }
  codec::append_bytes_field(out, kMetadata, kept);
  return true;
}

bool split(const schema::Message& message, std::string_view raw, const std::optional<MemberNames>& names,
           ManagedFields managed_fields, std::string& inside, std::string& outside) {
  WireReader reader(raw);
  while (!reader.done()) {
    const char* begin = reader.position();
    uint32_t number = 0;
    WireType type;
    if (!reader.read_tag(number, type)) return false;
    std::string& part = is_inside(schema::find_number(message, number), names) ? inside : outside;
    if (number == kMetadata && type == WireType::kBytes && managed_fields == ManagedFields::kLeftOut) {
      std::string_view metadata;
      if (!reader.read_bytes(metadata) || !append_metadata(metadata, part)) return false;
      continue;
    }
    if (!reader.skip(number, type)) return false;
    part.append(begin, static_cast<size_t>(reader.position() - begin));
  }
  return true;
}

}  // namespace

void add_name(MemberNames& names, std::string_view name) {
  if (!contains(names, name)) names.push_back(name);
}

base::Result<PartialDocument> partial_document(const schema::Message& message, std::string_view raw,
                                               const schema::TypeMeta& type, const std::optional<MemberNames>& names,
                                               ManagedFields managed_fields, const std::string& resource_version) {
  PartialDocument document;
  std::string inside;
  if (!split(message, raw, names, managed_fields, inside, document.rest)) {
    return base::fail(base::Reason::kInternalError, "stored object is malformed");
  }
  TRY_ASSIGN(document.tree, schema::decode_value(message, inside, type));
  object::Object& members = *document.tree.object_if();
  if (names) {
    // JSON writes some members of every object, with nothing in them where they are not encoded.
    std::vector<std::string> others;
    for (const object::Member& member : members) {
      if (member.key == "kind" || member.key == "apiVersion") continue;
      if (!is_inside(schema::find_json_field(message, member.key), names)) others.push_back(member.key);
    }
    for (const std::string& other : others) members.erase(other);
  }
  if (object::Value* metadata = members.find("metadata"); metadata && metadata->object_if()) {
    metadata->object_if()->set("resourceVersion", resource_version);
  }
  return document;
}

}  // namespace apiserver
