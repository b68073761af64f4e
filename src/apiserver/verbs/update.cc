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
  const auto& meta = api::meta_of(object.message(), static_cast<const void*>(object.get()));
  TRY(check_name(meta.name, context.info.name));
  // The first attempt takes the object that is there; only another one decodes again.
  const auto sent = [&]() -> base::Result<api::AnyObject> {
    if (object) return std::exchange(object, api::AnyObject());
    return to_stored(endpoint, raw);
  };
  UpdateRequest request{context.info.name, std::string(endpoint.resource->subresource), options, {}};
  request.uid_precondition = meta.uid;
  if (endpoint.rules->create_on_update() == api::CreateOnUpdate::kAllowed && !endpoint.is_subresource()) {
    request.create = sent;
  }
  return update_object(context, endpoint, request, [&](const Live&) { return sent(); });
}

}  // namespace apiserver
