#include <set>

#include "api/shared/cells.h"
#include "api/shared/checks.h"
#include "gen/scheduling/v1alpha1.h"
#include "object/names.h"

namespace api {
namespace {

using scheduling::v1alpha1::PodGroup;
using scheduling::v1alpha1::PodGroupPolicy;
using scheduling::v1alpha1::TypedLocalObjectReference;
using scheduling::v1alpha1::Workload;
using scheduling::v1alpha1::WorkloadSpec;

constexpr int64_t kMaxPodGroups = 8;

void check_segment(const std::string& text, const FieldPath& path, FieldErrors& errors) {
  if (text.empty()) return errors.required(path);
  errors.invalid_each(path, text, object::validate_path_segment_name(text));
}

void check_controller(const TypedLocalObjectReference& reference, const FieldPath& path, FieldErrors& errors) {
  if (!reference.api_group.empty()) validate_dns1123_subdomain(reference.api_group, path.child("apiGroup"), errors);
  check_segment(reference.kind, path.child("kind"), errors);
  check_segment(reference.name, path.child("name"), errors);
}

void check_policy(const PodGroupPolicy& policy, const FieldPath& path, FieldErrors& errors) {
  if (!policy.basic && !policy.gang) return errors.required(path, "exactly one of `basic`, `gang` is required");
  if (policy.basic && policy.gang) {
    return errors.invalid(path, "{`basic`, `gang`}",
                          "exactly one of `basic`, `gang` is required, but multiple fields are set");
  }
  if (!policy.gang) return;
  const FieldPath gang = path.child("gang");
  check_positive(policy.gang->min_count, gang.child("minCount"), errors);
}

void check_groups(const std::vector<PodGroup>& groups, const FieldPath& path, FieldErrors& errors) {
  const auto count = static_cast<int64_t>(groups.size());
  if (count == 0) return errors.required(path, "must have at least one item");
  if (count > kMaxPodGroups) return errors.too_many(path, count, kMaxPodGroups);
  std::set<std::string_view> seen;
  for (size_t i = 0; i < groups.size(); ++i) {
    const FieldPath item = path.index(i), name = item.child("name");
    validate_dns1123_label(groups[i].name, name, errors);
    if (!seen.insert(groups[i].name).second) errors.duplicate(name, groups[i].name);
    check_policy(groups[i].policy, item.child("policy"), errors);
  }
}

// As messages show structs that did change.
BadValue shown(const base::Box<TypedLocalObjectReference>& reference) {
  if (!reference) return BadValue::verbatim("null");
  object::Object json;
  json.set("APIGroup", reference->api_group);
  json.set("Kind", reference->kind);
  json.set("Name", reference->name);
  return object::Value(std::move(json));
}

BadValue shown(const std::vector<PodGroup>& groups) {
  object::Array list;
  for (const PodGroup& group : groups) {
    object::Object policy, gang, json;
    policy.set("Basic", group.policy.basic ? object::Value(object::Object()) : object::Value(nullptr));
    if (group.policy.gang) gang.set("MinCount", group.policy.gang->min_count);
    policy.set("Gang", group.policy.gang ? object::Value(std::move(gang)) : object::Value(nullptr));
    json.set("Name", group.name);
    json.set("Policy", std::move(policy));
    list.emplace_back(std::move(json));
  }
  return object::Value(std::move(list));
}

class WorkloadRules final : public RulesFor<Workload> {
 public:
  WorkloadRules() : RulesFor("scheduling.k8s.io", "v1alpha1", "Workload") {}

  void validate(RuleContext&, const Workload& workload, FieldErrors& errors) const override {
    const FieldPath path("spec");
    if (workload.spec.controller_ref) {
      check_controller(*workload.spec.controller_ref, path.child("controllerRef"), errors);
    }
    check_groups(workload.spec.pod_groups, path.child("podGroups"), errors);
  }
  void validate_update(RuleContext& context, const Workload& workload, const Workload& old,
                       FieldErrors& errors) const override {
    validate(context, workload, errors);
    const WorkloadSpec &now = workload.spec, &before = old.spec;
    // Compat: these two paths have no "spec" before them.
    if (before.controller_ref) {
      validate_immutable(now.controller_ref, before.controller_ref, shown(now.controller_ref),
                         FieldPath("controllerRef"), errors);
    }
    validate_immutable(now.pod_groups, before.pod_groups, shown(now.pod_groups), FieldPath("podGroups"), errors);
  }
  void cells(const Workload& workload, base::WallTime now, TableRow& row) const override {
    row.cells = {workload.metadata.name, age_cell(workload.metadata, now)};
  }
};

}  // namespace

std::unique_ptr<const KindRules> workload_rules() { return std::make_unique<WorkloadRules>(); }

}  // namespace api
