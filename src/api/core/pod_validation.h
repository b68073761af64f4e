// The parts of Pod validation, by topic; only for the pod_validation*.cc files. Order of calls is the order of errors.
// Pure; thread: any.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "api/core/pod_spec.h"

namespace api {

// What the checks of one PodSpec share.
struct PodCheck {
  const core::v1::PodSpec& spec;
  const meta::v1::ObjectMeta* metadata;  // of the Pod; null in a template
  const PodValidationOptions& options;
  object::FieldErrors& errors;
  std::map<std::string_view, const core::v1::VolumeSource*> volumes;  // those without errors, by name
  std::set<std::string_view> claims;                                  // names of resource claims
  bool host_users() const { return spec.host_users.value_or(true); }
  bool is_pod() const { return options.subject == PodSubject::kPod; }
};

// An ephemeral container seen as a container: all members but its target.
core::v1::Container as_container(const core::v1::EphemeralContainerCommon& common);
using ContainerVisitor = std::function<void(const core::v1::Container&, const object::FieldPath&)>;
// Init, regular and ephemeral containers, in upstream's order; `spec_path` is that of the PodSpec.
void visit_containers(const core::v1::PodSpec& spec, const object::FieldPath& spec_path, const ContainerVisitor& visit);

// pod_validation_volumes.cc: also fills check.volumes
void validate_volumes(PodCheck& check, const object::FieldPath& path);
// pod_validation_volume_sources.cc
void validate_volume_source(const PodCheck& check, const core::v1::Volume& volume, const object::FieldPath& path);
// pod_validation_projected.cc
void validate_projected_volume(const PodCheck& check, const core::v1::ProjectedVolumeSource& projected,
                               const object::FieldPath& path);
void validate_downward_api_volume(const PodCheck& check, const core::v1::DownwardAPIVolumeSource& volume,
                                  const object::FieldPath& path);
void validate_key_to_path(const core::v1::KeyToPath& item, const object::FieldPath& path, object::FieldErrors& errors);
void validate_file_mode(std::optional<int32_t> mode, const object::FieldPath& path, object::FieldErrors& errors);
// Inside its volume and not one of the names that begin with "..".
void validate_local_path(std::string_view value, const object::FieldPath& path, object::FieldErrors& errors);

// pod_validation_containers.cc
void validate_containers(const PodCheck& check, const object::FieldPath& path);
void validate_init_containers(const PodCheck& check, const object::FieldPath& path);
void validate_ephemeral_containers(const PodCheck& check, const object::FieldPath& path);
// Leading and trailing space: refused in Pods only.
void validate_pod_images(const std::vector<core::v1::Container>& containers, const object::FieldPath& path,
                         object::FieldErrors& errors);
// pod_validation_container_fields.cc
void validate_container_common(const PodCheck& check, const core::v1::Container& container,
                               const object::FieldPath& path);
// pod_validation_mounts.cc
void validate_mounts(const PodCheck& check, const core::v1::Container& container, const object::FieldPath& path);
void validate_devices(const PodCheck& check, const core::v1::Container& container, const object::FieldPath& path);
// pod_validation_env.cc
void validate_env(const PodCheck& check, const std::vector<core::v1::EnvVar>& env, const object::FieldPath& path);
void validate_env_from(const std::vector<core::v1::EnvFromSource>& env, const object::FieldPath& path,
                       object::FieldErrors& errors);
void validate_volume_field_ref(const core::v1::ObjectFieldSelector& field, const object::FieldPath& path,
                               object::FieldErrors& errors);
void validate_volume_resource_ref(const core::v1::ResourceFieldSelector& field, const object::FieldPath& path,
                                  object::FieldErrors& errors);
// pod_validation_handlers.cc
void validate_probes(const PodCheck& check, const core::v1::Container& container, const object::FieldPath& path);
void validate_lifecycle(const PodCheck& check, const core::v1::Lifecycle& lifecycle, const object::FieldPath& path);

// pod_validation_resources.cc
void validate_resource_claims(PodCheck& check, const object::FieldPath& path);
void validate_container_resources(const PodCheck& check, const core::v1::ResourceRequirements& resources,
                                  const object::FieldPath& path);
void validate_pod_level_resources(const PodCheck& check, const object::FieldPath& path);

// pod_validation_scheduling.cc
void validate_affinity(const PodCheck& check, const core::v1::Affinity& affinity, const object::FieldPath& path);
void validate_spread_constraints(const PodCheck& check, const object::FieldPath& path);
void validate_scheduling_gates(const PodCheck& check, const object::FieldPath& path);
void validate_taint_effect(std::string_view effect, const object::FieldPath& path, object::FieldErrors& errors);

// pod_validation_security.cc
void validate_pod_security_context(const PodCheck& check, const object::FieldPath& spec_path);
void validate_container_security_context(const PodCheck& check, const core::v1::SecurityContext& context,
                                         const object::FieldPath& path);
void validate_security_annotations(const StringMap& annotations, const core::v1::PodSpec& spec,
                                   const object::FieldPath& path, object::FieldErrors& errors);
// On create: annotations of old and the fields that replaced them must say the same.
void validate_security_annotations_match(const StringMap& annotations, const core::v1::PodSpec& spec,
                                         const object::FieldPath& spec_path, object::FieldErrors& errors);
bool valid_app_armor_profile(const core::v1::AppArmorProfile& profile);
// pod_validation_windows.cc
void validate_windows_options(const core::v1::WindowsSecurityContextOptions& options, const object::FieldPath& path,
                              object::FieldErrors& errors);
void validate_host_process(const PodCheck& check, const object::FieldPath& spec_path);
void validate_os(const PodCheck& check, const object::FieldPath& spec_path);

// pod_validation.cc: metadata's own rules, and all that a whole Pod must satisfy on create and update.
void validate_pod_annotations(const StringMap& annotations, const core::v1::PodSpec& spec,
                              const object::FieldPath& path, const PodValidationOptions& options,
                              object::FieldErrors& errors);
void validate_whole_pod(const core::v1::Pod& pod, const PodValidationOptions& options, object::FieldErrors& errors);
void validate_pod_create(const core::v1::Pod& pod, const PodValidationOptions& options, object::FieldErrors& errors);
// pod_validation_update.cc
void validate_pod_update(const core::v1::Pod& pod, const core::v1::Pod& old, const PodValidationOptions& options,
                         object::FieldErrors& errors);
void validate_pod_ephemeral_update(const core::v1::Pod& pod, const core::v1::Pod& old,
                                   const PodValidationOptions& options, object::FieldErrors& errors);
void validate_pod_resize(const core::v1::Pod& pod, const core::v1::Pod& old, const PodValidationOptions& options,
                         object::FieldErrors& errors);
void validate_pod_annotation_updates(const core::v1::Pod& pod, const core::v1::Pod& old,
                                     const PodValidationOptions& options, object::FieldErrors& errors);
// pod_validation_status.cc
void validate_pod_status_update(const core::v1::Pod& pod, const core::v1::Pod& old, const PodValidationOptions& options,
                                object::FieldErrors& errors);

}  // namespace api
