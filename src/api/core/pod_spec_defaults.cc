// Versioned defaulting of Pods and Pod templates.
#include <type_traits>

#include "api/core/image_name.h"
#include "api/core/pod_resources.h"
#include "api/core/pod_spec.h"
#include "object/quantity.h"

namespace api {
namespace {

using core::v1::PodSpec;
using core::v1::Volume;

constexpr int32_t kDefaultFileMode = 0644;

void set_if_empty(std::string& value, std::string_view standard) {
  if (value.empty()) value = standard;
}
template <typename T, typename V>
void set_if_unset(std::optional<T>& value, V standard) {
  if (!value) value = standard;
}

std::string_view pull_policy_for(std::string_view image) { return image_is_latest(image) ? "Always" : "IfNotPresent"; }

void set_field_ref_defaults(base::Box<core::v1::ObjectFieldSelector>& field) {
  if (field) set_if_empty(field->api_version, "v1");
}

void set_http_get_defaults(base::Box<core::v1::HTTPGetAction>& action) {
  if (!action) return;
  set_if_empty(action->path, "/");
  set_if_empty(action->scheme, "HTTP");
}

void set_probe_defaults(base::Box<core::v1::Probe>& probe) {
  if (!probe) return;
  if (probe->timeout_seconds == 0) probe->timeout_seconds = 1;
  if (probe->period_seconds == 0) probe->period_seconds = 10;
  if (probe->success_threshold == 0) probe->success_threshold = 1;
  if (probe->failure_threshold == 0) probe->failure_threshold = 3;
  set_http_get_defaults(probe->handler.http_get);
  if (probe->handler.grpc) set_if_unset(probe->handler.grpc->service, "");
}

// Container or EphemeralContainerCommon: the same members.
template <typename C>
void set_container_defaults(C& container) {
  set_if_empty(container.image_pull_policy, pull_policy_for(container.image));
  set_if_empty(container.termination_message_path, "/dev/termination-log");
  set_if_empty(container.termination_message_policy, "File");
  for (auto& port : container.ports) set_if_empty(port.protocol, "TCP");
  for (auto& variable : container.env) {
    if (!variable.value_from) continue;
    set_field_ref_defaults(variable.value_from->field_ref);
    if (variable.value_from->file_key_ref) set_if_unset(variable.value_from->file_key_ref->optional, false);
  }
  set_resource_list_defaults(container.resources.limits);
  set_resource_list_defaults(container.resources.requests);
  set_probe_defaults(container.liveness_probe);
  set_probe_defaults(container.readiness_probe);
  set_probe_defaults(container.startup_probe);
  if (container.lifecycle) {
    if (container.lifecycle->post_start) set_http_get_defaults(container.lifecycle->post_start->http_get);
    if (container.lifecycle->pre_stop) set_http_get_defaults(container.lifecycle->pre_stop->http_get);
  }
}

bool has_source(const Volume& volume) {
  const auto& s = volume.volume_source;
  return s.host_path || s.empty_dir || s.gce_persistent_disk || s.aws_elastic_block_store || s.git_repo || s.secret ||
         s.nfs || s.iscsi || s.glusterfs || s.persistent_volume_claim || s.rbd || s.flex_volume || s.cinder ||
         s.cephfs || s.flocker || s.downward_api || s.fc || s.azure_file || s.config_map || s.vsphere_volume ||
         s.quobyte || s.azure_disk || s.photon_persistent_disk || s.projected || s.portworx_volume || s.scale_io ||
         s.storageos || s.csi || s.ephemeral || s.image;
}

void set_projected_defaults(core::v1::ProjectedVolumeSource& projected) {
  set_if_unset(projected.default_mode, kDefaultFileMode);
  for (auto& source : projected.sources) {
    if (source.service_account_token) set_if_unset(source.service_account_token->expiration_seconds, 3600);
    if (!source.downward_api) continue;
    for (auto& file : source.downward_api->items) set_field_ref_defaults(file.field_ref);
  }
}

void set_network_volume_defaults(core::v1::VolumeSource& source) {
  if (source.iscsi) set_if_empty(source.iscsi->iscsi_interface, "default");
  if (source.rbd) {
    set_if_empty(source.rbd->pool, "rbd");
    set_if_empty(source.rbd->user, "admin");
    set_if_empty(source.rbd->keyring, "/etc/ceph/keyring");
  }
  if (source.azure_disk) {
    set_if_unset(source.azure_disk->caching_mode, "ReadWrite");
    set_if_unset(source.azure_disk->kind, "Shared");
    set_if_unset(source.azure_disk->fs_type, "ext4");
    set_if_unset(source.azure_disk->read_only, false);
  }
  if (source.scale_io) {
    set_if_empty(source.scale_io->storage_mode, "ThinProvisioned");
    set_if_empty(source.scale_io->fs_type, "xfs");
  }
}

void set_volume_defaults(Volume& volume) {
  if (!has_source(volume)) volume.volume_source.empty_dir.ensure();
  auto& source = volume.volume_source;
  if (source.secret) set_if_unset(source.secret->default_mode, kDefaultFileMode);
  if (source.config_map) set_if_unset(source.config_map->default_mode, kDefaultFileMode);
  if (source.downward_api) {
    set_if_unset(source.downward_api->default_mode, kDefaultFileMode);
    for (auto& file : source.downward_api->items) set_field_ref_defaults(file.field_ref);
  }
  if (source.projected) set_projected_defaults(*source.projected);
  if (source.host_path) set_if_unset(source.host_path->type, "");
  if (source.image) set_if_empty(source.image->pull_policy, pull_policy_for(source.image->reference));
  if (source.ephemeral && source.ephemeral->volume_claim_template) {
    set_claim_spec_defaults(source.ephemeral->volume_claim_template->spec);
  }
  set_network_volume_defaults(source);
}

void set_requests_from_limits(core::v1::ResourceRequirements& resources) {
  for (const auto& [name, limit] : resources.limits) resources.requests.try_emplace(name, limit);
}

void set_host_ports(std::vector<core::v1::Container>& containers) {
  for (auto& container : containers) {
    for (auto& port : container.ports) {
      if (port.host_port == 0) port.host_port = port.container_port;
    }
  }
}

// Huge pages that the containers may use, unless the Pod asks for some itself.
void set_pod_level_limits(PodSpec& spec) {
  auto& resources = *spec.resources;
  if (resources.limits.empty() && resources.requests.empty()) return;
  for (auto& [name, limit] : aggregate_container_limits(spec)) {
    if (is_huge_page_resource(name) && !resources.requests.contains(name)) resources.limits.try_emplace(name, limit);
  }
}

void set_pod_level_requests(PodSpec& spec) {
  auto& resources = *spec.resources;
  if (resources.limits.empty()) return;
  for (auto& [name, request] : aggregate_container_requests(spec)) {
    if (is_pod_level_resource(name) && is_overcommit_allowed(name)) resources.requests.try_emplace(name, request);
  }
  for (const auto& [name, limit] : resources.limits) {
    if (is_pod_level_resource(name)) resources.requests.try_emplace(name, limit);
  }
}

}  // namespace

void set_resource_list_defaults(ResourceList& resources) {
  for (auto& [name, quantity] : resources) {
    const auto value = object::QuantityValue::of(quantity);
    const auto rounded = object::QuantityValue::from_milli(value.milli_value(), value.form());
    // A value beyond the range of thousandths is a multiple of them anyway.
    const bool in_range = value.sign() < 0 ? rounded < value : rounded > value;
    if (in_range) quantity = rounded.to_quantity();
  }
}

void set_pod_spec_defaults(PodSpec& spec) {
  set_if_empty(spec.dns_policy, "ClusterFirst");
  set_if_empty(spec.restart_policy, "Always");
  spec.security_context.ensure();
  set_if_unset(spec.termination_grace_period_seconds, 30);
  set_if_empty(spec.scheduler_name, "default-scheduler");
  // Compat: the deprecated alias is read when the field is empty and always written.
  set_if_empty(spec.service_account_name, spec.service_account);
  spec.service_account = spec.service_account_name;
  for (auto& volume : spec.volumes) set_volume_defaults(volume);
  for (auto& container : spec.init_containers) set_container_defaults(container);
  for (auto& container : spec.containers) set_container_defaults(container);
  for (auto& container : spec.ephemeral_containers) set_container_defaults(container.ephemeral_container_common);
  set_resource_list_defaults(spec.overhead);
  if (spec.resources) {
    set_resource_list_defaults(spec.resources->limits);
    set_resource_list_defaults(spec.resources->requests);
  }
}

void set_pod_defaults(core::v1::Pod& pod) {
  PodSpec& spec = pod.spec;
  for (auto& container : spec.containers) set_requests_from_limits(container.resources);
  for (auto& container : spec.init_containers) set_requests_from_limits(container.resources);
  if (spec.resources) {
    set_pod_level_limits(spec);
    set_pod_level_requests(spec);
  }
  set_if_unset(spec.enable_service_links, true);
  if (spec.host_network) {
    set_host_ports(spec.containers);
    set_host_ports(spec.init_containers);
  }
  // Compat: podIP is an alias of the first of podIPs; when they differ, podIP wins.
  auto& status = pod.status;
  if (!status.pod_ip.empty() && (status.pod_ips.empty() || status.pod_ips[0].ip != status.pod_ip)) {
    status.pod_ips.assign(1, {});
    status.pod_ips[0].ip = status.pod_ip;
  } else if (status.pod_ip.empty() && !status.pod_ips.empty()) {
    status.pod_ip = status.pod_ips[0].ip;
  }
}

void set_claim_spec_defaults(core::v1::PersistentVolumeClaimSpec& spec) {
  set_if_unset(spec.volume_mode, "Filesystem");
  set_resource_list_defaults(spec.resources.limits);
  set_resource_list_defaults(spec.resources.requests);
}

}  // namespace api
