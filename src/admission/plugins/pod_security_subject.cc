#include "admission/plugins/pod_security_subject.h"

#include "admission/plugins/common.h"

namespace admission::pod_security {

Subject make_subject(const api::meta::v1::ObjectMeta& metadata, const api::core::v1::PodSpec& spec, int minor) {
  Subject subject{metadata, spec, minor, {}};
  visit_containers(spec, [&](const auto& container) {
    ContainerView& view = subject.containers.emplace_back();
    view.name = container.name;
    view.security = container.security_context.get();
    view.ports = &container.ports;
    view.probes[0] = container.liveness_probe.get();
    view.probes[1] = container.readiness_probe.get();
    view.probes[2] = container.startup_probe.get();
    view.lifecycle = container.lifecycle.get();
  });
  return subject;
}

std::string_view restricted_volume_type(const api::core::v1::VolumeSource& source) {
  if (source.config_map || source.csi || source.downward_api || source.empty_dir || source.ephemeral || source.image ||
      source.persistent_volume_claim || source.projected || source.secret) {
    return "";
  }
  if (source.host_path) return "hostPath";
  if (source.gce_persistent_disk) return "gcePersistentDisk";
  if (source.aws_elastic_block_store) return "awsElasticBlockStore";
  if (source.git_repo) return "gitRepo";
  if (source.nfs) return "nfs";
  if (source.iscsi) return "iscsi";
  if (source.glusterfs) return "glusterfs";
  if (source.rbd) return "rbd";
  if (source.flex_volume) return "flexVolume";
  if (source.cinder) return "cinder";
  if (source.cephfs) return "cephfs";
  if (source.flocker) return "flocker";
  if (source.fc) return "fc";
  if (source.azure_file) return "azureFile";
  if (source.vsphere_volume) return "vsphereVolume";
  if (source.quobyte) return "quobyte";
  if (source.azure_disk) return "azureDisk";
  if (source.photon_persistent_disk) return "photonPersistentDisk";
  if (source.portworx_volume) return "portworxVolume";
  if (source.scale_io) return "scaleIO";
  if (source.storageos) return "storageos";
  return "unknown";
}

}  // namespace admission::pod_security
