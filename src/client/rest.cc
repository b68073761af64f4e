#include "client/rest.h"

#include <charconv>

#include "base/check.h"
#include "client/limits.h"
#include "codec/wire.h"
#include "gen/catalogue.h"
#include "gen/meta/v1.h"
#include "object/json.h"
#include "object/status.h"
#include "schema/envelope.h"
#include "schema/metadata_view.h"
#include "schema/proto_value.h"

namespace client {
namespace {

using base::Reason;
using object::Value;

constexpr std::string_view kProtobuf = "application/vnd.kubernetes.protobuf";
constexpr std::string_view kJson = "application/json";
constexpr std::string_view kAccept = "application/vnd.kubernetes.protobuf,application/json";
// Of objects that are not built in, the metadata: all that is known of their form here.
constexpr std::string_view kAcceptPartial =
    "application/vnd.kubernetes.protobuf;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,"
    "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json";
constexpr std::string_view kAcceptPartialList =
    "application/vnd.kubernetes.protobuf;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,"
    "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json";
constexpr std::string_view kAcceptWatch =
    "application/vnd.kubernetes.protobuf;stream=watch,application/vnd.kubernetes.protobuf,application/json";
constexpr std::string_view kPartialKind = "PartialObjectMetadata";

// ---- requests ----

void append_escaped(std::string& out, std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) || c == '-' || c == '_' || c == '.' || c == '~') {
      out += c;
    } else {
      out += '%';
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    }
  }
}

class Target {
 public:
  Target(const schema::Resource& resource, std::string_view ns, std::string_view name) {
    text_ = resource.group.empty() ? "/api" : "/apis/" + std::string(resource.group);
    segment(resource.version);
    if (resource.namespaced && !ns.empty()) {
      segment("namespaces");
      segment(ns);
    }
    segment(resource.name);
    if (!name.empty()) segment(name);
    if (!resource.subresource.empty()) segment(resource.subresource);
  }
  void query(std::string_view name, std::string_view value) {
    text_ += separator_;
    separator_ = '&';
    text_ += name;
    text_ += '=';
    append_escaped(text_, value);
  }
  void query_unless_empty(std::string_view name, std::string_view value) {
    if (!value.empty()) query(name, value);
  }
  std::string take() { return std::move(text_); }

 private:
  void segment(std::string_view text) {
    text_ += '/';
    append_escaped(text_, text);
  }
  std::string text_;
  char separator_ = '?';
};

// The kind of what stands in bodies: of a scale or an eviction it belongs to another group.
std::string api_version_of(const schema::Resource& resource) {
  const bool other = !resource.response_version.empty();
  const std::string_view group = other ? resource.response_group : resource.group;
  const std::string_view version = other ? resource.response_version : resource.version;
  return group.empty() ? std::string(version) : std::string(group) + "/" + std::string(version);
}

// Null for kinds that are not built in.
const schema::Kind* kind_of(const schema::Resource& resource) {
  const bool other = !resource.response_version.empty();
  return gen::find_kind(other ? resource.response_group : resource.group,
                        other ? resource.response_version : resource.version, resource.kind);
}
bool is_partial(const schema::Resource& resource) { return kind_of(resource) == nullptr; }

const schema::Message& message_of(const schema::Resource& resource) {
  const schema::Kind* kind = kind_of(resource);
  return kind ? *kind->message : gen::message_of<api::meta::v1::PartialObjectMetadata>();
}

std::string_view patch_content_type(PatchType type) {
  switch (type) {
    case PatchType::kMerge:
      return "application/merge-patch+json";
    case PatchType::kStrategicMerge:
      return "application/strategic-merge-patch+json";
    case PatchType::kJson:
      return "application/json-patch+json";
    case PatchType::kApply:
      break;
  }
  return "application/apply-patch+yaml";
}

std::string_view method_of(Verb verb) {
  switch (verb) {
    case Verb::kGet:
      return "GET";
    case Verb::kCreate:
      return "POST";
    case Verb::kUpdate:
      return "PUT";
    case Verb::kPatch:
      return "PATCH";
    case Verb::kDelete:
    case Verb::kDeleteCollection:
      break;
  }
  return "DELETE";
}

std::string delete_options(const Call& call) {
  object::Object options;
  options.append("kind", "DeleteOptions");
  options.append("apiVersion", "v1");
  if (call.grace_period_seconds) options.append("gracePeriodSeconds", *call.grace_period_seconds);
  object::Object preconditions;
  if (!call.precondition_uid.empty()) preconditions.append("uid", call.precondition_uid);
  if (call.precondition_revision) preconditions.append("resourceVersion", std::to_string(*call.precondition_revision));
  if (!preconditions.empty()) options.append("preconditions", std::move(preconditions));
  constexpr std::string_view kPolicies[] = {"", "Orphan", "Background", "Foreground"};
  if (call.propagation != Propagation::kUnset)
    options.append("propagationPolicy", kPolicies[static_cast<size_t>(call.propagation)]);
  return object::to_json(Value(std::move(options)));
}

void set_object_body(const Call& call, Encoding encoding, net::ClientRequest& request) {
  CHECK(!is_partial(*call.resource));  // the rest of the object would be lost
  const std::string api_version = api_version_of(*call.resource);
  const schema::TypeMeta type{api_version, call.resource->kind};
  if (encoding == Encoding::kProtobuf) {
    std::string body;
    schema::wrap(type, call.body, body);
    request.body = net::Body(std::move(body));
    request.headers.push_back({"content-type", std::string(kProtobuf)});
    return;
  }
  auto value = schema::decode_value(message_of(*call.resource), call.body, type);
  CHECK(value.has_value());  // the caller's own encoding
  request.body = net::Body(object::to_json(*value));
  request.headers.push_back({"content-type", std::string(kJson)});
}

// ---- answers ----

bool is_protobuf(std::string_view content_type) { return content_type.starts_with(kProtobuf); }

int64_t parse_revision(std::string_view text) {
  int64_t revision = 0;
  std::from_chars(text.data(), text.data() + text.size(), revision);
  return revision;
}

base::Result<RawObject> raw_object(std::string_view message) {
  TRY_ASSIGN(schema::MetadataView metadata, schema::view_metadata(message));
  RawObject raw;
  raw.bytes = base::SharedBytes(message);
  raw.size = static_cast<uint32_t>(message.size());
  raw.revision = parse_revision(metadata.resource_version);
  return raw;
}

base::Result<RawObject> raw_object(const schema::Message& message, const Value& value) {
  std::string bytes;
  TRY(schema::encode_value(message, value, bytes));
  return raw_object(bytes);
}

std::unexpected<base::Error> malformed(std::string_view what) {
  return base::fail(Reason::kInternalError, "the server's answer is not understood: " + std::string(what));
}

base::Result<Value> status_of_envelope(const schema::Envelope& envelope) {
  return schema::decode_value(gen::message_of<api::meta::v1::Status>(), envelope.raw);
}

base::Result<ListPage> read_protobuf_list(const net::Response& response) {
  TRY_ASSIGN(schema::Envelope envelope, schema::unwrap(response.body));
  ListPage page;
  codec::WireReader reader(envelope.raw);
  while (!reader.done()) {
    uint32_t field;
    codec::WireType type;
    std::string_view bytes;
    if (!reader.read_tag(field, type)) return malformed("cut off");
    if (type != codec::WireType::kBytes || (field != 1 && field != 2)) {
      if (!reader.skip(field, type)) return malformed("cut off");
      continue;
    }
    if (!reader.read_bytes(bytes)) return malformed("cut off");
    if (field == 1) {  // ListMeta: 2 resourceVersion, 3 continue
      page.result.revision = parse_revision(schema::find_bytes(bytes, {2}).value_or(""));
      page.continue_token = schema::find_bytes(bytes, {3}).value_or("");
      continue;
    }
    TRY_ASSIGN(RawObject item, raw_object(bytes));
    page.result.items.push_back(std::move(item));
  }
  return page;
}

base::Result<ListPage> read_json_list(const schema::Resource& resource, const net::Response& response) {
  TRY_ASSIGN(Value list, object::parse_json(response.body));
  ListPage page;
  page.result.revision = parse_revision(list.string_at({"metadata", "resourceVersion"}));
  page.continue_token = list.string_at({"metadata", "continue"});
  const Value* items = list.find("items");
  if (!items || !items->array_if()) return page;
  for (const Value& item : *items->array_if()) {
    TRY_ASSIGN(RawObject raw, raw_object(message_of(resource), item));
    page.result.items.push_back(std::move(raw));
  }
  return page;
}

Reason reason_of_status(int status) {
  switch (status) {
    case 400:
      return Reason::kBadRequest;
    case 401:
      return Reason::kUnauthorized;
    case 403:
      return Reason::kForbidden;
    case 404:
      return Reason::kNotFound;
    case 405:
      return Reason::kMethodNotAllowed;
    case 406:
      return Reason::kNotAcceptable;
    case 409:
      return Reason::kConflict;
    case 410:
      return Reason::kGone;
    case 413:
      return Reason::kRequestEntityTooLarge;
    case 415:
      return Reason::kUnsupportedMediaType;
    case 422:
      return Reason::kInvalid;
    case 429:
      return Reason::kTooManyRequests;
    case 503:
      return Reason::kServiceUnavailable;
    case 504:
      return Reason::kTimeout;
    default:
      return status >= 500 ? Reason::kInternalError : Reason::kUnknown;
  }
}

int32_t retry_after_of(const net::Headers& headers) {
  const std::string_view text = net::header_value(headers, "retry-after");
  int32_t seconds = 0;
  std::from_chars(text.data(), text.data() + text.size(), seconds);
  return seconds;
}

}  // namespace

net::ClientRequest make_request(const Call& call, Encoding encoding, const std::string& field_manager) {
  net::ClientRequest request;
  request.method = method_of(call.verb);
  request.headers.push_back({"accept", std::string(is_partial(*call.resource) ? kAcceptPartial : kAccept)});
  const bool writes = call.verb == Verb::kCreate || call.verb == Verb::kUpdate || call.verb == Verb::kPatch;
  Target target(*call.resource, call.ns, call.verb == Verb::kDeleteCollection ? std::string_view() : call.name);
  if (writes) {
    target.query_unless_empty("fieldManager", call.field_manager.empty() ? field_manager : call.field_manager);
  } else if (call.verb == Verb::kDeleteCollection) {
    target.query_unless_empty("labelSelector", call.label_selector);
    target.query_unless_empty("fieldSelector", call.field_selector);
  }
  request.target = target.take();
  if (call.verb == Verb::kPatch) {
    request.headers.push_back({"content-type", std::string(patch_content_type(call.patch_type))});
    request.body = net::Body(call.body);
  } else if (writes) {
    set_object_body(call, encoding, request);
  } else if (call.verb != Verb::kGet) {
    request.headers.push_back({"content-type", std::string(kJson)});
    request.body = net::Body(delete_options(call));
  }
  return request;
}

net::ClientRequest make_list_request(const ListCall& call, const ListPosition& position) {
  net::ClientRequest request;
  request.headers.push_back({"accept", std::string(is_partial(*call.resource) ? kAcceptPartialList : kAccept)});
  Target target(*call.resource, call.ns, "");
  target.query_unless_empty("labelSelector", call.label_selector);
  target.query_unless_empty("fieldSelector", call.field_selector);
  if (position.limit > 0) target.query("limit", std::to_string(position.limit));
  target.query_unless_empty("continue", position.continue_token);
  request.target = target.take();
  return request;
}

net::ClientRequest make_watch_request(const ListCall& call, int64_t revision, base::Duration timeout) {
  net::ClientRequest request;
  request.headers.push_back({"accept", std::string(is_partial(*call.resource) ? kAcceptPartial : kAcceptWatch)});
  Target target(*call.resource, call.ns, "");
  target.query("watch", "true");
  target.query("allowWatchBookmarks", "true");
  target.query("resourceVersion", std::to_string(revision));
  target.query("timeoutSeconds", std::to_string(std::chrono::duration_cast<std::chrono::seconds>(timeout).count()));
  target.query_unless_empty("labelSelector", call.label_selector);
  target.query_unless_empty("fieldSelector", call.field_selector);
  request.target = target.take();
  return request;
}

bool is_success(int status) { return status >= 200 && status < 300; }

base::Error read_error(int status, const net::Headers& headers, std::string_view body) {
  base::Result<Value> value = base::fail(Reason::kUnknown, "");
  if (is_protobuf(net::header_value(headers, "content-type"))) {
    if (auto envelope = schema::unwrap(body); envelope && envelope->type.kind == "Status")
      value = status_of_envelope(*envelope);
  } else if (body.starts_with('{')) {
    value = object::parse_json(body);
    if (value && value->string_at({"kind"}) != "Status") value = base::fail(Reason::kUnknown, "");
  }
  base::Error error;
  if (value) {
    error = object::error_from_status(*value);
    if (error.reason == Reason::kUnknown) error.reason = reason_of_status(status);
  } else {
    error.reason = reason_of_status(status);
    error.message = "the server answered " + std::to_string(status) + " " + std::string(net::status_phrase(status));
  }
  const int32_t retry_after = retry_after_of(headers);
  if (retry_after > 0 && (!error.details || error.details->retry_after_seconds == 0)) {
    base::ErrorDetails details = error.details ? *error.details : base::ErrorDetails{};
    details.retry_after_seconds = retry_after;
    error.details = std::make_shared<const base::ErrorDetails>(std::move(details));
  }
  return error;
}

base::Result<RawObject> read_object(const schema::Resource& resource, const net::Response& response) {
  if (is_protobuf(response.header("content-type"))) {
    TRY_ASSIGN(schema::Envelope envelope, schema::unwrap(response.body));
    const std::string_view expected = is_partial(resource) ? kPartialKind : resource.kind;
    if (envelope.type.kind == "Status" || envelope.type.kind != expected) return RawObject();
    return raw_object(envelope.raw);
  }
  TRY_ASSIGN(Value value, object::parse_json(response.body));
  const std::string_view kind = value.string_at({"kind"});
  if (kind != resource.kind && !(is_partial(resource) && kind == kPartialKind)) return RawObject();
  return raw_object(message_of(resource), value);
}

base::Result<ListPage> read_list(const schema::Resource& resource, const net::Response& response) {
  if (is_protobuf(response.header("content-type"))) return read_protobuf_list(response);
  return read_json_list(resource, response);
}

WatchReader::WatchReader(const schema::Resource& resource, std::string_view content_type)
    : resource_(resource), encoding_(is_protobuf(content_type) ? Encoding::kProtobuf : Encoding::kJson) {}

// The frame at the start of `bytes` and how much it takes with its length or newline; 0 when it is not whole.
base::Result<size_t> WatchReader::next_frame(std::string_view bytes, std::string_view& frame) const {
  if (encoding_ == Encoding::kJson) {
    const size_t end = bytes.find('\n');
    if (end == std::string_view::npos) {
      if (bytes.size() > kMaxWatchFrameBytes) return malformed("an event of a watch is too large");
      return 0;
    }
    frame = bytes.substr(0, end);
    return end + 1;
  }
  if (bytes.size() < 4) return 0;
  size_t size = 0;
  for (size_t i = 0; i < 4; ++i) size = size << 8 | static_cast<unsigned char>(bytes[i]);
  if (size > kMaxWatchFrameBytes) return malformed("an event of a watch is too large");
  if (bytes.size() < size + 4) return 0;
  frame = bytes.substr(4, size);
  return size + 4;
}

base::Result<WatchEvent> WatchReader::read_frame(std::string_view frame) const {
  std::string type;
  RawObject object;
  base::Result<Value> status = base::fail(Reason::kUnknown, "");
  if (encoding_ == Encoding::kProtobuf) {  // WatchEvent {1 type, 2 {1 raw}}
    type = schema::find_bytes(frame, {1}).value_or("");
    TRY_ASSIGN(schema::Envelope envelope, schema::unwrap(schema::find_bytes(frame, {2, 1}).value_or("")));
    if (type == "ERROR") {
      status = status_of_envelope(envelope);
    } else {
      TRY_ASSIGN(object, raw_object(envelope.raw));
    }
  } else {
    TRY_ASSIGN(Value event, object::parse_json(frame));
    type = event.string_at({"type"});
    const Value* content = event.find("object");
    if (!content) return malformed("an event of a watch without object");
    if (type == "ERROR") {
      status = *content;
    } else {
      TRY_ASSIGN(object, raw_object(message_of(resource_), *content));
    }
  }
  if (type == "ERROR") {
    if (!status) return malformed("an error in a watch");
    base::Error error = object::error_from_status(*status);
    const Value* code = status->find("code");
    if (error.reason == Reason::kUnknown && code && code->int_if())
      error.reason = reason_of_status(static_cast<int>(*code->int_if()));
    return base::fail(std::move(error));
  }
  WatchEvent event{WatchType::kAdded, {}, object.revision};
  if (type == "MODIFIED")
    event.type = WatchType::kModified;
  else if (type == "DELETED")
    event.type = WatchType::kDeleted;
  else if (type == "BOOKMARK")
    event.type = WatchType::kBookmark;
  else if (type != "ADDED")
    return malformed("an event of type \"" + type + "\"");
  if (event.type != WatchType::kBookmark) event.object = std::move(object);
  return event;
}

base::Result<void> WatchReader::feed(std::string_view bytes, const std::function<void(const WatchEvent&)>& each) {
  const bool joined = !left_.empty();
  if (joined) left_ += bytes;
  std::string_view rest = joined ? std::string_view(left_) : bytes;
  size_t consumed = 0;
  for (;;) {
    std::string_view frame;
    TRY_ASSIGN(const size_t taken, next_frame(rest, frame));
    if (taken == 0) break;
    rest.remove_prefix(taken);
    consumed += taken;
    if (frame.empty()) continue;
    TRY_ASSIGN(const WatchEvent event, read_frame(frame));
    each(event);
  }
  if (joined) {
    left_.erase(0, consumed);
  } else {
    left_ = rest;
  }
  return {};
}

}  // namespace client
