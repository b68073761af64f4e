// What the kinds with a selector and a Pod template share. Pure; thread: any.
#pragma once

#include <string_view>

#include "api/core/pod_spec.h"
#include "api/shared/checks.h"

namespace api {

// Required; well formed; not empty (`empty_message` says so).
void validate_workload_selector(const base::Box<meta::v1::LabelSelector>& selector, std::string_view empty_message,
                                const FieldPath& path, FieldErrors& errors);
// `selector` does not match template `labels`. A missing selector matches nothing, an empty one everything.
void validate_template_labels(const object::LabelSelector& selector, const core::v1::PodTemplateSpec& pod_template,
                              const FieldPath& path, FieldErrors& errors);
// A template whose Pods run for ever: restart policy Always and no active deadline. `kind` is named in the message.
void validate_permanent_template(const core::v1::PodTemplateSpec& pod_template, std::string_view kind,
                                 const FieldPath& path, FieldErrors& errors);
// All of it, for ReplicaSets and Deployments: labels, the template, permanence. `path` is that of the template.
void validate_replica_template(RuleContext& context, const object::LabelSelector& selector,
                               const core::v1::PodTemplateSpec& pod_template, const core::v1::PodTemplateSpec* old,
                               const FieldPath& path, FieldErrors& errors);
// "cannot be decremented".
void validate_collision_count(const std::optional<int32_t>& count, const std::optional<int32_t>& old,
                              FieldErrors& errors);
// "cannot be greater than status.replicas".
void check_at_most_replicas(int32_t value, int32_t replicas, const FieldPath& path, FieldErrors& errors);
// The selector text of the scale subresource.
std::string scale_selector(const base::Box<meta::v1::LabelSelector>& selector);
// Prepares a template at spec.template: disabled fields are dropped, warnings given; `old` null on create.
void prepare_template(core::v1::PodTemplateSpec& pod_template, const core::v1::PodTemplateSpec* old,
                      RuleContext& context);

}  // namespace api
