#include "apiserver/stages/stages.h"
#include "object/status.h"

namespace apiserver {

// Members of system:masters may act as others; the request then has that user's rights.
base::Result<void> impersonate(RequestContext& context) {
  const std::string_view name = context.header("impersonate-user");
  const auto groups = net::header_values(context.http->headers, "impersonate-group");
  if (name.empty()) {
    if (groups.empty()) return {};
    return base::fail(object::internal_error("requested [{Group  " + std::string(groups.front()) +
                                             "    }] without impersonating a user"));
  }
  if (!context.user.in_group("system:masters")) {
    context.refused_by_authorizer = true;
    return base::fail(
        object::forbidden({"", "users"}, name,
                          "User \"" + context.user.name +
                              "\" cannot impersonate resource \"users\" in API group \"\" at the cluster scope"));
  }
  User other{std::string(name), std::string(context.header("impersonate-uid")), {}};
  for (std::string_view group : groups) other.groups.emplace_back(group);
  if (!other.in_group("system:authenticated") && !other.in_group("system:unauthenticated")) {
    other.groups.emplace_back(name == "system:anonymous" ? "system:unauthenticated" : "system:authenticated");
  }
  context.user = std::move(other);
  return {};
}

}  // namespace apiserver
