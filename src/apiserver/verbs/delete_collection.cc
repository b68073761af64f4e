#include <algorithm>

#include "apiserver/body.h"
#include "apiserver/core.h"
#include "apiserver/document.h"
#include "apiserver/limits.h"
#include "apiserver/list_plan.h"
#include "apiserver/partial.h"
#include "apiserver/respond.h"
#include "apiserver/table.h"
#include "apiserver/verbs/verbs.h"
#include "object/json.h"
#include "schema/transcode.h"
#include "storage/keys.h"
#include "storage/stored_object.h"

namespace apiserver {
namespace {

// What is to be deleted. Compat: without a limit upstream reads page by page, and a page is a list with a limit: a
// resourceVersion without a match is exact then.
base::Result<ListPlan> plan_deletion(RequestContext& context, ListOptions list) {
  const Endpoint& endpoint = *context.endpoint;
  const std::string_view ns = endpoint.namespaced() ? std::string_view(context.info.ns) : std::string_view();
  const bool whole = list.limit == 0;
  if (whole) list.limit = kDeleteCollectionPage;
  TRY_ASSIGN(ListPlan all, plan_list(*context.core, endpoint, ns, list));
  if (!whole) return all;
  while (!all.continue_token.empty()) {
    list.continue_token = std::exchange(all.continue_token, {});
    list.resource_version.clear();
    list.match = VersionMatch::kUnset;
    TRY_ASSIGN(ListPlan page, plan_list(*context.core, endpoint, ns, list));
    std::ranges::move(page.items, std::back_inserter(all.items));
    all.continue_token = std::move(page.continue_token);
  }
  return all;
}

bool is_cbor(const RequestContext& context) { return context.accepted.type == MediaType::kCbor; }

// Writes what was deleted, in the form that the client asked for.
class DeletedEncoder {
 public:
  DeletedEncoder(const RequestContext& context, IncludeObject include)
      : context_(context), include_(include), form_version_(context.accepted.form_version) {}

  void begin(const ListPlan& plan) {
    const Endpoint& endpoint = *context_.endpoint;
    object::Object meta;
    meta.append("resourceVersion", std::to_string(plan.revision));
    if (!plan.continue_token.empty()) meta.append("continue", plan.continue_token);
    const std::string metadata = object::to_json(object::Value(std::move(meta)));
    if (form() == Form::kTable) {
      return append_table_head(endpoint, form_version_, metadata, WithColumns::kYes, body_);
    }
    body_ = form() != Form::kObject
                ? R"({"kind":"PartialObjectMetadataList","apiVersion":"meta.k8s.io/)" + form_version_ + "\""
                : "{\"kind\":\"" + endpoint.list_kind + "\",\"apiVersion\":\"" + endpoint.api_version + "\"";
    body_ += ",\"metadata\":" + metadata + ",\"items\":[";
  }

  base::Result<void> add(const storage::StoredObject& stored) {
    const Endpoint& endpoint = *context_.endpoint;
    if (items_++ > 0) body_ += ',';
    if (form() == Form::kTable) {
      return append_table_row(endpoint, stored.raw, stored.revision, form_version_, include_, context_.now, body_);
    }
    if (form() != Form::kObject) {
      return append_partial_json(&endpoint, stored.raw, form_version_, stored.revision, body_);
    }
    const std::string rv = std::to_string(stored.revision);
    TRY_ASSIGN(std::string served, to_served(endpoint, stored.raw));
    return schema::append_json(*endpoint.served, served, {endpoint.item_type(), rv, schema::NestedTypes::kWritten},
                               body_);
  }

  base::Result<std::string> finish() {
    body_ += "]}";
    if (is_cbor(context_)) return document_of_json(MediaType::kCbor, Place::kWhole, std::move(body_));
    return std::move(body_) + "\n";
  }

 private:
  Form form() const { return context_.accepted.form; }

  const RequestContext& context_;
  const IncludeObject include_;
  const std::string form_version_;
  size_t items_ = 0;
  std::string body_;
};

base::Result<std::string> delete_all(RequestContext& context, std::optional<kv::Ticket>& last) {
  const Endpoint& endpoint = *context.endpoint;
  TRY_ASSIGN(DeleteOptions options, parse_delete_options(context));
  TRY_ASSIGN(ListOptions list, parse_list_options(context.query, ListUse::kDeleteCollection));
  IncludeObject include = IncludeObject::kMetadata;
  if (context.accepted.form == Form::kTable) {
    TRY_ASSIGN(include, parse_include_object(context.query));
  }
  warn_of_deletion(context, options);
  TRY_ASSIGN(ListPlan plan, plan_deletion(context, std::move(list)));
  DeletedEncoder encoder(context, include);
  encoder.begin(plan);
  const std::string request_ns = context.info.ns;
  for (const kv::KeyValueRef& kv : plan.items) {
    TRY_ASSIGN(storage::StoredObject stored, storage::open_stored(kv));
    const storage::KeyParts key = storage::split_key(endpoint.prefix(), stored.kv->key.view());
    context.info.ns = key.ns;
    auto answer = delete_object(context, endpoint, std::string(key.name), options);
    context.info.ns = request_ns;
    if (!answer && answer.error().reason != base::Reason::kNotFound) return base::fail(answer.error());
    if (answer && answer->ticket) last = answer->ticket;
    TRY(encoder.add(stored));
  }
  return encoder.finish();
}

}  // namespace

void delete_collection_verb(const std::shared_ptr<RequestContext>& context) {
  std::optional<kv::Ticket> last;
  auto body = delete_all(*context, last);
  if (!body) return respond_error(*context, body.error());
  const std::string_view type = is_cbor(*context) ? "application/cbor" : "application/json";
  if (!last) return send_body(*context, 200, type, std::move(*body));
  context->core->store().when_durable(*last,
                                      [context, type, body = std::move(*body)](base::Result<void> durable) mutable {
                                        if (!durable) return respond_error(*context, durable.error());
                                        send_body(*context, 200, type, std::move(body));
                                      });
}

}  // namespace apiserver
