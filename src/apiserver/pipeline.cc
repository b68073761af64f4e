#include "apiserver/pipeline.h"

#include <algorithm>

#include "apiserver/core.h"
#include "apiserver/respond.h"
#include "apiserver/stages/stages.h"

namespace apiserver {
namespace {

// Compat: what flow control lets by, for it would hold its seat too long. (Watches give theirs back early.)
bool is_long_running(const RequestInfo& info) {
  constexpr std::string_view kSubresources[] = {"attach", "exec", "log", "portforward", "proxy"};
  if (!info.is_resource) return info.path.starts_with("/debug/pprof/");
  return info.verb == "proxy" || std::ranges::find(kSubresources, info.subresource) != std::end(kSubresources);
}

base::Result<void> run_stages(const PipelineParts& parts, RequestContext& context) {
  TRY(audit(context));
  TRY(request_info(context));
  if (!is_long_running(context.info) && context.info.verb != "watch") TRY(check_timeout(context));
  TRY(authenticate(context, *parts.authenticator));
  TRY(impersonate(context));
  context.under_flow_control = !is_long_running(context.info);
  TRY(authorize(context));
  return limit_body(context);
}

}  // namespace

void serve(const PipelineParts& parts, std::shared_ptr<net::Request> request,
           std::shared_ptr<net::ResponseWriter> writer) {
  auto context = std::make_shared<RequestContext>();
  context->core = parts.core;
  context->http = std::move(request);
  context->writer = std::move(writer);
  context->now = parts.core->clock().wall_now();
  if (auto passed = run_stages(parts, *context); !passed) return respond_error(*context, passed.error());
  dispatch(context, *parts.paths);
}

base::Result<Answer> serve_in_process(RequestContext& context) {
  TRY(audit(context));
  return run_object_verb(context);
}

bool User::in_group(std::string_view group) const {
  for (const std::string& member_of : groups) {
    if (member_of == group) return true;
  }
  return false;
}

api::RuleContext RequestContext::rule_context() {
  api::RuleContext rules;
  rules.now = now;
  rules.rng = &core->rng();
  rules.user_name = user.name;
  rules.user_uid = user.uid;
  rules.user_groups = user.groups;
  rules.warnings = &warnings;
  rules.request_group = info.group;
  rules.privileged = core->privileged;
  return rules;
}

}  // namespace apiserver
