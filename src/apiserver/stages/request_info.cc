#include "apiserver/core.h"
#include "apiserver/limits.h"
#include "apiserver/stages/stages.h"
#include "codec/json_text.h"
#include "object/time.h"

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

base::Result<void> check_timeout(RequestContext& context) {
  const std::string timeout(context.query.get("timeout"));
  if (timeout.empty() || object::parse_duration(timeout)) return {};
  return base::fail(base::Error(
      base::Reason::kBadRequest,
      "invalid timeout specified in the request URL - time: invalid duration " + codec::go_quoted(timeout)));
}

base::Result<void> limit_body(RequestContext& context) {
  if (context.body.size() > kMaxBodyBytes) {
    return base::fail(base::Reason::kRequestEntityTooLarge,
                      "Request entity too large: limit is " + std::to_string(kMaxBodyBytes));
  }
  return {};
}

}  // namespace apiserver
