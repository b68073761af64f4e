// One check for each kind of volume; a volume has exactly one.
#include <algorithm>
#include <cctype>

#include "api/core/pod_validation.h"
#include "object/names.h"
#include "object/quantity.h"

namespace api {
namespace {

using namespace core::v1;  // NOLINT(google-build-using-namespace): thirty source types
using object::FieldErrors;
using object::FieldPath;

void require(const std::string& value, const FieldPath& path, FieldErrors& errors) {
  if (value.empty()) errors.required(path);
}

bool starts_with_lower(std::string_view text, std::string_view prefix) { return text.starts_with(prefix); }

// iqn.YYYY-MM.domain:rest, anywhere in the text up to its end; eui. or naa. and 16 or 32 letters or digits.
bool valid_iqn(std::string_view text) {
  auto digit = [](char c) { return c >= '0' && c <= '9'; };
  if (text.size() < 12 || text[3] != '.' || text[8] != '-' || text[11] != '.') return false;
  for (size_t i : {4, 5, 6, 7, 9, 10}) {
    if (!digit(text[i])) return false;
  }
  std::string_view rest = text.substr(12);
  const size_t colon = rest.find(':');
  if (colon == std::string_view::npos || colon == 0) return false;
  auto in_domain = [](unsigned char c) { return std::isalnum(c) || c == '-' || c == '.'; };
  if (!std::ranges::all_of(rest.substr(0, colon), in_domain)) return false;
  const std::string_view name = rest.substr(colon + 1);
  auto in_name = [](unsigned char c) {
    return std::string_view(",;*&$|").find(static_cast<char>(c)) == std::string_view::npos && !std::isspace(c);
  };
  return !name.empty() && std::ranges::all_of(name, in_name);
}
bool valid_initiator(std::string_view text) {
  auto alnum = [](unsigned char c) { return std::isalnum(c) != 0; };
  if (starts_with_lower(text, "iqn")) return valid_iqn(text);
  const size_t digits = starts_with_lower(text, "eui") ? 16 : 32;
  return text.size() == 4 + digits && std::ranges::all_of(text.substr(4), alnum);
}
bool known_initiator(std::string_view text) {
  return text.starts_with("iqn") || text.starts_with("eui") || text.starts_with("naa");
}

void validate(const PodCheck& check, const ISCSIVolumeSource& source, const FieldPath& path) {
  FieldErrors& errors = check.errors;
  require(source.target_portal, path.child("targetPortal"), errors);
  if (source.iqn.empty()) {
    errors.required(path.child("iqn"));
  } else if (!known_initiator(source.iqn)) {
    errors.invalid(path.child("iqn"), source.iqn, "must be valid format starting with iqn, eui, or naa");
  } else if (!valid_initiator(source.iqn)) {
    errors.invalid(path.child("iqn"), source.iqn, "must be valid format");
  }
  if (source.lun < 0 || source.lun > 255)
    errors.invalid(path.child("lun"), source.lun, inclusive_range_message(0, 255));
  if ((source.chap_auth_discovery || source.chap_auth_session) && !source.secret_ref) {
    errors.required(path.child("secretRef"));
  }
  if (!source.initiator_name) return;
  const std::string& initiator = *source.initiator_name;
  if (!known_initiator(initiator)) {
    errors.invalid(path.child("initiatorname"), initiator, "must be valid format starting with iqn, eui, or naa");
  } else if (!valid_initiator(initiator)) {
    errors.invalid(path.child("initiatorname"), initiator, "must be valid format");
  }
}

void validate(const PodCheck& check, const HostPathVolumeSource& source, const FieldPath& path) {
  if (source.path.empty()) {
    check.errors.required(path.child("path"));
    return;
  }
  validate_path_no_backsteps(source.path, path.child("path"), check.errors);
  if (!source.type) return;
  const std::vector<std::string> types = {"",     "BlockDevice",  "CharDevice", "Directory", "DirectoryOrCreate",
                                          "File", "FileOrCreate", "Socket"};
  if (std::ranges::find(types, *source.type) == types.end()) {
    check.errors.not_supported(path.child("type"), *source.type, types);
  }
}

void validate(const PodCheck& check, const GitRepoVolumeSource& source, const FieldPath& path) {
  require(source.repository, path.child("repository"), check.errors);
  validate_local_descending_path(source.directory, path.child("directory"), check.errors);
}

// Compat: the message says 1 although 0 is let through.
void validate_partition(int32_t partition, const FieldPath& path, FieldErrors& errors) {
  if (partition < 0 || partition > 255) errors.invalid(path, partition, inclusive_range_message(1, 255));
}
void validate(const PodCheck& check, const GCEPersistentDiskVolumeSource& source, const FieldPath& path) {
  require(source.pd_name, path.child("pdName"), check.errors);
  validate_partition(source.partition, path.child("partition"), check.errors);
}
void validate(const PodCheck& check, const AWSElasticBlockStoreVolumeSource& source, const FieldPath& path) {
  require(source.volume_id, path.child("volumeID"), check.errors);
  validate_partition(source.partition, path.child("partition"), check.errors);
}

void validate_items(const std::vector<KeyToPath>& items, const FieldPath& path, FieldErrors& errors) {
  for (size_t i = 0; i < items.size(); ++i) validate_key_to_path(items[i], path.index(i), errors);
}
void validate(const PodCheck& check, const SecretVolumeSource& source, const FieldPath& path) {
  require(source.secret_name, path.child("secretName"), check.errors);
  validate_file_mode(source.default_mode, path.child("defaultMode"), check.errors);
  validate_items(source.items, path.child("items"), check.errors);
}
void validate(const PodCheck& check, const ConfigMapVolumeSource& source, const FieldPath& path) {
  require(source.local_object_reference.name, path.child("name"), check.errors);
  validate_file_mode(source.default_mode, path.child("defaultMode"), check.errors);
  validate_items(source.items, path.child("items"), check.errors);
}

void validate(const PodCheck& check, const NFSVolumeSource& source, const FieldPath& path) {
  require(source.server, path.child("server"), check.errors);
  require(source.path, path.child("path"), check.errors);
  if (!source.path.starts_with('/')) check.errors.invalid(path.child("path"), source.path, "must be an absolute path");
}

void validate(const PodCheck& check, const GlusterfsVolumeSource& source, const FieldPath& path) {
  require(source.endpoints, path.child("endpoints"), check.errors);
  require(source.path, path.child("path"), check.errors);
}

void validate(const PodCheck& check, const FlockerVolumeSource& source, const FieldPath& path) {
  FieldErrors& errors = check.errors;
  if (source.dataset_name.empty() && source.dataset_uuid.empty()) {
    errors.required(path, "one of datasetName and datasetUUID is required");
  }
  if (!source.dataset_name.empty() && !source.dataset_uuid.empty()) {
    errors.invalid(path, "resource", "datasetName and datasetUUID can not be specified simultaneously");
  }
  if (source.dataset_name.find('/') != std::string::npos) {
    errors.invalid(path.child("datasetName"), source.dataset_name, "must not contain '/'");
  }
}

void validate(const PodCheck& check, const PersistentVolumeClaimVolumeSource& source, const FieldPath& path) {
  require(source.claim_name, path.child("claimName"), check.errors);
}

void validate(const PodCheck& check, const RBDVolumeSource& source, const FieldPath& path) {
  if (source.monitors.empty()) check.errors.required(path.child("monitors"));
  require(source.image, path.child("image"), check.errors);
}

void validate(const PodCheck& check, const CinderVolumeSource& source, const FieldPath& path) {
  require(source.volume_id, path.child("volumeID"), check.errors);
  const FieldPath secret = path.child("secretRef");
  if (source.secret_ref) require(source.secret_ref->name, secret.child("name"), check.errors);
}

void validate(const PodCheck& check, const CephFSVolumeSource& source, const FieldPath& path) {
  if (source.monitors.empty()) check.errors.required(path.child("monitors"));
}

void validate(const PodCheck& check, const QuobyteVolumeSource& source, const FieldPath& path) {
  constexpr std::string_view kPairs = "must be a host:port pair or multiple pairs separated by commas";
  FieldErrors& errors = check.errors;
  if (source.registry.empty()) {
    errors.required(path.child("registry"), kPairs);
  } else if (source.tenant.size() >= 65) {
    errors.required(path.child("tenant"), "must be a UUID and may not exceed a length of 64 characters");
  } else {
    for (size_t start = 0; start <= source.registry.size();) {
      const size_t end = std::min(source.registry.find(',', start), source.registry.size());
      const std::string pair = source.registry.substr(start, end - start);
      if (std::ranges::count(pair, ':') != 1) errors.invalid(path.child("registry"), source.registry, kPairs);
      start = end + 1;
    }
  }
  require(source.volume, path.child("volume"), errors);
}

void validate(const PodCheck& check, const FCVolumeSource& source, const FieldPath& path) {
  FieldErrors& errors = check.errors;
  const FieldPath names = path.child("targetWWNs");
  if (source.target_wwns.empty() && source.wwids.empty()) {
    errors.required(names, "must specify either targetWWNs or wwids, but not both");
  }
  if (!source.target_wwns.empty() && !source.wwids.empty()) {
    errors.invalid(names, shown(source.target_wwns), "targetWWNs and wwids can not be specified simultaneously");
  }
  if (source.target_wwns.empty()) return;
  if (!source.lun) {
    errors.required(path.child("lun"), "lun is required if targetWWNs is specified");
  } else if (*source.lun < 0 || *source.lun > 255) {
    errors.invalid(path.child("lun"), *source.lun, inclusive_range_message(0, 255));
  }
}

void validate(const PodCheck& check, const FlexVolumeSource& source, const FieldPath& path) {
  require(source.driver, path.child("driver"), check.errors);
  const FieldPath options = path.child("options");
  for (const auto& [key, value] : source.options) {
    std::string domain = "." + key.substr(0, key.find('/'));
    std::ranges::transform(domain, domain.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    if (domain.ends_with(".kubernetes.io") || domain.ends_with(".k8s.io")) {
      check.errors.invalid(options.key(key), key, "kubernetes.io and k8s.io namespaces are reserved");
    }
  }
}

void validate(const PodCheck& check, const AzureFileVolumeSource& source, const FieldPath& path) {
  require(source.secret_name, path.child("secretName"), check.errors);
  require(source.share_name, path.child("shareName"), check.errors);
}

void validate(const PodCheck& check, const AzureDiskVolumeSource& source, const FieldPath& path) {
  FieldErrors& errors = check.errors;
  require(source.disk_name, path.child("diskName"), errors);
  require(source.disk_uri, path.child("diskURI"), errors);
  const std::string caching = source.caching_mode.value_or("None");
  if (caching != "None" && caching != "ReadOnly" && caching != "ReadWrite") {
    errors.not_supported(path.child("cachingMode"), caching, {"None", "ReadOnly", "ReadWrite"});
  }
  if (!source.kind) return;
  const std::string& kind = *source.kind;
  if (kind != "Shared" && kind != "Dedicated" && kind != "Managed") {
    errors.not_supported(path.child("kind"), kind, {"Dedicated", "Managed", "Shared"});
  }
  if (kind == "Managed" && !source.disk_uri.starts_with("/subscriptions/")) {
    errors.not_supported(
        path.child("diskURI"), source.disk_uri,
        {"/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}"});
  }
  if (kind != "Managed" && !source.disk_uri.starts_with("https://")) {
    errors.not_supported(path.child("diskURI"), source.disk_uri,
                         {"https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd"});
  }
}

void validate(const PodCheck& check, const VsphereVirtualDiskVolumeSource& source, const FieldPath& path) {
  require(source.volume_path, path.child("volumePath"), check.errors);
}
void validate(const PodCheck& check, const PhotonPersistentDiskVolumeSource& source, const FieldPath& path) {
  require(source.pd_id, path.child("pdID"), check.errors);
}
void validate(const PodCheck& check, const PortworxVolumeSource& source, const FieldPath& path) {
  require(source.volume_id, path.child("volumeID"), check.errors);
}
void validate(const PodCheck& check, const ScaleIOVolumeSource& source, const FieldPath& path) {
  require(source.gateway, path.child("gateway"), check.errors);
  require(source.system, path.child("system"), check.errors);
  require(source.volume_name, path.child("volumeName"), check.errors);
}

void validate(const PodCheck& check, const StorageOSVolumeSource& source, const FieldPath& path) {
  FieldErrors& errors = check.errors;
  if (source.volume_name.empty()) {
    errors.required(path.child("volumeName"));
  } else {
    validate_dns1123_label(source.volume_name, path.child("volumeName"), errors);
  }
  if (!source.volume_namespace.empty()) {
    validate_dns1123_label(source.volume_namespace, path.child("volumeNamespace"), errors);
  }
  const FieldPath secret = path.child("secretRef");
  if (source.secret_ref) require(source.secret_ref->name, secret.child("name"), errors);
}

void validate(const PodCheck& check, const CSIVolumeSource& source, const FieldPath& path) {
  FieldErrors& errors = check.errors;
  constexpr size_t kMaxDriver = 63;
  const FieldPath driver = path.child("driver");
  require(source.driver, driver, errors);
  if (source.driver.size() > kMaxDriver) errors.too_long(driver, kMaxDriver);
  std::string lower = source.driver;
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  errors.invalid_each(driver, source.driver, object::validate_dns1123_subdomain(lower));
  if (!source.node_publish_secret_ref) return;
  const std::string& name = source.node_publish_secret_ref->name;
  const FieldPath secret = path.child("nodePublishSecretRef");
  if (name.empty()) {
    errors.required(secret.child("name"));
  } else {
    validate_dns1123_subdomain(name, path.child("name"), errors);
  }
}

void validate(const PodCheck& check, const EphemeralVolumeSource& source, const FieldPath& path) {
  FieldErrors& errors = check.errors;
  const FieldPath at = path.child("volumeClaimTemplate");
  if (!source.volume_claim_template) {
    errors.required(at);
    return;
  }
  const auto& metadata = source.volume_claim_template->metadata;
  const FieldPath meta_path = at.child("metadata");
  validate_annotations(metadata.annotations, meta_path.child("annotations"), errors);
  validate_labels(metadata.labels, meta_path.child("labels"), errors);
  auto refuse = [&](bool set, std::string_view field) {
    if (set) errors.forbidden(meta_path.child(field), "cannot be set");
  };
  refuse(!metadata.name.empty(), "name");
  refuse(!metadata.generate_name.empty(), "generateName");
  refuse(!metadata.namespace_.empty(), "namespace");
  refuse(!metadata.uid.empty(), "uID");
  refuse(!metadata.resource_version.empty(), "resourceVersion");
  refuse(!metadata.owner_references.empty(), "ownerReferences");
  refuse(!metadata.finalizers.empty(), "finalizers");
  validate_claim_spec(source.volume_claim_template->spec, at.child("spec"), errors);
}

void validate(const PodCheck& check, const ImageVolumeSource& source, const FieldPath& path) {
  FieldErrors& errors = check.errors;
  if (source.reference.empty()) {
    // Compat: a template may leave the reference to whatever makes the Pod.
    if (check.is_pod()) errors.required(path.child("reference"));
  }
  const std::string& policy = source.pull_policy;
  if (policy.empty()) {
    errors.required(path.child("pullPolicy"));
  } else if (policy != "Always" && policy != "IfNotPresent" && policy != "Never") {
    errors.not_supported(path.child("pullPolicy"), policy, {"Always", "IfNotPresent", "Never"});
  }
}

void validate(const PodCheck& check, const ProjectedVolumeSource& source, const FieldPath& path) {
  validate_projected_volume(check, source, path);
}
void validate(const PodCheck& check, const DownwardAPIVolumeSource& source, const FieldPath& path) {
  validate_downward_api_volume(check, source, path);
}

// Counts the sources of one volume: the first is checked, any other refused.
class OneSource {
 public:
  OneSource(const PodCheck& check, const FieldPath& path) : check_(check), path_(path) {}
  template <typename T>
  bool visit(const base::Box<T>& source, std::string_view name, std::string_view errors_at = "") {
    if (!source) return false;
    if (count_++ > 0) {
      check_.errors.forbidden(path_.child(name), "may not specify more than 1 volume type");
      return false;
    }
    validate(check_, *source, path_.child(errors_at.empty() ? name : errors_at));
    return true;
  }
  void count_one() { ++count_; }
  bool none() const { return count_ == 0; }

 private:
  const PodCheck& check_;
  const FieldPath& path_;
  int count_ = 0;
};

}  // namespace

// Compat: order and odd names ("persistentDisk", "downwarAPI") are upstream's.
void validate_volume_source(const PodCheck& check, const Volume& volume, const FieldPath& path) {
  const VolumeSource& s = volume.volume_source;
  FieldErrors& errors = check.errors;
  OneSource one(check, path);
  if (s.empty_dir) {
    one.count_one();
    if (s.empty_dir->size_limit && object::QuantityValue::of(*s.empty_dir->size_limit).sign() < 0) {
      const FieldPath source = path.child("emptyDir");
      errors.forbidden(source.child("sizeLimit"), "SizeLimit field must be a valid resource quantity");
    }
  }
  one.visit(s.host_path, "hostPath");
  one.visit(s.git_repo, "gitRepo");
  one.visit(s.gce_persistent_disk, "gcePersistentDisk", "persistentDisk");
  one.visit(s.aws_elastic_block_store, "awsElasticBlockStore");
  one.visit(s.secret, "secret");
  one.visit(s.nfs, "nfs");
  one.visit(s.iscsi, "iscsi");
  if (s.iscsi && s.iscsi->initiator_name && volume.name.size() + 1 + s.iscsi->target_portal.size() > 64) {
    errors.invalid(path.child("name"), volume.name,
                   "Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if "
                   "iscsi.initiatorName is specified.");
  }
  one.visit(s.glusterfs, "glusterfs");
  one.visit(s.flocker, "flocker");
  one.visit(s.persistent_volume_claim, "persistentVolumeClaim");
  one.visit(s.rbd, "rbd");
  one.visit(s.cinder, "cinder");
  one.visit(s.cephfs, s.cephfs && !one.none() ? "cephFS" : "cephfs");
  one.visit(s.quobyte, "quobyte");
  one.visit(s.downward_api, s.downward_api && !one.none() ? "downwarAPI" : "downwardAPI");
  one.visit(s.fc, "fc");
  one.visit(s.flex_volume, "flexVolume");
  one.visit(s.config_map, "configMap");
  one.visit(s.azure_file, "azureFile");
  one.visit(s.vsphere_volume, "vsphereVolume");
  one.visit(s.photon_persistent_disk, "photonPersistentDisk");
  one.visit(s.portworx_volume, "portworxVolume");
  one.visit(s.azure_disk, "azureDisk");
  one.visit(s.storageos, "storageos");
  one.visit(s.projected, "projected");
  one.visit(s.scale_io, "scaleIO");
  one.visit(s.csi, "csi");
  if (one.visit(s.ephemeral, "ephemeral") && check.metadata && !check.metadata->name.empty() && !volume.name.empty()) {
    const std::string claim = check.metadata->name + "-" + volume.name;
    for (const auto& message : object::validate_dns1123_subdomain(claim)) {
      errors.invalid(path.child("name"), volume.name, "PVC name \"" + claim + "\": " + message);
    }
  }
  one.visit(s.image, "image");
  if (one.none()) errors.required(path, "must specify a volume type");
}

}  // namespace api
