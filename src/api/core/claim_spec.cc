// The spec of a claim of storage: PersistentVolumeClaims, claim templates of workloads, ephemeral volumes.
#include <algorithm>

#include "api/core/pod_spec.h"
#include "object/names.h"
#include "object/quantity.h"

namespace api {

using object::FieldErrors;
using object::FieldPath;

namespace {

// TypedLocalObjectReference or TypedObjectReference.
template <typename Source>
void validate_source(const Source& source, const FieldPath& path, FieldErrors& errors) {
  if (source.name.empty()) errors.required(path.child("name"));
  if (source.kind.empty()) errors.required(path.child("kind"));
  const std::string group = source.api_group.value_or("");
  if (group.empty()) {
    if (source.kind != "PersistentVolumeClaim") {
      errors.invalid(path, source.kind, "must be 'PersistentVolumeClaim' when referencing the default apiGroup");
    }
  } else {
    validate_dns1123_subdomain(group, path.child("apiGroup"), errors);
  }
}

void validate_sources(const core::v1::PersistentVolumeClaimSpec& spec, const FieldPath& path, FieldErrors& errors) {
  if (spec.data_source) validate_source(*spec.data_source, path.child("dataSource"), errors);
  if (spec.data_source_ref) validate_source(*spec.data_source_ref, path.child("dataSourceRef"), errors);
  if (!spec.data_source || !spec.data_source_ref) return;
  const auto& source = *spec.data_source;
  const auto& ref = *spec.data_source_ref;
  const std::string shown_path = path.child("dataSource").to_string();
  if (!ref.namespace_.value_or("").empty()) {
    errors.invalid(path, shown_path, "may not be specified when dataSourceRef.namespace is specified");
  } else if (source.api_group != ref.api_group || source.kind != ref.kind || source.name != ref.name) {
    errors.invalid(path, shown_path, "must match dataSourceRef");
  }
}

}  // namespace

void validate_claim_spec(const core::v1::PersistentVolumeClaimSpec& spec, const FieldPath& path, FieldErrors& errors) {
  const FieldPath modes = path.child("accessModes");
  if (spec.access_modes.empty()) errors.required(modes, "at least 1 access mode is required");
  if (spec.selector) validate_label_selector(*spec.selector, path.child("selector"), errors);
  const std::vector<std::string> supported = {"ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"};
  bool single = false, others = false;
  for (const auto& mode : spec.access_modes) {
    const bool known = std::ranges::find(supported, mode) != supported.end();
    if (!known) errors.not_supported(modes, mode, supported);
    if (mode == "ReadWriteOncePod") {
      single = true;
    } else if (known) {
      others = true;
    }
  }
  if (single && others) errors.forbidden(modes, "may not use ReadWriteOncePod with other access modes");
  const FieldPath resources = path.child("resources");
  const FieldPath storage = resources.key("storage");
  if (const auto request = spec.resources.requests.find("storage"); request == spec.resources.requests.end()) {
    errors.required(storage);
  } else if (object::QuantityValue::of(request->second).sign() <= 0) {
    errors.invalid(storage, request->second.string, "must be greater than zero");
  }
  if (!spec.storage_class_name.value_or("").empty()) {
    validate_dns1123_subdomain(*spec.storage_class_name, path.child("storageClassName"), errors);
  }
  if (spec.volume_mode && *spec.volume_mode != "Block" && *spec.volume_mode != "Filesystem") {
    errors.not_supported(path.child("volumeMode"), *spec.volume_mode, {"Block", "Filesystem"});
  }
  validate_sources(spec, path, errors);
  if (!spec.volume_attributes_class_name.value_or("").empty()) {
    validate_dns1123_subdomain(*spec.volume_attributes_class_name, path.child("volumeAttributesClassName"), errors);
  }
}

}  // namespace api
