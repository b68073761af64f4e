#include <algorithm>
#include <cctype>

#include "api/core/pod_spec.h"
#include "api/core/volume_cells.h"
#include "object/names.h"

namespace api {
namespace {

using core::v1::PersistentVolumeSource;

void require(const std::string& value, const FieldPath& path, FieldErrors& errors) {
  if (value.empty()) errors.required(path);
}

void check_host_path(const core::v1::HostPathVolumeSource& source, const FieldPath& path, FieldErrors& errors) {
  if (source.path.empty()) return errors.required(path.child("path"));
  validate_path_no_backsteps(source.path, path.child("path"), errors);
  if (!source.type || source.type->empty()) return;
  check_enum(*source.type, path.child("type"), errors,
             {"BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket"});
}

void check_nfs(const core::v1::NFSVolumeSource& source, const FieldPath& path, FieldErrors& errors) {
  require(source.server, path.child("server"), errors);
  require(source.path, path.child("path"), errors);
  if (!source.path.starts_with('/')) errors.invalid(path.child("path"), source.path, "must be an absolute path");
}

void check_csi(const core::v1::CSIPersistentVolumeSource& source, const FieldPath& path, FieldErrors& errors) {
  constexpr int64_t kMaxDriverBytes = 63;
  const FieldPath driver = path.child("driver");
  if (source.driver.empty()) {
    errors.required(driver);
  } else {
    if (static_cast<int64_t>(source.driver.size()) > kMaxDriverBytes) errors.too_long(driver, kMaxDriverBytes);
    std::string lower = source.driver;
    std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return std::tolower(c); });
    errors.invalid_each(driver, source.driver, object::validate_dns1123_subdomain(lower));
  }
  require(source.volume_handle, path.child("volumeHandle"), errors);
}

void check_local(const core::v1::PersistentVolumeSpec& spec, const FieldPath& parent, const FieldPath& path,
                 FieldErrors& errors) {
  const auto& source = *spec.persistent_volume_source.local;
  if (source.path.empty()) {
    errors.required(path.child("path"));
  } else {
    validate_path_no_backsteps(source.path, path.child("path"), errors);
  }
  if (!spec.node_affinity || !spec.node_affinity->required) {
    errors.required(parent.child("nodeAffinity"), "Local volume requires node affinity");
  }
}

struct Plugin {
  std::string_view field;
  bool (*used)(const PersistentVolumeSource&);
  std::string_view warning;  // "" = none
};

// In the order in which upstream looks.
constexpr Plugin kPlugins[] = {
    {"hostPath", [](const auto& s) { return bool(s.host_path); }, ""},
    {"gcePersistentDisk", [](const auto& s) { return bool(s.gce_persistent_disk); }, ""},
    {"awsElasticBlockStore", [](const auto& s) { return bool(s.aws_elastic_block_store); }, ""},
    {"glusterfs", [](const auto& s) { return bool(s.glusterfs); }, "deprecated in v1.25, non-functional in v1.26+"},
    {"flocker", [](const auto& s) { return bool(s.flocker); }, "deprecated in v1.22, non-functional in v1.25+"},
    {"nfs", [](const auto& s) { return bool(s.nfs); }, ""},
    {"rbd", [](const auto& s) { return bool(s.rbd); }, "deprecated in v1.28, non-functional in v1.31+"},
    {"quobyte", [](const auto& s) { return bool(s.quobyte); }, "deprecated in v1.22, non-functional in v1.25+"},
    {"cephfs", [](const auto& s) { return bool(s.cephfs); }, "deprecated in v1.28, non-functional in v1.31+"},
    {"iscsi", [](const auto& s) { return bool(s.iscsi); }, ""},
    {"cinder", [](const auto& s) { return bool(s.cinder); }, ""},
    {"fc", [](const auto& s) { return bool(s.fc); }, ""},
    {"flexVolume", [](const auto& s) { return bool(s.flex_volume); }, ""},
    {"azureFile", [](const auto& s) { return bool(s.azure_file); }, ""},
    {"vsphereVolume", [](const auto& s) { return bool(s.vsphere_volume); }, ""},
    {"photonPersistentDisk", [](const auto& s) { return bool(s.photon_persistent_disk); },
     "deprecated in v1.11, non-functional in v1.16+"},
    {"portworxVolume", [](const auto& s) { return bool(s.portworx_volume); }, ""},
    {"azureDisk", [](const auto& s) { return bool(s.azure_disk); }, ""},
    {"scaleIO", [](const auto& s) { return bool(s.scale_io); }, "deprecated in v1.16, non-functional in v1.22+"},
    {"local", [](const auto& s) { return bool(s.local); }, ""},
    {"storageos", [](const auto& s) { return bool(s.storageos); }, "deprecated in v1.22, non-functional in v1.25+"},
    {"csi", [](const auto& s) { return bool(s.csi); }, ""},
};

// The rules of the sources that clusters use; the others only have to be alone.
void check_source(std::string_view field, const core::v1::PersistentVolumeSpec& spec, const FieldPath& parent,
                  FieldErrors& errors) {
  const auto& source = spec.persistent_volume_source;
  const FieldPath path = parent.child(field);
  if (field == "hostPath") check_host_path(*source.host_path, path, errors);
  if (field == "nfs") check_nfs(*source.nfs, path, errors);
  if (field == "csi") check_csi(*source.csi, path, errors);
  if (field == "local") check_local(spec, parent, path, errors);
  if (field == "gcePersistentDisk") require(source.gce_persistent_disk->pd_name, path.child("pdName"), errors);
  if (field == "awsElasticBlockStore") {
    require(source.aws_elastic_block_store->volume_id, path.child("volumeID"), errors);
  }
  if (field == "cinder") require(source.cinder->volume_id, path.child("volumeID"), errors);
  if (field == "flexVolume") require(source.flex_volume->driver, path.child("driver"), errors);
}

}  // namespace

void validate_volume_source(const core::v1::PersistentVolumeSpec& spec, const FieldPath& path, FieldErrors& errors) {
  bool found = false;
  for (const Plugin& plugin : kPlugins) {
    if (!plugin.used(spec.persistent_volume_source)) continue;
    if (found) {
      errors.forbidden(path.child(plugin.field), "may not specify more than 1 volume type");
    } else {
      check_source(plugin.field, spec, path, errors);
    }
    found = true;
  }
  if (!found) errors.required(path, "must specify a volume type");
}

void set_volume_source_defaults(PersistentVolumeSource& source) {
  if (source.host_path && !source.host_path->type) source.host_path->type = "";
  if (source.iscsi && source.iscsi->iscsi_interface.empty()) source.iscsi->iscsi_interface = "default";
  if (source.rbd) {
    auto& rbd = *source.rbd;
    if (rbd.pool.empty()) rbd.pool = "rbd";
    if (rbd.user.empty()) rbd.user = "admin";
    if (rbd.keyring.empty()) rbd.keyring = "/etc/ceph/keyring";
  }
  if (source.azure_disk) {
    auto& disk = *source.azure_disk;
    if (!disk.caching_mode) disk.caching_mode = "ReadWrite";
    if (!disk.kind) disk.kind = "Shared";
    if (!disk.fs_type) disk.fs_type = "ext4";
    if (!disk.read_only) disk.read_only = false;
  }
  if (source.scale_io) {
    if (source.scale_io->storage_mode.empty()) source.scale_io->storage_mode = "ThinProvisioned";
    if (source.scale_io->fs_type.empty()) source.scale_io->fs_type = "xfs";
  }
}

void warn_of_volume_source(const PersistentVolumeSource& source, std::vector<std::string>& warnings) {
  for (const Plugin& plugin : kPlugins) {
    if (plugin.warning.empty() || !plugin.used(source)) continue;
    warnings.push_back("spec." + std::string(plugin.field) + ": " + std::string(plugin.warning));
  }
}

std::string format_access_modes(const std::vector<std::string>& modes) {
  static constexpr std::pair<std::string_view, std::string_view> kShort[] = {
      {"ReadWriteOnce", "RWO"}, {"ReadOnlyMany", "ROX"}, {"ReadWriteMany", "RWX"}, {"ReadWriteOncePod", "RWOP"}};
  std::string text;
  for (const auto& [mode, abbreviation] : kShort) {
    if (std::ranges::find(modes, mode) == modes.end()) continue;
    if (!text.empty()) text += ',';
    text += abbreviation;
  }
  return text;
}

std::string storage_class_cell(const meta::v1::ObjectMeta& metadata, const std::string& field) {
  auto found = metadata.annotations.find(kBetaStorageClass);
  return found == metadata.annotations.end() ? field : found->second;
}

}  // namespace api
