#include "storage/signature.h"

#include <bit>
#include <functional>

#include "schema/envelope.h"

namespace storage {
namespace {

struct SignedField {
  std::string_view prefix;
  schema::NumberPath path;
};
// What clients select by in every large cluster: kubelets and `kubectl describe node` the Pods of a node, the scheduler
// those of none, and `kubectl describe` the Events about an object.
constexpr SignedField kSignedFields[] = {
    {"/registry/pods", {{2, 10}, 2}},   // spec.nodeName
    {"/registry/events", {{2, 3}, 2}},  // involvedObject.name
};

uint64_t hash(std::string_view text) {
  // The standard library's hash is fast; multiplying spreads it to the upper bits.
  return std::hash<std::string_view>()(text) * 0x9e3779b97f4a7c15;
}

schema::NumberPath field_of_key(std::string_view key) {
  for (const SignedField& field : kSignedFields) {
    if (key.starts_with(field.prefix) && key.substr(field.prefix.size()).starts_with('/')) return field.path;
  }
  return {};
}

}  // namespace

// A label sets one bit in each of three words of 32.
kv::Signature label_signature(std::string_view key, std::string_view value) {
  const uint64_t mixed = (hash(key) ^ std::rotl(hash(value), 29)) * 0xff51afd7ed558ccd;
  const auto bit = [&](int from) { return uint64_t{1} << ((mixed >> from) & 31); };
  return {bit(40) | bit(48) << 32, bit(56)};
}

schema::NumberPath signed_field(std::string_view prefix) {
  for (const SignedField& field : kSignedFields) {
    if (prefix == field.prefix) return field.path;
  }
  return {};
}

// Sixteen bits of hash beside their complement in the fourth word: of two values with different hashes, neither covers
// the other.
kv::Signature field_signature(std::string_view value) {
  const uint64_t bits = hash(value) >> 48;
  return {0, (bits << 32) | ((~bits & 0xffff) << 48)};
}

kv::Signature ObjectSigner::sign(std::string_view key, std::string_view value) const {
  const auto envelope = schema::unwrap(value);
  if (!envelope) return kv::Signature::unknown();
  const auto metadata = schema::view_metadata(envelope->raw);
  if (!metadata) return kv::Signature::unknown();
  kv::Signature signature;
  for (const auto& [name, text] : metadata->labels) signature = signature | label_signature(name, text);
  if (const schema::NumberPath path = field_of_key(key); path.size > 0) {
    signature = signature | field_signature(schema::find_bytes(envelope->raw, path).value_or(std::string_view()));
  }
  return signature;
}

}  // namespace storage
