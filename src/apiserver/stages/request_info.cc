#include "apiserver/core.h"
#include "apiserver/stages/stages.h"

namespace apiserver {

base::Result<void> request_info(RequestContext& context) {
  context.query = Query(context.http->query());
  context.info = parse_request(context.http->method, context.http->path(), context.query);
  const RequestInfo& info = context.info;
  if (info.is_resource) {
    context.endpoint = context.core->endpoints().find(info.group, info.version, info.resource, info.subresource);
  }
  context.body = context.http->body;
  return {};
}

}  // namespace apiserver
