#include <utility>

#include "apiserver/body.h"
#include "apiserver/core.h"
#include "apiserver/verbs/verbs.h"
#include "apiserver/write.h"
#include "object/status.h"

namespace apiserver {

base::Result<Answer> update_verb(RequestContext& context) {
  const Endpoint& endpoint = *context.endpoint;
  if (endpoint.resource->subresource == "scale") return update_scale(context);
  TRY_ASSIGN(WriteOptions options, parse_write_options("UpdateOptions", context.query, context.header("user-agent")));
  TRY_ASSIGN(std::string raw,
             decode_body(context, *endpoint.served, endpoint.api_version, endpoint.kind, options.field_validation));
  TRY_ASSIGN(api::AnyObject object, to_stored(endpoint, raw));
  const std::string& name = api::meta_of(object.message(), object.get()).name;
  if (name != context.info.name) {
    if (!name.empty()) return base::fail(object::name_mismatch(name, context.info.name));
    object::FieldErrors errors;
    errors.required(object::FieldPath("metadata").child("name"), "name must be provided");
    // Compat: a PUT without a name is a bad request before it is an invalid object.
    return base::fail(base::Reason::kBadRequest,
                      "the name of the object () does not match the name on the URL (" + context.info.name + ")");
  }
  // The first attempt takes the object that is there; only another one decodes again.
  const auto sent = [&]() -> base::Result<api::AnyObject> {
    if (object) return std::exchange(object, api::AnyObject());
    return to_stored(endpoint, raw);
  };
  UpdateRequest request{context.info.name, std::string(endpoint.resource->subresource), options, {}};
  if (endpoint.rules->create_on_update() == api::CreateOnUpdate::kAllowed && !endpoint.is_subresource()) {
    request.create = sent;
  }
  return update_object(context, endpoint, request, [&](const Live&) { return sent(); });
}

}  // namespace apiserver
