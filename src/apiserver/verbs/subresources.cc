// The subresources whose bodies are of another kind than the object: binding, eviction, token.
#include "api/core/pod.h"
#include "api/label_selector.h"
#include "apiserver/body.h"
#include "apiserver/core.h"
#include "apiserver/limits.h"
#include "apiserver/token.h"
#include "apiserver/verbs/verbs.h"
#include "apiserver/write.h"
#include "gen/core/v1.h"
#include "gen/policy/v1.h"
#include "object/status.h"
#include "object/time.h"
#include "schema/proto_struct.h"

namespace apiserver {
namespace {

namespace core_v1 = ::api::core::v1;

Answer created(const base::Result<Answer>& written) {
  Answer answer;
  answer.code = 201;
  answer.success = base::ErrorDetails{};
  answer.ticket = written->ticket;
  return answer;
}

base::Result<Answer> bind_pod(RequestContext& context, const WriteOptions& options, core_v1::Binding binding) {
  const Endpoint& pods = *context.core->endpoints().find("", "v1", "pods", "");
  object::FieldErrors errors;
  api::validate_binding(binding, errors);
  const std::string name = context.info.name.empty() ? binding.metadata.name : context.info.name;
  // Compat: upstream answers these as a plain error: 500 and no reason.
  if (!errors.empty()) return base::fail(base::Reason::kUnknown, errors.to_string());
  UpdateRequest request{name, "binding", options, {}};
  auto written = update_object(context, pods, request, [&](const Live& live) -> base::Result<api::AnyObject> {
    TRY_ASSIGN(api::AnyObject object, decode_stored(pods, live.raw));
    core_v1::Pod& pod = object.as<core_v1::Pod>();
    if (!binding.metadata.uid.empty() && binding.metadata.uid != pod.metadata.uid) {
      return base::fail(
          object::uid_precondition_failed(pods.group_resource, name, binding.metadata.uid, pod.metadata.uid));
    }
    TRY(api::assign_pod(pod, binding, context.now));
    return object;
  });
  if (!written) return written;
  return created(written);
}

// How much of a budget is left for a Pod: nothing when no budget guards it.
base::Result<void> take_disruption(RequestContext& context, const core_v1::Pod& pod, DryRun dry_run);

base::Result<Answer> evict_pod(RequestContext& context, const WriteOptions& options,
                               const ::api::policy::v1::Eviction& eviction) {
  const Endpoint& pods = *context.core->endpoints().find("", "v1", "pods", "");
  kv::KeyValueRef kv;
  std::string_view raw;
  TRY_ASSIGN(api::AnyObject live, read_live(context, pods, context.info.name, kv, raw));
  const core_v1::Pod& pod = live.as<core_v1::Pod>();
  DeleteOptions remove;
  remove.dry_run = options.dry_run;
  if (eviction.delete_options) {
    remove.grace_period_seconds = eviction.delete_options->grace_period_seconds;
    if (eviction.delete_options->preconditions) {
      remove.has_precondition_uid = eviction.delete_options->preconditions->uid.has_value();
      remove.precondition_uid = eviction.delete_options->preconditions->uid.value_or("");
      remove.has_precondition_resource_version = eviction.delete_options->preconditions->resource_version.has_value();
      remove.precondition_resource_version = eviction.delete_options->preconditions->resource_version.value_or("");
    }
    for (const std::string& value : eviction.delete_options->dry_run) {
      if (value == "All") remove.dry_run = DryRun::kYes;
    }
  }
  // Compat: Pods that do not run any more, or not yet, are not guarded.
  const std::string& phase = pod.status.phase;
  const bool guarded =
      phase != "Succeeded" && phase != "Failed" && phase != "Pending" && !pod.metadata.deletion_timestamp;
  if (guarded) TRY(take_disruption(context, pod, remove.dry_run));
  auto deleted = delete_object(context, pods, context.info.name, remove);
  if (!deleted) return deleted;
  return created(deleted);
}

bool budget_selects(const ::api::policy::v1::PodDisruptionBudget& budget, const core_v1::Pod& pod) {
  auto selector = api::to_selector(budget.spec.selector);
  return selector && api::selects(*selector, pod.metadata.labels);
}

base::Error disruption_refused(std::string_view budget, const ::api::policy::v1::PodDisruptionBudgetStatus& status) {
  base::ErrorDetails details;
  details.causes.push_back({"DisruptionBudget",
                            "The disruption budget " + std::string(budget) + " needs " +
                                std::to_string(status.desired_healthy) + " healthy pods and has " +
                                std::to_string(status.current_healthy) + " currently",
                            ""});
  return {base::Reason::kTooManyRequests, "Cannot evict pod as it would violate the pod's disruption budget.",
          std::move(details)};
}

base::Result<void> take_disruption(RequestContext& context, const core_v1::Pod& pod, DryRun dry_run) {
  using Budget = ::api::policy::v1::PodDisruptionBudget;
  std::vector<std::string> names;
  context.core->each(
      "policy", "poddisruptionbudgets", pod.metadata.namespace_, [&](std::string_view name, std::string_view raw) {
        Budget budget;
        if (schema::decode_struct(gen::message_of<Budget>(), raw, &budget) && budget_selects(budget, pod))
          names.emplace_back(name);
      });
  if (names.empty()) return {};
  if (names.size() > 1) {
    return base::fail(object::internal_error(
        "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."));
  }
  const Endpoint& budgets = *context.core->endpoints().find("policy", "v1", "poddisruptionbudgets", "status");
  UpdateRequest request{names[0], "status", {}, {}};
  request.options.dry_run = dry_run;
  const std::string ns = context.info.ns;
  auto written = update_object(context, budgets, request, [&](const Live& live) -> base::Result<api::AnyObject> {
    TRY_ASSIGN(api::AnyObject object, decode_stored(budgets, live.raw));
    Budget& budget = object.as<Budget>();
    if (budget.status.observed_generation < budget.metadata.generation) {
      base::ErrorDetails details;
      details.retry_after_seconds = 10;
      return base::fail(base::Error(base::Reason::kTooManyRequests,
                                    "Cannot evict pod as it would violate the pod's disruption budget.", details));
    }
    if (budget.status.disruptions_allowed <= 0) return base::fail(disruption_refused(names[0], budget.status));
    --budget.status.disruptions_allowed;
    budget.status.disrupted_pods[pod.metadata.name] = object::to_time(context.now);
    return object;
  });
  if (!written) return base::fail(written.error());
  return {};
}

template <typename T>
base::Result<T> decode_as(RequestContext& context, const Endpoint& endpoint, const WriteOptions& options) {
  TRY_ASSIGN(std::string raw, decode_body(context, *endpoint.body, endpoint.body_api_version, endpoint.body_kind,
                                          options.field_validation));
  T body;
  TRY(schema::decode_struct(gen::message_of<T>(), raw, &body));
  return body;
}

}  // namespace

base::Result<Answer> create_subresource(RequestContext& context) {
  const Endpoint& endpoint = *context.endpoint;
  TRY_ASSIGN(WriteOptions options, parse_write_options("CreateOptions", context.query, context.header("user-agent")));
  const std::string_view subresource = endpoint.resource->subresource;
  if (subresource == "binding" || endpoint.kind == "Binding") {
    TRY_ASSIGN(core_v1::Binding binding, decode_as<core_v1::Binding>(context, endpoint, options));
    return bind_pod(context, options, std::move(binding));
  }
  if (subresource == "eviction") {
    using Eviction = ::api::policy::v1::Eviction;
    TRY_ASSIGN(Eviction eviction, decode_as<Eviction>(context, endpoint, options));
    return evict_pod(context, options, eviction);
  }
  if (subresource == "token") return create_token(context, options);
  return base::fail(object::method_not_supported(endpoint.group_resource, "create"));
}

}  // namespace apiserver
