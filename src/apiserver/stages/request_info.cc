#include "apiserver/core.h"
#include "apiserver/limits.h"
#include "apiserver/stages/stages.h"

namespace apiserver {

base::Result<void> request_info(RequestContext& context) {
  context.query = Query(context.http->query());
  context.info = parse_request(context.http->method, context.http->path(), context.query);
  const RequestInfo& info = context.info;
  if (info.is_resource) {
    context.endpoint_owner =
        context.core->endpoints().lookup(info.group, info.version, info.resource, info.subresource);
    context.endpoint = context.endpoint_owner.get();
  }
  context.body = context.http->body;
  return {};
}

base::Result<void> limit_body(RequestContext& context) {
  if (context.body.size() > kMaxBodyBytes) {
    return base::fail(base::Reason::kRequestEntityTooLarge,
                      "Request entity too large: limit is " + std::to_string(kMaxBodyBytes));
  }
  return {};
}

}  // namespace apiserver
