// The subresources whose bodies are of another kind than the object: binding, eviction, token.
#include <algorithm>

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
#include "object/cbor.h"
#include "object/json.h"
#include "object/status.h"
#include "object/time.h"
#include "schema/proto_struct.h"
#include "storage/keys.h"

namespace apiserver {
namespace {

namespace core_v1 = ::api::core::v1;
using Budget = ::api::policy::v1::PodDisruptionBudget;
using Eviction = ::api::policy::v1::Eviction;

Answer created(const base::Result<Answer>& written) {
  Answer answer;
  answer.code = 201;
  answer.ticket = written->ticket;
  return answer;
}

// The request as a creation of the subresource's own kind. `body` is what the request sent.
base::Result<void> admit_body(RequestContext& context, const WriteOptions& options, std::string_view name,
                              api::AnyObject& body) {
  Core& core = *context.core;
  admission::Attributes attributes =
      admission_attributes(context, *context.endpoint, name, admission::Operation::kCreate, options.dry_run);
  attributes.object = &body;
  TRY(core.admission().admit(attributes, core));
  return core.admission().validate(attributes, core);
}

base::Result<void> check_preconditions(const Endpoint& pods, const core_v1::Binding& binding, const core_v1::Pod& pod,
                                       std::string_view revision) {
  const std::string key = storage::object_key(pods.prefix(), pod.metadata.namespace_, pod.metadata.name);
  if (const std::string& uid = binding.metadata.uid; !uid.empty() && uid != pod.metadata.uid) {
    return base::fail(
        object::uid_precondition_failed(pods.group_resource, pod.metadata.name, {key, uid, pod.metadata.uid}));
  }
  if (const std::string& wanted = binding.metadata.resource_version; !wanted.empty() && wanted != revision) {
    return base::fail(
        object::resource_version_precondition_failed(pods.group_resource, pod.metadata.name, {key, wanted, revision}));
  }
  return {};
}

base::Result<Answer> bind_pod(RequestContext& context, const WriteOptions& options, api::AnyObject body) {
  const Endpoint& pods = *context.core->endpoints().find_any("", "v1", "pods", "");
  const core_v1::Binding& binding = body.as<core_v1::Binding>();
  const std::string name = binding.metadata.name;
  if (!context.info.name.empty() && name != context.info.name) {
    return base::fail(base::Reason::kBadRequest, "name in URL does not match name in Binding object");
  }
  TRY(admit_body(context, options, name, body));
  object::FieldErrors errors;
  api::validate_binding(binding, errors);
  // Compat: upstream answers these as a plain error: 500 and no reason.
  if (!errors.empty()) return base::fail(base::Reason::kUnknown, errors.to_string());
  if (name.empty()) return base::fail(base::Reason::kBadRequest, "Name parameter required.");
  // Compat: nobody owns in managed fields what a binding sets.
  const UpdateRequest request{name, "binding", options, {}, FieldOwnership::kDone};
  auto written = update_object(context, pods, request, [&](const Live& live) -> base::Result<api::AnyObject> {
    TRY_ASSIGN(api::AnyObject object, decode_stored(pods, live.raw));
    core_v1::Pod& pod = object.as<core_v1::Pod>();
    TRY(check_preconditions(pods, binding, pod, std::to_string(live.revision)));
    TRY(api::assign_pod(pod, binding, context.now));
    return object;
  });
  if (!written) return written;
  return created(written);
}

base::Result<DeleteOptions> eviction_options(const Eviction& eviction, DryRun dry_run) {
  DeleteOptions remove;
  remove.dry_run = dry_run;
  if (!eviction.delete_options) return remove;
  remove.grace_period_seconds = eviction.delete_options->grace_period_seconds;
  remove.orphan_dependents = eviction.delete_options->orphan_dependents;
  if (const auto& wanted = eviction.delete_options->preconditions) {
    remove.has_precondition_uid = wanted->uid.has_value();
    remove.precondition_uid = wanted->uid.value_or("");
    remove.has_precondition_resource_version = wanted->resource_version.has_value();
    remove.precondition_resource_version = wanted->resource_version.value_or("");
  }
  for (const std::string& value : eviction.delete_options->dry_run) {
    if (value == "All") remove.dry_run = DryRun::kYes;
  }
  return remove;
}

constexpr std::string_view kBudgetViolated = "Cannot evict pod as it would violate the pod's disruption budget.";

base::Error disruption_refused(std::string message, int retry_after_seconds) {
  base::ErrorDetails details;
  details.causes.push_back({"DisruptionBudget", std::move(message), ""});
  details.retry_after_seconds = retry_after_seconds;
  return {base::Reason::kTooManyRequests, std::string(kBudgetViolated), std::move(details)};
}

base::Error still_processed(std::string_view budget) {
  constexpr int kRetrySeconds = 10;
  return disruption_refused("The disruption budget " + std::string(budget) + " is still being processed by the server.",
                            kRetrySeconds);
}

// Compat: why a budget that allows nothing allows nothing.
std::string exhausted(const Budget& budget) {
  const std::string subject = "The disruption budget " + budget.metadata.name;
  const auto& status = budget.status;
  if (status.current_healthy <= status.desired_healthy) {
    return subject + " needs " + std::to_string(status.desired_healthy) + " healthy pods and has " +
           std::to_string(status.current_healthy) + " currently";
  }
  for (const auto& condition : status.conditions) {
    if (condition.type == "DisruptionAllowed" && condition.status == "False" && condition.reason == "SyncFailed") {
      return subject + " does not allow evicting pods currently because it failed sync: " + condition.message;
    }
  }
  return subject + " does not allow evicting pods currently";
}

// The condition of a budget that has just been used up.
void set_exhausted_condition(Budget& budget, base::WallTime now) {
  ::api::meta::v1::Condition condition;
  condition.type = "DisruptionAllowed";
  condition.status = "False";
  condition.reason = "InsufficientPods";
  condition.observed_generation = budget.status.observed_generation;
  condition.last_transition_time = object::to_time(now);
  condition.last_transition_time.nanos = 0;
  auto& conditions = budget.status.conditions;
  auto old = std::ranges::find(conditions, condition.type, &::api::meta::v1::Condition::type);
  if (old == conditions.end()) {
    conditions.push_back(std::move(condition));
    return;
  }
  if (old->status == condition.status) condition.last_transition_time = old->last_transition_time;
  *old = std::move(condition);
}

// Takes one disruption off the budget, for the Pod.
base::Result<void> take_disruption(RequestContext& context, const core_v1::Pod& pod, const std::string& name,
                                   DryRun dry_run) {
  constexpr size_t kMaxDisruptedPods = 2000;
  const Endpoint& budgets = *context.core->endpoints().find_any("policy", "v1", "poddisruptionbudgets", "status");
  UpdateRequest request{name, "status", {}, {}};
  request.options.dry_run = dry_run;
  request.options.field_manager = "kube-apiserver";
  auto written = update_object(context, budgets, request, [&](const Live& live) -> base::Result<api::AnyObject> {
    TRY_ASSIGN(api::AnyObject object, decode_stored(budgets, live.raw));
    Budget& budget = object.as<Budget>();
    auto& status = budget.status;
    if (status.observed_generation < budget.metadata.generation) return base::fail(still_processed(name));
    const object::GroupResource subject{"policy", "poddisruptionbudget"};
    if (status.disruptions_allowed < 0) {
      return base::fail(object::forbidden(subject, name, "pdb disruptions allowed is negative"));
    }
    if (status.disrupted_pods.size() > kMaxDisruptedPods) {
      return base::fail(object::forbidden(
          subject, name, "DisruptedPods map too big - too many evictions not confirmed by PDB controller"));
    }
    if (status.disruptions_allowed == 0) return base::fail(disruption_refused(exhausted(budget), 0));
    if (--status.disruptions_allowed == 0) set_exhausted_condition(budget, context.now);
    status.disrupted_pods[pod.metadata.name] = object::to_time(context.now);
    return object;
  });
  if (!written) return base::fail(written.error());
  return {};
}

std::vector<Budget> budgets_of(const RequestContext& context, const core_v1::Pod& pod) {
  std::vector<Budget> found;
  context.core->each("policy", "poddisruptionbudgets", pod.metadata.namespace_,
                     [&](std::string_view, std::string_view raw) {
                       Budget budget;
                       if (!schema::decode_struct(gen::message_of<Budget>(), raw, &budget)) return;
                       auto selector = api::to_selector(budget.spec.selector);
                       // Compat: an empty selector selects nothing here.
                       if (!selector || selector->empty() || !api::selects(*selector, pod.metadata.labels)) return;
                       found.push_back(std::move(budget));
                     });
  return found;
}

// A Pod that is not ready counts for nothing, so that its end disrupts nothing while enough others are healthy.
bool disrupts_nothing(const core_v1::Pod& pod, const Budget& budget) {
  if (api::pod_ready(pod)) return false;
  if (budget.spec.unhealthy_pod_eviction_policy == "AlwaysAllow") return true;
  return budget.status.current_healthy >= budget.status.desired_healthy && budget.status.desired_healthy > 0;
}

// Compat: the Pod that was judged is the one that goes; one that changed meanwhile is a conflict.
void expect_revision(DeleteOptions& remove, int64_t revision) {
  if (remove.has_precondition_resource_version) return;
  remove.has_precondition_resource_version = true;
  remove.precondition_resource_version = std::to_string(revision);
}

base::Result<Answer> evict_live(RequestContext& context, const Endpoint& pods, DeleteOptions remove) {
  const std::string& name = context.info.name;
  kv::KeyValueRef kv;
  std::string_view raw;
  TRY_ASSIGN(api::AnyObject live, read_live(context, pods, name, kv, raw));
  const core_v1::Pod& pod = live.as<core_v1::Pod>();
  // Compat: Pods that do not run any more, or not yet, are not guarded.
  const bool ended = api::pod_terminal(pod) || static_cast<bool>(pod.metadata.deletion_timestamp);
  if (ended) return delete_object(context, pods, name, remove, DeleteAdmission::kDone);
  if (pod.status.phase == "Pending") {
    expect_revision(remove, kv->mod_revision);
    return delete_object(context, pods, name, remove, DeleteAdmission::kDone);
  }
  const std::vector<Budget> budgets = budgets_of(context, pod);
  if (budgets.size() > 1) {
    // Compat: a Status without a reason.
    return base::fail(base::Reason::kUnknown,
                      "This pod has more than one PodDisruptionBudget, which the eviction subresource does not "
                      "support.");
  }
  const bool harmless = !budgets.empty() && disrupts_nothing(pod, budgets[0]);
  const bool own_precondition = harmless && !remove.has_precondition_resource_version;
  if (harmless) {
    expect_revision(remove, kv->mod_revision);
  } else if (!budgets.empty()) {
    TRY(take_disruption(context, pod, budgets[0].metadata.name, remove.dry_run));
  }
  auto deleted = delete_object(context, pods, name, remove, DeleteAdmission::kDone);
  if (!deleted && own_precondition && deleted.error().reason == base::Reason::kConflict) {
    return base::fail(still_processed(budgets[0].metadata.name));
  }
  return deleted;
}

base::Result<Answer> evict_pod(RequestContext& context, const WriteOptions& options, api::AnyObject body) {
  const Endpoint& pods = *context.core->endpoints().find_any("", "v1", "pods", "");
  const Eviction& eviction = body.as<Eviction>();
  if (eviction.metadata.name != context.info.name) {
    return base::fail(base::Reason::kBadRequest, "name in URL does not match name in Eviction object");
  }
  TRY(admit_body(context, options, context.info.name, body));
  TRY_ASSIGN(const DeleteOptions remove, eviction_options(eviction, options.dry_run));
  for (int attempt = 1;; ++attempt) {
    auto evicted = evict_live(context, pods, remove);
    if (evicted) return created(evicted);
    const bool again = evicted.error().reason == base::Reason::kConflict && !remove.has_precondition_resource_version;
    if (!again || attempt == kMaxUpdateRetries) return evicted;
  }
}

// The body as a struct. Compat: evictions come in two versions.
base::Result<api::AnyObject> decode_own(RequestContext& context, const WriteOptions& options) {
  const Endpoint& endpoint = *context.endpoint;
  std::string version(endpoint.body_api_version);
  const bool cbor = context.body_type == MediaType::kCbor;
  if (endpoint.body_kind == "Eviction" && (context.body_type == MediaType::kJson || cbor)) {
    auto tree = cbor ? object::parse_cbor(context.body) : object::parse_json(context.body);
    if (tree && tree->string_at({"apiVersion"}) == "policy/v1beta1") version = "policy/v1beta1";
  }
  TRY_ASSIGN(std::string raw,
             decode_body(context, *endpoint.body, version, endpoint.body_kind, options.field_validation));
  api::AnyObject body = api::AnyObject::make(*endpoint.body);
  TRY(schema::decode_struct(*endpoint.body, raw, body.get()));
  return body;
}

}  // namespace

base::Result<Answer> create_subresource(RequestContext& context) {
  const Endpoint& endpoint = *context.endpoint;
  TRY_ASSIGN(WriteOptions options, parse_write_options("CreateOptions", context.query, context.header("user-agent")));
  const std::string_view subresource = endpoint.resource->subresource;
  if (subresource == "token") return create_token(context, options);
  if (subresource == "binding" || endpoint.kind == "Binding") {
    TRY_ASSIGN(api::AnyObject binding, decode_own(context, options));
    return bind_pod(context, options, std::move(binding));
  }
  if (subresource == "eviction") {
    TRY_ASSIGN(api::AnyObject eviction, decode_own(context, options));
    return evict_pod(context, options, std::move(eviction));
  }
  return base::fail(object::method_not_supported(endpoint.group_resource, "create"));
}

}  // namespace apiserver
