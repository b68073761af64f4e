// What Pods and every kind with a Pod template share: defaults, validation, warnings, resources and QoS of a PodSpec.
// Pure; thread: any.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "api/meta_validation.h"
#include "gen/core/v1.h"
#include "object/field_error.h"

namespace api {

// --- Defaults (pod_spec_defaults.cc) ---
// Versioned defaulting of a PodSpec wherever it stands. Idempotent.
void set_pod_spec_defaults(core::v1::PodSpec& spec);
inline void set_pod_template_defaults(core::v1::PodTemplateSpec& pod_template) {
  set_pod_spec_defaults(pod_template.spec);
}
// What only a Pod itself gets on top: requests from limits, service links, host ports. Runs after the former.
void set_pod_defaults(core::v1::Pod& pod);
// Rounds resources up to thousandths, as upstream does with every ResourceList that it decodes.
void set_resource_list_defaults(ResourceList& resources);
// The defaults of a claim's spec and status: PersistentVolumeClaims, claim templates of StatefulSets and volumes.
void set_claim_spec_defaults(core::v1::PersistentVolumeClaimSpec& spec);

// Clears members whose features are off by default, unless `old` (null on create) has them. Part of preparing Pods and
// of every kind with a template, on create and update.
void drop_disabled_pod_fields(core::v1::PodSpec& spec, const core::v1::PodSpec* old);

// --- Validation (pod_validation*.cc) ---
enum class PodSubject : uint8_t { kPod, kTemplate };
// What an old object may keep although a new one may not have it.
struct PodValidationOptions {
  PodSubject subject = PodSubject::kTemplate;
  SelectorValues selector_values = SelectorValues::kChecked;
  bool allow_invalid_deletion_cost = false;
  bool allow_indivisible_huge_pages = false;
  bool allow_invalid_spread_selector = false;
  bool allow_non_local_token_path = false;
  bool allow_sysctls_with_host_namespaces = false;
  Privileged privileged = Privileged::kRefused;
};
// The options for what replaces `old`, null on create.
PodValidationOptions pod_validation_options(const RuleContext& context, const core::v1::Pod& pod,
                                            const core::v1::Pod* old);
PodValidationOptions template_validation_options(const RuleContext& context,
                                                 const core::v1::PodTemplateSpec& pod_template,
                                                 const core::v1::PodTemplateSpec* old);

// `path` is that of the template ("spec.template"). Compat: labels and annotations are reported at `path`.labels and
// `path`.annotations, the spec at `path`.spec.
void validate_pod_template_spec(const core::v1::PodTemplateSpec& pod_template, const object::FieldPath& path,
                                const PodValidationOptions& options, object::FieldErrors& errors);
// `metadata` is the Pod's, null in a template.
void validate_pod_spec(const core::v1::PodSpec& spec, const meta::v1::ObjectMeta* metadata,
                       const object::FieldPath& path, const PodValidationOptions& options, object::FieldErrors& errors);
// Shared with other kinds.
void validate_node_selector(const core::v1::NodeSelector& selector, const object::FieldPath& path,
                            object::FieldErrors& errors);
void validate_node_selector_term(const core::v1::NodeSelectorTerm& term, const object::FieldPath& path,
                                 object::FieldErrors& errors);
void validate_tolerations(const std::vector<core::v1::Toleration>& tolerations, const object::FieldPath& path,
                          object::FieldErrors& errors);
// Names of resources: in ResourceLists of containers, and in general (quotas, nodes).
void validate_container_resource_name(std::string_view name, const object::FieldPath& path,
                                      object::FieldErrors& errors);
void validate_resource_name(std::string_view name, const object::FieldPath& path, object::FieldErrors& errors);
// A quantity of a resource: not negative, whole where the resource is counted.
void validate_resource_quantity(std::string_view resource, const object::Quantity& value, const object::FieldPath& path,
                                object::FieldErrors& errors);
// limits and requests of a container.
void validate_resource_requirements(const core::v1::ResourceRequirements& resources,
                                    const std::vector<core::v1::PodResourceClaim>& pod_claims,
                                    const object::FieldPath& path, const PodValidationOptions& options,
                                    object::FieldErrors& errors);
// Paths that stay inside their volume.
void validate_local_descending_path(std::string_view value, const object::FieldPath& path, object::FieldErrors& errors);
void validate_path_no_backsteps(std::string_view value, const object::FieldPath& path, object::FieldErrors& errors);
// The spec of a claim on create (claim_spec.cc): claims, ephemeral volumes, claim templates.
void validate_claim_spec(const core::v1::PersistentVolumeClaimSpec& spec, const object::FieldPath& path,
                         object::FieldErrors& errors);

// Is it the name of an extended resource ("example.com/gpu"), huge pages, one of kubernetes.io's own?
bool is_extended_resource(std::string_view name);
bool is_huge_page_resource(std::string_view name);
bool is_native_resource(std::string_view name);
bool is_standard_resource(std::string_view name);  // known without a domain
bool is_integer_resource(std::string_view name);   // pods, quota counts
bool is_overcommit_allowed(std::string_view name);
bool is_attachable_volume_resource(std::string_view name);

// --- Warnings (pod_warnings.cc) ---
// Appends upstream's warnings for a template at `path`; `old` null on create.
void pod_template_warnings(const core::v1::PodTemplateSpec& pod_template, const core::v1::PodTemplateSpec* old,
                           const object::FieldPath& path, std::vector<std::string>& warnings);
void pod_warnings(const core::v1::Pod& pod, const core::v1::Pod* old, std::vector<std::string>& warnings);
// For a report on a Pod: odd addresses.
void pod_status_warnings(const core::v1::Pod& pod, std::vector<std::string>& warnings);

// --- Resources (pod_resources.cc) ---
// "Guaranteed", "Burstable" or "BestEffort".
std::string_view compute_qos_class(const core::v1::Pod& pod);

}  // namespace api
