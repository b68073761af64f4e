// The rules of Pods.
#include "api/core/pod.h"

#include <algorithm>

#include "api/core/pod_cells.h"
#include "api/core/pod_spec.h"
#include "api/core/pod_strategy.h"
#include "api/core/pod_validation.h"
#include "api/kinds.h"

namespace api {
namespace {

using core::v1::Pod;
using object::FieldErrors;

class PodRules final : public RulesFor<Pod> {
 public:
  PodRules() : RulesFor("", "v1", "Pod") {}

  void set_defaults(Pod& pod) const override {
    set_pod_spec_defaults(pod.spec);
    set_pod_defaults(pod);
    // Compat: of Pods only; a template keeps what it was given.
    if (pod.spec.termination_grace_period_seconds.value_or(0) < 0) pod.spec.termination_grace_period_seconds = 1;
  }
  void prepare_for_create(RuleContext& context, Pod& pod) const override { prepare_pod_for_create(context, pod); }
  void prepare_for_update(RuleContext&, Pod& pod, const Pod& old) const override { prepare_pod_for_update(pod, old); }
  void validate(RuleContext& context, const Pod& pod, FieldErrors& errors) const override {
    validate_pod_create(pod, pod_validation_options(context, pod, nullptr), errors);
    if (errors.empty()) pod_warnings(pod, nullptr, *context.warnings);
  }
  void validate_update(RuleContext& context, const Pod& pod, const Pod& old, FieldErrors& errors) const override {
    validate_pod_update(pod, old, pod_validation_options(context, pod, &old), errors);
  }
  void prepare_for_subresource(std::string_view subresource, RuleContext&, Pod& pod, const Pod& old) const override {
    prepare_pod_for_subresource(subresource, pod, old);
  }
  void validate_subresource(std::string_view subresource, RuleContext& context, const Pod& pod, const Pod& old,
                            FieldErrors& errors) const override {
    const auto options = pod_validation_options(context, pod, &old);
    if (subresource == "status") {
      validate_pod_status_update(pod, old, options, errors);
      if (errors.empty()) pod_status_warnings(pod, *context.warnings);
    }
    if (subresource == "ephemeralcontainers") validate_pod_ephemeral_update(pod, old, options, errors);
    if (subresource == "resize") validate_pod_resize(pod, old, options, errors);
  }
  void cells(const Pod& pod, base::WallTime now, TableRow& row) const override { pod_cells(pod, now, row); }

  std::vector<SelectableField> selectable_fields(const Pod& pod) const override {
    return {{"spec.nodeName", pod.spec.node_name},
            {"spec.restartPolicy", pod.spec.restart_policy},
            {"spec.schedulerName", pod.spec.scheduler_name},
            {"spec.serviceAccountName", pod.spec.service_account_name},
            {"spec.hostNetwork", pod.spec.host_network ? "true" : "false"},
            {"status.phase", pod.status.phase},
            {"status.podIP", pod.status.pod_ips.empty() ? "" : pod.status.pod_ips[0].ip},
            // Compat: known by name, but never set.
            {"status.podIPs", ""},
            {"status.nominatedNodeName", pod.status.nominated_node_name}};
  }

  std::optional<int64_t> grace_period(const Pod& pod, std::optional<int64_t> requested) const override {
    // Nothing runs that could be stopped.
    if (pod.spec.node_name.empty() || pod_terminal(pod)) return 0;
    const int64_t seconds = requested ? *requested : pod.spec.termination_grace_period_seconds.value_or(0);
    return seconds < 0 ? 1 : seconds;
  }

  std::vector<std::string_view> reset_fields(std::string_view subresource) const override {
    if (subresource == "status") return {".spec", ".metadata.deletionTimestamp", ".metadata.ownerReferences"};
    if (subresource == "ephemeralcontainers" || subresource == "resize") return {".metadata", ".status"};
    return {".status"};
  }
};

}  // namespace

std::unique_ptr<const KindRules> pod_rules() { return std::make_unique<PodRules>(); }

bool pod_ready(const Pod& pod) {
  return std::ranges::any_of(pod.status.conditions,
                             [](const auto& each) { return each.type == "Ready" && each.status == "True"; });
}

bool pod_terminal(const Pod& pod) { return pod.status.phase == "Succeeded" || pod.status.phase == "Failed"; }

}  // namespace api
