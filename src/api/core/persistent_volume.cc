#include "api/core/pod_spec.h"
#include "api/core/volume_cells.h"
#include "api/shared/cells.h"
#include "api/shared/strategy.h"
#include "object/quantity.h"

namespace api {
namespace {

using core::v1::PersistentVolume;
using core::v1::PersistentVolumeSpec;

void check_capacity(const PersistentVolumeSpec& spec, const FieldPath& path, FieldErrors& errors) {
  if (spec.capacity.empty()) errors.required(path);
  if (!spec.capacity.contains("storage") || spec.capacity.size() > 1) {
    object::Object text;
    for (const auto& [name, quantity] : spec.capacity) text.append(name, quantity.string);
    errors.not_supported(path, spec.capacity.empty() ? BadValue::verbatim("null") : shown_json(std::move(text)),
                         {"storage"});
  }
  for (const auto& [name, quantity] : spec.capacity) {
    if (object::QuantityValue::of(quantity).sign() <= 0) {
      errors.invalid(path.key(name), quantity.string, "must be greater than zero");
    }
  }
}

void check_spec(const PersistentVolumeSpec& spec, FieldErrors& errors) {
  const FieldPath path("spec");
  const FieldPath modes = path.child("accessModes"), affinity = path.child("nodeAffinity");
  const FieldPath reclaim = path.child("persistentVolumeReclaimPolicy");
  if (spec.access_modes.empty()) errors.required(modes);
  check_access_modes(spec.access_modes, modes, errors);
  check_capacity(spec, path.child("capacity"), errors);
  const std::string& policy = spec.persistent_volume_reclaim_policy;
  if (!policy.empty()) check_enum(policy, reclaim, errors, {"Delete", "Recycle", "Retain"});
  if (spec.node_affinity) {
    if (!spec.node_affinity->required) {
      errors.required(affinity.child("required"), "must specify required node constraints");
    } else {
      validate_node_selector(*spec.node_affinity->required, affinity.child("required"), errors);
    }
  }
  validate_volume_source(spec, path, errors);
  const auto& source = spec.persistent_volume_source;
  if (source.host_path && source.host_path->path == "/" && policy == "Recycle") {
    errors.forbidden(reclaim, "may not be 'recycle' for a hostPath mount of '/'");
  }
  if (!spec.storage_class_name.empty()) {
    validate_dns1123_subdomain(spec.storage_class_name, path.child("storageClassName"), errors);
  }
  if (spec.volume_mode) check_enum(*spec.volume_mode, path.child("volumeMode"), errors, {"Block", "Filesystem"});
}

void set_phase_time(PersistentVolume& volume, const RuleContext& context) {
  volume.status.last_phase_transition_time = object::to_time(context.now);
}

std::string changed_sources(const core::v1::PersistentVolumeSource& now,
                            const core::v1::PersistentVolumeSource& before) {
  return changed_members("PersistentVolumeSource",
                         {{"GCEPersistentDisk", now.gce_persistent_disk == before.gce_persistent_disk},
                          {"AWSElasticBlockStore", now.aws_elastic_block_store == before.aws_elastic_block_store},
                          {"HostPath", now.host_path == before.host_path},
                          {"Glusterfs", now.glusterfs == before.glusterfs},
                          {"NFS", now.nfs == before.nfs},
                          {"RBD", now.rbd == before.rbd},
                          {"ISCSI", now.iscsi == before.iscsi},
                          {"Cinder", now.cinder == before.cinder},
                          {"CephFS", now.cephfs == before.cephfs},
                          {"FC", now.fc == before.fc},
                          {"Flocker", now.flocker == before.flocker},
                          {"FlexVolume", now.flex_volume == before.flex_volume},
                          {"AzureFile", now.azure_file == before.azure_file},
                          {"VsphereVolume", now.vsphere_volume == before.vsphere_volume},
                          {"Quobyte", now.quobyte == before.quobyte},
                          {"AzureDisk", now.azure_disk == before.azure_disk},
                          {"PhotonPersistentDisk", now.photon_persistent_disk == before.photon_persistent_disk},
                          {"PortworxVolume", now.portworx_volume == before.portworx_volume},
                          {"ScaleIO", now.scale_io == before.scale_io},
                          {"Local", now.local == before.local},
                          {"StorageOS", now.storageos == before.storageos},
                          {"CSI", now.csi == before.csi}});
}

class PersistentVolumeRules final : public PlainStatusRules<PersistentVolume> {
 public:
  PersistentVolumeRules() : PlainStatusRules("", "v1", "PersistentVolume") {}

  void set_defaults(PersistentVolume& volume) const override {
    auto& spec = volume.spec;
    if (volume.status.phase.empty()) volume.status.phase = "Pending";
    if (spec.persistent_volume_reclaim_policy.empty()) spec.persistent_volume_reclaim_policy = "Retain";
    if (!spec.volume_mode) spec.volume_mode = "Filesystem";
    set_volume_source_defaults(spec.persistent_volume_source);
  }
  void prepare_for_create(RuleContext& context, PersistentVolume& volume) const override {
    volume.status = {};
    volume.status.phase = "Pending";
    set_phase_time(volume, context);
    warn(volume, context);
  }
  void prepare_for_update(RuleContext& context, PersistentVolume& volume, const PersistentVolume& old) const override {
    volume.status = old.status;
    warn(volume, context);
  }
  void prepare_for_subresource(std::string_view subresource, RuleContext& context, PersistentVolume& volume,
                               const PersistentVolume& old) const override {
    if (subresource != "status") return;
    volume.spec = old.spec;
    const auto& given = volume.status.last_phase_transition_time;
    if (volume.status.phase == old.status.phase) {
      if (!given) volume.status.last_phase_transition_time = old.status.last_phase_transition_time;
    } else if (!given || given == old.status.last_phase_transition_time) {
      set_phase_time(volume, context);
    }
  }
  void validate(RuleContext&, const PersistentVolume& volume, FieldErrors& errors) const override {
    check_spec(volume.spec, errors);
  }
  void validate_update(RuleContext&, const PersistentVolume& volume, const PersistentVolume& old,
                       FieldErrors& errors) const override {
    check_spec(volume.spec, errors);
    const FieldPath spec("spec");
    if (volume.spec.persistent_volume_source != old.spec.persistent_volume_source) {
      errors.forbidden(spec.child("persistentvolumesource"),
                       "spec.persistentvolumesource is immutable after creation\n" +
                           changed_sources(volume.spec.persistent_volume_source, old.spec.persistent_volume_source));
    }
    validate_immutable(volume.spec.volume_mode, old.spec.volume_mode, volume.spec.volume_mode.value_or(""),
                       FieldPath("volumeMode"), errors);
    if (old.spec.node_affinity) {
      validate_immutable(volume.spec.node_affinity, old.spec.node_affinity, BadValue::verbatim("{}"),
                         FieldPath("nodeAffinity"), errors);
    }
  }
  void cells(const PersistentVolume& volume, base::WallTime now, TableRow& row) const override {
    const auto& spec = volume.spec;
    auto capacity = spec.capacity.find("storage");
    row.cells = {volume.metadata.name,
                 capacity == spec.capacity.end() ? std::string("0") : capacity->second.string,
                 format_access_modes(spec.access_modes),
                 spec.persistent_volume_reclaim_policy,
                 volume.metadata.deletion_timestamp ? std::string("Terminating") : volume.status.phase,
                 spec.claim_ref ? spec.claim_ref->namespace_ + "/" + spec.claim_ref->name : std::string(),
                 storage_class_cell(volume.metadata, spec.storage_class_name),
                 spec.volume_attributes_class_name.value_or("<unset>"),
                 volume.status.reason,
                 age_cell(volume.metadata, now),
                 spec.volume_mode.value_or("<unset>")};
  }

 private:
  static void warn(const PersistentVolume& volume, RuleContext& context) {
    if (volume.spec.persistent_volume_reclaim_policy == "Recycle") {
      context.warnings->push_back(
          "spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, the recommended "
          "approach is to use dynamic provisioning.");
    }
    warn_of_volume_source(volume.spec.persistent_volume_source, *context.warnings);
  }
};

}  // namespace

std::unique_ptr<const KindRules> persistent_volume_rules() { return std::make_unique<PersistentVolumeRules>(); }

}  // namespace api
