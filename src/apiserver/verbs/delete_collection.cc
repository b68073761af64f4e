#include "apiserver/body.h"
#include "apiserver/core.h"
#include "apiserver/list_plan.h"
#include "apiserver/respond.h"
#include "apiserver/verbs/verbs.h"
#include "gen/meta/v1.h"
#include "object/json.h"
#include "schema/transcode.h"
#include "storage/keys.h"
#include "storage/stored_object.h"

namespace apiserver {
namespace {

base::Result<std::string> delete_all(RequestContext& context, std::optional<kv::Ticket>& last) {
  const Endpoint& endpoint = *context.endpoint;
  TRY_ASSIGN(DeleteOptions options, parse_delete_options(context));
  TRY_ASSIGN(ListOptions list, parse_list_options(context.query, ListUse::kDeleteCollection));
  const bool whole = list.limit == 0;
  TRY_ASSIGN(ListPlan plan, plan_list(*context.core, endpoint, endpoint.namespaced() ? context.info.ns : "", list));
  const bool partial = context.accepted.form != Form::kObject;
  const std::string item_version = "meta.k8s.io/" + context.accepted.form_version;
  std::string body = partial
                         ? R"({"kind":"PartialObjectMetadataList","apiVersion":")" + item_version + "\""
                         : "{\"kind\":\"" + endpoint.list_kind + "\",\"apiVersion\":\"" + endpoint.api_version + "\"";
  object::Object meta;
  meta.append("resourceVersion", std::to_string(plan.revision));
  if (!plan.continue_token.empty() && !whole) meta.append("continue", plan.continue_token);
  body += ",\"metadata\":" + object::to_json(object::Value(std::move(meta))) + ",\"items\":[";
  const std::string request_ns = context.info.ns;
  for (size_t i = 0; i < plan.items.size(); ++i) {
    TRY_ASSIGN(storage::StoredObject stored, storage::open_stored(plan.items[i]));
    const storage::KeyParts key = storage::split_key(endpoint.prefix(), stored.kv->key.view());
    context.info.ns = key.ns;
    auto answer = delete_object(context, endpoint, std::string(key.name), options);
    context.info.ns = request_ns;
    if (!answer && answer.error().reason != base::Reason::kNotFound) return base::fail(answer.error());
    if (answer && answer->ticket) last = answer->ticket;
    if (i > 0) body += ',';
    const std::string rv = std::to_string(stored.revision);
    if (partial) {
      TRY(schema::append_json(gen::message_of<::api::meta::v1::PartialObjectMetadata>(), stored.raw,
                              {{item_version, "PartialObjectMetadata"}, rv}, body));
    } else {
      TRY_ASSIGN(std::string served, to_served(endpoint, stored.raw));
      TRY(schema::append_json(*endpoint.served, served, {{}, rv}, body));
    }
  }
  body += "]}\n";
  return body;
}

}  // namespace

void delete_collection_verb(const std::shared_ptr<RequestContext>& context) {
  std::optional<kv::Ticket> last;
  auto body = delete_all(*context, last);
  if (!body) return respond_error(*context, body.error());
  if (!last) return send_body(*context, 200, "application/json", std::move(*body));
  context->core->store().when_durable(*last, [context, body = std::move(*body)](base::Result<void> durable) mutable {
    if (!durable) return respond_error(*context, durable.error());
    send_body(*context, 200, "application/json", std::move(body));
  });
}

}  // namespace apiserver
