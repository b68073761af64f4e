#include "schema/envelope.h"

#include <charconv>

#include "codec/wire.h"

namespace schema {
namespace {
using codec::WireReader;
using codec::WireType;

constexpr uint32_t kMetadata = 1;         // of every object
constexpr uint32_t kResourceVersion = 6;  // of ObjectMeta
constexpr uint32_t kItems = 2;            // of every list

bool read_type_meta(std::string_view bytes, TypeMeta& type) {
  WireReader reader(bytes);
  while (!reader.done()) {
    uint32_t number;
    WireType wire;
    if (!reader.read_tag(number, wire)) return false;
    if (wire == WireType::kBytes && (number == 1 || number == 2)) {
      if (!reader.read_bytes(number == 1 ? type.api_version : type.kind)) return false;
    } else if (!reader.skip(number, wire)) {
      return false;
    }
  }
  return true;
}

bool read_unknown(std::string_view bytes, Envelope& envelope) {
  WireReader reader(bytes);
  while (!reader.done()) {
    uint32_t number;
    WireType wire;
    if (!reader.read_tag(number, wire)) return false;
    if (wire != WireType::kBytes || number > 4) {
      if (!reader.skip(number, wire)) return false;
      continue;
    }
    std::string_view payload;
    if (!reader.read_bytes(payload)) return false;
    if (number == 1 && !read_type_meta(payload, envelope.type)) return false;
    if (number == 2) envelope.raw = payload;
    if (number == 3) envelope.content_encoding = payload;
    if (number == 4) envelope.content_type = payload;
  }
  return true;
}

// What stands before and after the resourceVersion in an object's bytes. `before` begins inside the metadata.
struct Cut {
  std::string_view before;  // metadata fields 1 to 5
  std::string_view after;   // the other metadata fields, then the rest of the object
  size_t metadata_after;    // how many bytes of `after` belong to the metadata
};

bool cut(std::string_view raw, Cut& result) {
  WireReader object(raw);
  uint32_t number;
  WireType wire;
  if (raw.empty() || static_cast<unsigned char>(raw[0]) != codec::wire_tag(kMetadata, WireType::kBytes)) {
    result = {{}, raw, 0};
    return true;
  }
  std::string_view metadata;
  if (!object.read_tag(number, wire) || !object.read_bytes(metadata)) return false;
  WireReader reader(metadata);
  const char* split = metadata.data();
  const char* resume = split;
  while (!reader.done()) {
    if (!reader.read_tag(number, wire)) return false;
    if (number > kResourceVersion) break;
    if (!reader.skip(number, wire)) return false;
    resume = reader.position();
    if (number < kResourceVersion) split = resume;
  }
  result.before = {metadata.data(), static_cast<size_t>(split - metadata.data())};
  result.after = {resume, static_cast<size_t>(raw.data() + raw.size() - resume)};
  result.metadata_after = static_cast<size_t>(metadata.data() + metadata.size() - resume);
  return true;
}

// Sizes first, so that everything is appended in one go.
struct Head {
  Cut cut;
  char digits[20];
  size_t digit_count;
  size_t metadata_size;
  size_t size;  // of the whole object

  bool init(std::string_view raw, uint64_t revision) {
    if (!schema::cut(raw, cut)) return false;
    digit_count = static_cast<size_t>(std::to_chars(digits, digits + sizeof digits, revision).ptr - digits);
    metadata_size = cut.before.size() + codec::bytes_field_size(kResourceVersion, digit_count) + cut.metadata_after;
    size = codec::bytes_field_size(kMetadata, metadata_size) + cut.after.size() - cut.metadata_after;
    return true;
  }
  void append_to(std::string& out) const {
    codec::append_message_header(out, kMetadata, metadata_size);
    out.append(cut.before);
    codec::append_bytes_field(out, kResourceVersion, {digits, digit_count});
  }
};

std::unexpected<base::Error> bad_object() {
  return base::fail(base::Reason::kInternalError, "stored object has malformed metadata");
}

}  // namespace

base::Result<Envelope> unwrap(std::string_view bytes) {
  if (!has_envelope(bytes)) {
    return base::fail(base::Reason::kBadRequest,
                      "provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]");
  }
  Envelope envelope;
  if (!read_unknown(bytes.substr(kEnvelopePrefix.size()), envelope)) {
    return base::fail(base::Reason::kBadRequest, "proto: malformed message k8s.io.apimachinery.pkg.runtime.Unknown");
  }
  return envelope;
}

void wrap_head(const TypeMeta& type, size_t raw_size, std::string& out) {
  out.append(kEnvelopePrefix);
  codec::append_message_header(
      out, 1, codec::bytes_field_size(1, type.api_version.size()) + codec::bytes_field_size(2, type.kind.size()));
  codec::append_bytes_field(out, 1, type.api_version);
  codec::append_bytes_field(out, 2, type.kind);
  codec::append_message_header(out, 2, raw_size);
}

void wrap(const TypeMeta& type, std::string_view raw, std::string& out) {
  out.reserve(out.size() + raw.size() + type.api_version.size() + type.kind.size() + 32);
  wrap_head(type, raw.size(), out);
  out.append(raw);
  out.append(kEnvelopeEnd);
}

base::Result<Spliced> with_resource_version(std::string_view raw, uint64_t revision) {
  Head head;
  if (!head.init(raw, revision)) return bad_object();
  Spliced result;
  result.head.reserve(head.cut.before.size() + 32);
  head.append_to(result.head);
  result.rest = head.cut.after;
  return result;
}

base::Result<void> append_answer(const TypeMeta& type, std::string_view raw, uint64_t revision, std::string& out) {
  Head head;
  if (!head.init(raw, revision)) return bad_object();
  out.reserve(out.size() + head.size + type.api_version.size() + type.kind.size() + 32);
  wrap_head(type, head.size, out);
  head.append_to(out);
  out.append(head.cut.after);
  out.append(kEnvelopeEnd);
  return {};
}

base::Result<Spliced> list_item(std::string_view raw, uint64_t revision) {
  Head head;
  if (!head.init(raw, revision)) return bad_object();
  Spliced result;
  result.head.reserve(head.cut.before.size() + 40);
  codec::append_message_header(result.head, kItems, head.size);
  head.append_to(result.head);
  result.rest = head.cut.after;
  return result;
}

base::Result<size_t> list_item_size(std::string_view raw, uint64_t revision) {
  Head head;
  if (!head.init(raw, revision)) return bad_object();
  return codec::bytes_field_size(kItems, head.size);
}

base::Result<void> append_list_item(std::string_view raw, uint64_t revision, std::string& out) {
  Head head;
  if (!head.init(raw, revision)) return bad_object();
  codec::append_message_header(out, kItems, head.size);
  head.append_to(out);
  out.append(head.cut.after);
  return {};
}

}  // namespace schema
