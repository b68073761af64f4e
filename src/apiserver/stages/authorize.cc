#include <algorithm>

#include "apiserver/stages/stages.h"
#include "object/status.h"

namespace apiserver {
namespace {

// Compat: what upstream's bootstrap roles let everyone read.
bool is_public(std::string_view path) {
  constexpr std::string_view kPublic[] = {"/healthz", "/livez",    "/readyz",
                                          "/version", "/version/", "/.well-known/openid-configuration"};
  return std::ranges::find(kPublic, path) != std::end(kPublic);
}

std::string refusal(const RequestContext& context) {
  const RequestInfo& info = context.info;
  const std::string user = "User \"" + context.user.name + "\" cannot ";
  if (!info.is_resource) return user + info.verb + " path \"" + info.path + "\"";
  std::string resource = info.resource;
  if (!info.subresource.empty()) resource += "/" + info.subresource;
  std::string text = user + info.verb + " resource \"" + resource + "\" in API group \"" + info.group + "\"";
  return text + (info.ns.empty() ? " at the cluster scope" : " in the namespace \"" + info.ns + "\"");
}

}  // namespace

// Until roles are read: members of system:masters may do everything, everyone else nothing but look at health and
// version.
base::Result<void> authorize(RequestContext& context) {
  if (context.origin == Origin::kInProcess || context.user.in_group("system:masters")) return {};
  const RequestInfo& info = context.info;
  if (!info.is_resource && info.verb == "get" && is_public(info.path)) return {};
  context.refused_by_authorizer = true;
  if (!info.is_resource) {
    base::Error error(base::Reason::kForbidden, "forbidden: " + refusal(context), base::ErrorDetails{});
    return base::fail(std::move(error));
  }
  return base::fail(object::forbidden({info.group, info.resource}, info.name, refusal(context)));
}

}  // namespace apiserver
