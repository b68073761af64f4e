// Volumes of a Pod: names, and paths that stay inside.
#include "api/core/pod_validation.h"
#include "object/names.h"

namespace api {

using core::v1::Volume;
using object::FieldErrors;
using object::FieldPath;

namespace {

void validate_volume(PodCheck& check, const Volume& volume, const FieldPath& path, FieldErrors& errors) {
  // The checks of one volume report to a list of its own, so that a volume with errors is left out of check.volumes.
  PodCheck inner{check.spec, check.metadata, check.options, errors, {}, {}};
  validate_volume_source(inner, volume, path);
  if (volume.name.empty()) {
    errors.required(path.child("name"));
  } else {
    validate_dns1123_label(volume.name, path.child("name"), errors);
  }
  if (check.volumes.contains(volume.name)) errors.duplicate(path.child("name"), volume.name);
}

}  // namespace

void validate_volumes(PodCheck& check, const FieldPath& path) {
  const auto& volumes = check.spec.volumes;
  std::set<std::string> created_claims;
  if (check.metadata && !check.metadata->name.empty()) {
    for (const auto& volume : volumes) {
      if (volume.volume_source.ephemeral) created_claims.insert(check.metadata->name + "-" + volume.name);
    }
  }
  for (size_t i = 0; i < volumes.size(); ++i) {
    const Volume& volume = volumes[i];
    const FieldPath at = path.index(i);
    FieldErrors errors;
    validate_volume(check, volume, at, errors);
    if (errors.empty()) {
      check.volumes.emplace(volume.name, &volume.volume_source);
    } else {
      check.errors.append(std::move(errors));
    }
    const auto& claim = volume.volume_source.persistent_volume_claim;
    if (claim && created_claims.contains(claim->claim_name)) {
      const FieldPath source = at.child("persistentVolumeClaim");
      check.errors.invalid(source.child("claimName"), claim->claim_name,
                           "must not reference a PVC that gets created for an ephemeral volume");
    }
  }
}

void validate_path_no_backsteps(std::string_view value, const FieldPath& path, FieldErrors& errors) {
  for (size_t start = 0; start <= value.size();) {
    const size_t end = std::min(value.find('/', start), value.size());
    if (value.substr(start, end - start) == "..") {
      errors.invalid(path, value, "must not contain '..'");
      return;
    }
    start = end + 1;
  }
}

void validate_local_descending_path(std::string_view value, const FieldPath& path, FieldErrors& errors) {
  if (value.starts_with('/')) errors.invalid(path, value, "must be a relative path");
  validate_path_no_backsteps(value, path, errors);
}

void validate_local_path(std::string_view value, const FieldPath& path, FieldErrors& errors) {
  validate_local_descending_path(value, path, errors);
  if (value.starts_with("..") && !value.starts_with("../")) {
    errors.invalid(path, value, "must not start with '..'");
  }
}

void validate_file_mode(std::optional<int32_t> mode, const FieldPath& path, FieldErrors& errors) {
  constexpr int32_t kMaxMode = 0777;
  if (mode && (*mode < 0 || *mode > kMaxMode)) {
    errors.invalid(path, *mode, "must be a number between 0 and 0777 (octal), both inclusive");
  }
}

void validate_key_to_path(const core::v1::KeyToPath& item, const FieldPath& path, FieldErrors& errors) {
  if (item.key.empty()) errors.required(path.child("key"));
  if (item.path.empty()) errors.required(path.child("path"));
  validate_local_path(item.path, path.child("path"), errors);
  validate_file_mode(item.mode, path.child("mode"), errors);
}

}  // namespace api
