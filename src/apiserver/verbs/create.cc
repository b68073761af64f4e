#include "apiserver/body.h"
#include "apiserver/core.h"
#include "apiserver/verbs/verbs.h"
#include "apiserver/write.h"

namespace apiserver {

// The steps of a create: options → decode → default → (create_object: admit, manage fields, prepare, validate,
// allocate, store) → answer.
base::Result<Answer> create_verb(RequestContext& context) {
  const Endpoint& endpoint = *context.endpoint;
  if (endpoint.is_subresource() || endpoint.kind == "Binding") return create_subresource(context);
  if (!endpoint.is_stored()) return create_review(context);
  TRY_ASSIGN(WriteOptions options, parse_write_options("CreateOptions", context.query, context.header("user-agent")));
  TRY_ASSIGN(std::string raw,
             decode_body(context, *endpoint.served, endpoint.api_version, endpoint.kind, options.field_validation));
  TRY_ASSIGN(api::AnyObject object, to_stored(endpoint, raw));
  return create_object(context, endpoint, std::move(object), options, FieldOwnership::kTrack);
}

}  // namespace apiserver
