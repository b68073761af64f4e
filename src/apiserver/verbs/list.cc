// LIST: selects at one revision, then streams stored bytes out, transcoded on the way, never holding more than a
// bounded buffer. What it keeps for the whole time is one pointer an object.
#include <algorithm>
#include <utility>

#include "apiserver/body.h"
#include "apiserver/core.h"
#include "apiserver/crd/batch_conversion.h"
#include "apiserver/document.h"
#include "apiserver/gzip_stream.h"
#include "apiserver/limits.h"
#include "apiserver/list_plan.h"
#include "apiserver/partial.h"
#include "apiserver/respond.h"
#include "apiserver/table.h"
#include "apiserver/verbs/verbs.h"
#include "codec/cbor.h"
#include "gen/meta/v1.h"
#include "object/json.h"
#include "object/json_to_cbor.h"
#include "object/status.h"
#include "object/yaml.h"
#include "schema/envelope.h"
#include "schema/proto_struct.h"
#include "storage/stored_object.h"

namespace apiserver {
namespace {

using ContextPtr = std::shared_ptr<RequestContext>;

// Writes the items of one list in the negotiated form.
class ListEncoder {
 public:
  ListEncoder(RequestContext& context, const ListPlan& plan, IncludeObject include)
      : context_(context), plan_(plan), endpoint_(*context.endpoint), include_(include) {}

  // What comes before the items. An array in CBOR says first how many there are.
  std::string head() const {
    std::string json = json_head();
    if (!cbor()) return json;
    std::string out = object::cbor_of_json(json + std::string(json_tail()));
    if (empty_partial()) return out;
    out.pop_back();  // the empty array, which comes last
    codec::append_cbor_head(out, codec::CborMajor::kArray, plan_.items.size());
    return out;
  }

  base::Result<void> append_item(const storage::StoredObject& stored, std::string& out) {
    if (!cbor() && items_++ > 0) out += ',';
    if (!cbor()) return append_json_item(stored, out);
    if (context_.accepted.form != Form::kTable) return append_object(stored, out);
    std::string row;
    TRY(append_json_item(stored, row));
    TRY_ASSIGN(row, document_of_json(MediaType::kCbor, Place::kInside, std::move(row)));
    out += row;
    return {};
  }

  std::string tail() const { return cbor() ? std::string() : std::string(json_tail()) + "\n"; }

  // The item's message in protobuf, without its resourceVersion.
  base::Result<std::string_view> protobuf_item(const storage::StoredObject& stored) {
    if (context_.accepted.form != Form::kObject) {
      TRY_ASSIGN(scratch_, partial_message(&endpoint_, stored.raw));
      return std::string_view(scratch_);
    }
    if (!endpoint_.conversion) return stored.raw;
    TRY_ASSIGN(scratch_, to_served(endpoint_, stored.raw));
    return std::string_view(scratch_);
  }

  // ListMeta as field 1 of the list's message.
  std::string protobuf_metadata() const {
    ::api::meta::v1::ListMeta meta;
    meta.resource_version = std::to_string(plan_.revision);
    meta.continue_ = plan_.continue_token;
    if (plan_.remaining >= 0) meta.remaining_item_count = plan_.remaining;
    std::string raw;
    schema::encode_struct(gen::message_of<::api::meta::v1::ListMeta>(), &meta, raw);
    std::string out = "\x0a";
    for (size_t size = raw.size();; size >>= 7) {
      out += static_cast<char>(size < 0x80 ? size : (size & 0x7f) | 0x80);
      if (size < 0x80) break;
    }
    return out + raw;
  }
  std::string list_type_version() const {
    return context_.accepted.form == Form::kObject ? endpoint_.api_version
                                                   : "meta.k8s.io/" + context_.accepted.form_version;
  }
  std::string list_type_kind() const {
    return context_.accepted.form == Form::kObject ? endpoint_.list_kind : "PartialObjectMetadataList";
  }

 private:
  bool cbor() const { return context_.accepted.type == MediaType::kCbor; }

  std::string json_head() const {
    std::string out;
    const std::string meta = list_metadata_json();
    const std::string version = "meta.k8s.io/" + context_.accepted.form_version;
    switch (context_.accepted.form) {
      case Form::kTable:
        append_table_head(endpoint_, context_.accepted.form_version, meta, WithColumns::kYes, out);
        return out;
      case Form::kPartialMetadata:
      case Form::kPartialMetadataList:
        out = R"({"kind":"PartialObjectMetadataList","apiVersion":")" + version + "\"";
        break;
      case Form::kObject:
        out = "{\"kind\":\"" + endpoint_.list_kind + "\",\"apiVersion\":\"" + endpoint_.api_version + "\"";
        break;
    }
    // Compat: an empty list of partial objects is null.
    return out + ",\"metadata\":" + meta + (empty_partial() ? ",\"items\":null" : ",\"items\":[");
  }

  base::Result<void> append_json_item(const storage::StoredObject& stored, std::string& out) {
    if (context_.accepted.form == Form::kTable) {
      return append_table_row(endpoint_, stored.raw, stored.revision, context_.accepted.form_version, include_,
                              context_.now, out);
    }
    return append_object(stored, out);
  }

  // The object, or its metadata alone.
  base::Result<void> append_object(const storage::StoredObject& stored, std::string& out) const {
    const MediaType type = context_.accepted.type;
    if (context_.accepted.form != Form::kObject) {
      return append_partial(&endpoint_, stored.raw, {type, Place::kInside, context_.accepted.form_version},
                            stored.revision, out);
    }
    const std::string rv = std::to_string(stored.revision);
    std::string converted;
    TRY_ASSIGN(const std::string_view served, served_view(endpoint_, stored.raw, converted));
    return append_document(type, Place::kInside, *endpoint_.served, served,
                           {endpoint_.item_type(), rv, schema::NestedTypes::kWritten}, out);
  }

  std::string_view json_tail() const {
    return context_.accepted.form == Form::kTable ? kTableEnd : empty_partial() ? "}" : "]}";
  }
  bool empty_partial() const {
    return plan_.items.empty() &&
           (context_.accepted.form == Form::kPartialMetadata || context_.accepted.form == Form::kPartialMetadataList);
  }
  std::string list_metadata_json() const {
    object::Object meta;
    meta.append("resourceVersion", std::to_string(plan_.revision));
    if (!plan_.continue_token.empty()) meta.append("continue", plan_.continue_token);
    if (plan_.remaining >= 0) meta.append("remainingItemCount", plan_.remaining);
    return object::to_json(object::Value(std::move(meta)));
  }

  RequestContext& context_;
  const ListPlan& plan_;
  const Endpoint& endpoint_;
  const IncludeObject include_;
  size_t items_ = 0;
  std::string scratch_;
};

constexpr size_t kPrefetchBytes = 16 * 1024;

bool wants_gzip(const RequestContext& context, size_t bytes) { return bytes > kGzipFromBytes && accepts_gzip(context); }

// Stored values lie far apart, and seldom in the cache: asks for one while another is being written.
void prefetch(const kv::KeyValueRef& kv) {
  const std::string_view bytes = kv->value.view();
  for (size_t at = 0; at < bytes.size() && at < kPrefetchBytes; at += 64) __builtin_prefetch(bytes.data() + at);
}

// One answer under way. Runs on the pool a chunk at a time; waits without a thread while the client is slow. A list
// that only points to stored bytes runs on the loop: there is nothing to compute.
class ListStream : public std::enable_shared_from_this<ListStream> {
 public:
  ListStream(ContextPtr context, ListPlan plan, IncludeObject include)
      : context_(std::move(context)), plan_(std::move(plan)), encoder_(*context_, plan_, include) {}

  bool is_short() const { return plan_.items.size() <= kInlineListKeys || context_->accepted.type == MediaType::kYaml; }
  // To be started on the loop.
  bool is_cheap() const {
    return shares_bytes() && plan_.items.size() <= kInlineSharedKeys && !wants_gzip(*context_, stored_bytes());
  }

  // All at once, for short lists.
  void send_whole() {
    std::string body;
    if (auto done = append_all(body); !done) return respond_error(*context_, done.error());
    const bool indented = context_->accepted.type == MediaType::kJson && context_->accepted.pretty == Pretty::kIndented;
    if (context_->accepted.type == MediaType::kYaml || indented) {
      if (auto value = object::parse_json(body)) {
        body = context_->accepted.type == MediaType::kYaml ? object::to_yaml(*value) : object::to_pretty_json(*value);
      }
    }
    send_body(*context_, 200, content_type(context_->accepted), std::move(body));
  }

  void start() {
    // A webhook that fails is answered with an error as long as nothing has been answered.
    if (auto converted = conversion_.ensure(plan_.items, 0); !converted)
      return respond_error(*context_, converted.error());
    auto size = protobuf() ? protobuf_size() : base::Result<size_t>(stored_bytes());
    if (!size) return respond_error(*context_, size.error());
    net::Headers headers = answer_headers(*context_, content_type(context_->accepted));
    if (wants_gzip(*context_, *size)) {
      gzip_.emplace();
      headers.push_back({"content-encoding", "gzip"});
      headers.push_back({"vary", "Accept-Encoding"});
    } else if (protobuf()) {
      headers.push_back({"content-length", std::to_string(head_.size() + *size + schema::kEnvelopeEnd.size())});
    }
    context_->writer->start(200, std::move(headers));
    write(protobuf() ? head_ : encoder_.head());
    run();
  }

 private:
  bool protobuf() const {
    return context_->accepted.type == MediaType::kProtobuf && context_->accepted.form != Form::kTable;
  }

  // Stored bytes leave as they are, between heads that are made for them.
  bool shares_bytes() const {
    return protobuf() && context_->accepted.form == Form::kObject && !context_->endpoint->conversion && !gzip_;
  }

  base::Result<void> append_one(size_t index, std::string& out) {
    TRY(conversion_.ensure(plan_.items, index));
    const kv::KeyValueRef& kv = plan_.items[index];
    TRY_ASSIGN(storage::StoredObject stored, storage::open_stored(kv));
    if (!protobuf()) return encoder_.append_item(stored, out);
    TRY_ASSIGN(std::string_view raw, encoder_.protobuf_item(stored));
    return schema::append_list_item(raw, static_cast<uint64_t>(stored.revision), out);
  }

  base::Result<void> append_all(std::string& body) {
    if (protobuf()) {
      TRY_ASSIGN([[maybe_unused]] size_t size, protobuf_size());
      body = head_;
    } else {
      body = encoder_.head();
    }
    for (size_t i = 0; i < plan_.items.size(); ++i) TRY(append_one(i, body));
    body += protobuf() ? std::string(schema::kEnvelopeEnd) : encoder_.tail();
    return {};
  }

  size_t stored_bytes() const {
    size_t bytes = 0;
    for (const kv::KeyValueRef& kv : plan_.items) bytes += kv->value.size();
    return bytes;
  }

  // Bytes of the list's message, with its envelope's head in head_. Protobuf says a message's size before the message.
  base::Result<size_t> protobuf_size() {
    const std::string metadata = encoder_.protobuf_metadata();
    size_t size = metadata.size();
    for (size_t i = 0; i < plan_.items.size(); ++i) {
      if (i + 4 < plan_.items.size()) __builtin_prefetch(plan_.items[i + 4]->value.view().data());
      TRY(conversion_.ensure(plan_.items, i));  // the sizes are those of what is sent
      TRY_ASSIGN(storage::StoredObject stored, storage::open_stored(plan_.items[i]));
      TRY_ASSIGN(std::string_view raw, encoder_.protobuf_item(stored));
      TRY_ASSIGN(size_t item, schema::list_item_size(raw, static_cast<uint64_t>(stored.revision)));
      size += item;
    }
    head_.clear();
    schema::wrap_head({encoder_.list_type_version(), encoder_.list_type_kind()}, size, head_);
    head_ += metadata;
    return size - metadata.size();
  }

  void write(std::string bytes) {
    if (gzip_) bytes = gzip_->add(bytes);
    if (!bytes.empty()) context_->writer->write(std::move(bytes));
  }

  // The next items, about kListChunkBytes of them.
  base::Result<std::string> next_text() {
    std::string chunk;
    chunk.reserve(kListChunkBytes + kListChunkBytes / 4);
    while (next_ < plan_.items.size() && chunk.size() < kListChunkBytes) {
      if (next_ + 1 < plan_.items.size()) prefetch(plan_.items[next_ + 1]);
      TRY(append_one(next_, chunk));
      plan_.items[next_++] = {};
    }
    return gzip_ ? gzip_->add(chunk) : std::move(chunk);
  }
  base::Result<net::Body> next_slices() {
    net::Body chunk;
    while (next_ < plan_.items.size() && chunk.size() < kListChunkBytes) {
      const kv::KeyValueRef kv = std::exchange(plan_.items[next_++], {});
      TRY_ASSIGN(storage::StoredObject stored, storage::open_stored(kv));
      TRY_ASSIGN(schema::Spliced item, schema::list_item(stored.raw, static_cast<uint64_t>(stored.revision)));
      chunk.append(std::move(item.head));
      chunk.append(kv->value, static_cast<size_t>(item.rest.data() - kv->value.view().data()), item.rest.size());
    }
    return chunk;
  }
  base::Result<net::Body> next_chunk() {
    if (shares_bytes()) return next_slices();
    TRY_ASSIGN(std::string text, next_text());
    return net::Body(std::move(text));
  }

  void run() {
    while (next_ < plan_.items.size()) {
      if (context_->writer->closed()) return;
      auto chunk = next_chunk();
      // A damaged object cannot be answered for once the answer has begun: the client sees it cut off.
      if (!chunk) return context_->writer->abort();
      context_->writer->write(*std::move(chunk));
      if (context_->writer->buffered() > kListBufferBytes) {
        context_->writer->on_drained(kListBufferBytes / 4, [self = shared_from_this()] { self->go_on(); });
        return;
      }
    }
    write(protobuf() ? std::string(schema::kEnvelopeEnd) : encoder_.tail());
    if (gzip_) context_->writer->write(gzip_->finish());
    context_->writer->finish();
  }
  // On the loop.
  void go_on() {
    if (shares_bytes()) return run();
    context_->core->pool_for(*context_->endpoint).post([self = shared_from_this()] { self->run(); });
  }

  const ContextPtr context_;
  ListPlan plan_;
  ListEncoder encoder_;
  BatchConversion conversion_{context_->endpoint->custom};
  std::string head_;
  size_t next_ = 0;
  std::optional<GzipStream> gzip_;
};

}  // namespace

void list_verb(const ContextPtr& context) {
  if (context->accepted.form == Form::kTable && context->accepted.type == MediaType::kProtobuf) {
    return respond_error(*context, object::not_acceptable(served_media_types(context->cbor)));
  }
  if (context->accepted.form == Form::kPartialMetadata) {
    return respond_error(*context, {base::Reason::kNotAcceptable,
                                    "you requested PartialObjectMetadata, but the requested object is a list (*" +
                                        internal_type(context->info.group, context->endpoint->list_kind) + ")"});
  }
  auto options = parse_list_options(context->query, ListUse::kList);
  if (!options) return respond_error(*context, options.error());
  base::Result<IncludeObject> include = IncludeObject::kMetadata;
  if (context->accepted.form == Form::kTable) include = parse_include_object(context->query);
  if (!include) return respond_error(*context, include.error());
  auto plan =
      plan_list(*context->core, *context->endpoint, context->endpoint->namespaced() ? context->info.ns : "", *options);
  if (!plan) return respond_error(*context, plan.error());
  auto stream = std::make_shared<ListStream>(context, std::move(*plan), *include);
  if (stream->is_cheap()) return stream->start();
  if (stream->is_short()) return stream->send_whole();
  context->core->pool_for(*context->endpoint).post([stream] { stream->start(); });
}

}  // namespace apiserver
