#include "apiserver/watch/encoder.h"

#include <algorithm>

#include "apiserver/body.h"
#include "apiserver/core.h"
#include "apiserver/crd/custom_kind.h"
#include "apiserver/document.h"
#include "apiserver/limits.h"
#include "apiserver/partial.h"
#include "apiserver/respond.h"
#include "codec/cbor.h"
#include "gen/meta/v1.h"
#include "schema/envelope.h"
#include "schema/proto_struct.h"
#include "schema/transcode.h"
#include "storage/stored_object.h"

namespace apiserver {
namespace {

using PartialMetadata = ::api::meta::v1::PartialObjectMetadata;

std::string_view type_name(EventType type) {
  switch (type) {
    case EventType::kAdded:
      return "ADDED";
    case EventType::kModified:
      return "MODIFIED";
    case EventType::kDeleted:
      return "DELETED";
    case EventType::kBookmark:
      break;
  }
  return "BOOKMARK";
}

void append_length(std::string& out, size_t size) {
  for (; size >= 0x80; size >>= 7) out += static_cast<char>((size & 0x7f) | 0x80);
  out += static_cast<char>(size);
}
size_t length_size(size_t size) {
  size_t bytes = 1;
  for (; size >= 0x80; size >>= 7) ++bytes;
  return bytes;
}

std::string_view static_version(std::string_view version) { return version == "v1beta1" ? "v1beta1" : "v1"; }

}  // namespace

base::SharedBytes EncodedEvents::find(const Key& key) const {
  base::MutexLock lock(mutex_);
  // Newest first: watchers of one event come one after the other.
  for (size_t i = 0; i < ring_.size(); ++i) {
    const Entry& entry = ring_[(next_ + ring_.size() - 1 - i) % ring_.size()];
    if (entry.key == key) return entry.bytes;
    if (i == 8) break;  // an event's encodings are added within a few of each other
  }
  return {};
}

void EncodedEvents::add(const Key& key, kv::KeyValueRef object, base::SharedBytes bytes) {
  base::MutexLock lock(mutex_);
  Entry entry{key, std::move(object), std::move(bytes)};
  if (ring_.size() < kEncodedEvents) {
    ring_.push_back(std::move(entry));
    next_ = ring_.size() % kEncodedEvents;
  } else {
    ring_[next_] = std::move(entry);
    next_ = (next_ + 1) % kEncodedEvents;
  }
}

EventEncoder::EventEncoder(const RequestContext& context, IncludeObject include, EncodedEvents* shared)
    : endpoint_(*context.endpoint->main),
      accepted_(context.accepted),
      include_(include),
      clock_(context.core->clock()),
      shared_(shared) {}

std::string EventEncoder::frame(EventType, std::string_view name, std::string_view object) const {
  std::string out;
  if (accepted_.type == MediaType::kCbor) {
    out.reserve(object.size() + name.size() + 24);
    codec::CborWriter writer(out);
    writer.self_described();
    writer.begin_map();
    writer.key("type");
    writer.string(name);
    writer.key("object");
    writer.item(object);
    writer.end_map();
    return out;
  }
  if (accepted_.type != MediaType::kProtobuf) {
    out.reserve(object.size() + name.size() + 24);
    out += "{\"type\":\"";
    out += name;
    out += "\",\"object\":";
    out += object;
    out += "}\n";
    return out;
  }
  // WatchEvent {type = 1, object = 2 {raw = 1}} behind its length in four bytes.
  const size_t extension = 1 + length_size(object.size()) + object.size();
  const size_t event = 1 + length_size(name.size()) + name.size() + 1 + length_size(extension) + extension;
  out.reserve(event + 4);
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>((event >> shift) & 0xff);
  out += '\x0a';
  append_length(out, name.size());
  out += name;
  out += '\x12';
  append_length(out, extension);
  out += '\x0a';
  append_length(out, object.size());
  out += object;
  return out;
}

base::Result<std::string> EventEncoder::object_bytes(const WatchItem& item) {
  TRY_ASSIGN(storage::StoredObject stored, storage::open_stored(item.object));
  std::string converted;
  // What a webhook makes of an object shows in its metadata too.
  if (endpoint_.custom && endpoint_.custom->waits()) {
    TRY_ASSIGN(stored.raw, served_view(endpoint_, stored.raw, converted));
  }
  const std::string rv = std::to_string(item.revision);
  const auto revision = static_cast<uint64_t>(item.revision);
  const std::string version = "meta.k8s.io/" + accepted_.form_version;
  std::string out;
  if (accepted_.form == Form::kTable) {
    append_table_head(endpoint_, accepted_.form_version, "{\"resourceVersion\":\"" + rv + "\"}",
                      columns_sent_ ? WithColumns::kNo : WithColumns::kYes, out);
    columns_sent_ = true;
    TRY(append_table_row(endpoint_, stored.raw, item.revision, accepted_.form_version, include_, clock_.wall_now(),
                         out));
    out += kTableEnd;
    return document_of_json(accepted_.type, Place::kWhole, std::move(out));
  }
  const bool partial = accepted_.form != Form::kObject;
  if (accepted_.type == MediaType::kProtobuf) {
    std::string raw;
    if (partial) {
      TRY_ASSIGN(raw, partial_message(&endpoint_, stored.raw));
      TRY(schema::append_answer({version, "PartialObjectMetadata"}, raw, revision, out));
    } else if (endpoint_.conversion) {
      TRY_ASSIGN(raw, to_served(endpoint_, stored.raw));
      TRY(schema::append_answer(endpoint_.type(), raw, revision, out));
    } else {
      TRY(schema::append_answer(endpoint_.type(), stored.raw, revision, out));
    }
    return out;
  }
  if (partial) {
    TRY(append_partial(&endpoint_, stored.raw, {accepted_.type, Place::kWhole, accepted_.form_version}, item.revision,
                       out));
    return out;
  }
  std::string shown;
  TRY_ASSIGN(const std::string_view served, served_view(endpoint_, stored.raw, shown));
  TRY(append_document(accepted_.type, Place::kWhole, *endpoint_.served, served,
                      {endpoint_.type(), rv, schema::NestedTypes::kWritten}, out));
  return out;
}

base::Result<base::SharedBytes> EventEncoder::encode(const WatchItem& item) {
  const bool share = shared_ && accepted_.form != Form::kTable;
  EncodedEvents::Key key{item.object.get(), item.revision,  item.type,      &endpoint_,
                         endpoint_.serial,  accepted_.type, accepted_.form, static_version(accepted_.form_version)};
  if (share) {
    if (base::SharedBytes found = shared_->find(key); !found.empty()) return found;
  }
  TRY_ASSIGN(std::string object, object_bytes(item));
  base::SharedBytes bytes(frame(item.type, type_name(item.type), object));
  if (share) shared_->add(key, item.object, bytes);
  return bytes;
}

base::Result<std::string> EventEncoder::bookmark(int64_t revision, InitialEnd initial_end) {
  const std::string version = "meta.k8s.io/" + accepted_.form_version;
  const std::string rv = std::to_string(revision);
  const bool partial = accepted_.form != Form::kObject;
  const schema::Message& message = partial ? gen::message_of<PartialMetadata>() : *endpoint_.served;
  api::AnyObject empty = api::AnyObject::make(message);
  if (initial_end == InitialEnd::kYes) {
    api::meta_of(message, empty.get()).annotations["k8s.io/initial-events-end"] = "true";
  }
  const std::string raw = encode_struct(empty);
  const schema::TypeMeta type = partial ? schema::TypeMeta{version, "PartialObjectMetadata"} : endpoint_.type();
  std::string out;
  if (accepted_.form == Form::kTable) {
    append_table_head(endpoint_, accepted_.form_version, "{\"resourceVersion\":\"" + rv + "\"}",
                      columns_sent_ ? WithColumns::kNo : WithColumns::kYes, out);
    columns_sent_ = true;
    out += R"({"cells":[],"object":)";
    TRY(schema::append_json(message, raw, {type, rv}, out));
    out += "}" + std::string(kTableEnd);
    TRY_ASSIGN(out, document_of_json(accepted_.type, Place::kWhole, std::move(out)));
  } else if (accepted_.type == MediaType::kProtobuf) {
    TRY(schema::append_answer(type, raw, static_cast<uint64_t>(revision), out));
  } else {
    TRY(append_document(accepted_.type, Place::kWhole, message, raw, {type, rv}, out));
  }
  return frame(EventType::kBookmark, "BOOKMARK", out);
}

std::string EventEncoder::error(const base::Error& error) const {
  Accepted plain = accepted_;
  plain.form = Form::kObject;
  plain.pretty = Pretty::kCompact;
  std::string status = encode_status(plain, error);
  if (accepted_.type == MediaType::kJson && status.ends_with('\n')) status.pop_back();
  return frame(EventType::kBookmark, "ERROR", status);
}

}  // namespace apiserver
