// Volumes that are put together from several sources, and files of the downward API.
#include "api/core/pod_validation.h"

namespace api {

using object::FieldErrors;
using object::FieldPath;

namespace {

constexpr std::string_view kConflict = "conflicting duplicate paths";

void validate_file(const core::v1::DownwardAPIVolumeFile& file, const FieldPath& path, FieldErrors& errors) {
  if (file.path.empty()) errors.required(path.child("path"));
  validate_local_path(file.path, path.child("path"), errors);
  if (file.field_ref) {
    validate_volume_field_ref(*file.field_ref, path.child("fieldRef"), errors);
    if (file.resource_field_ref) {
      errors.invalid(path, "resource", "fieldRef and resourceFieldRef can not be specified simultaneously");
    }
  } else if (file.resource_field_ref) {
    validate_volume_resource_ref(*file.resource_field_ref, path.child("resourceFieldRef"), errors);
  } else {
    errors.required(path, "one of fieldRef and resourceFieldRef is required");
  }
  validate_file_mode(file.mode, path.child("mode"), errors);
}

// The paths that the sources of one volume take; each may be taken once.
class Sources {
 public:
  Sources(const FieldPath& volume, const PodValidationOptions& options, FieldErrors& errors)
      : volume_(volume), options_(options), errors_(errors) {}

  void visit(const core::v1::VolumeProjection& source, const FieldPath& path) {
    int count = 0;
    if (source.secret) {
      ++count;
      items(source.secret->local_object_reference.name, source.secret->items, path.child("secret"));
    }
    if (source.config_map) {
      ++count;
      items(source.config_map->local_object_reference.name, source.config_map->items, path.child("configMap"));
    }
    if (source.downward_api) {
      ++count;
      const FieldPath at = path.child("downwardAPI");
      for (const auto& file : source.downward_api->items) {
        validate_file(file, at, errors_);
        take(file.path, file.path);
      }
    }
    if (source.service_account_token) {
      ++count;
      token(*source.service_account_token, path.child("serviceAccountToken"));
    }
    if (count > 1) errors_.forbidden(path, "may not specify more than 1 volume type per source");
  }

 private:
  void items(const std::string& name, const std::vector<core::v1::KeyToPath>& items, const FieldPath& path) {
    if (name.empty()) errors_.required(path.child("name"));
    const FieldPath items_path = path.child("items");
    for (size_t i = 0; i < items.size(); ++i) {
      validate_key_to_path(items[i], items_path.index(i), errors_);
      take(items[i].path, name);
    }
  }

  void token(const core::v1::ServiceAccountTokenProjection& source, const FieldPath& path) {
    constexpr int64_t kMinSeconds = 600, kMaxSeconds = int64_t{1} << 32;
    const int64_t seconds = source.expiration_seconds.value_or(0);
    if (seconds < kMinSeconds) {
      errors_.invalid(path.child("expirationSeconds"), seconds, "may not specify a duration less than 10 minutes");
    }
    if (seconds > kMaxSeconds) {
      errors_.invalid(path.child("expirationSeconds"), seconds, "may not specify a duration larger than 2^32 seconds");
    }
    // Compat: the token's path is reported at the volume.
    if (source.path.empty()) {
      errors_.required(volume_.child("path"));
    } else if (!options_.allow_non_local_token_path) {
      validate_local_path(source.path, volume_.child("path"), errors_);
    }
  }

  void take(const std::string& file, const std::string& shown_value) {
    if (!file.empty() && !taken_.insert(file).second) errors_.invalid(volume_, shown_value, kConflict);
  }

  const FieldPath& volume_;
  const PodValidationOptions& options_;
  FieldErrors& errors_;
  std::set<std::string_view> taken_;
};

}  // namespace

void validate_projected_volume(const PodCheck& check, const core::v1::ProjectedVolumeSource& projected,
                               const FieldPath& path) {
  validate_file_mode(projected.default_mode, path.child("defaultMode"), check.errors);
  Sources sources(path, check.options, check.errors);
  const FieldPath list = path.child("sources");
  for (size_t i = 0; i < projected.sources.size(); ++i) sources.visit(projected.sources[i], list.index(i));
}

// Compat: files are reported at the volume, without their index.
void validate_downward_api_volume(const PodCheck& check, const core::v1::DownwardAPIVolumeSource& volume,
                                  const FieldPath& path) {
  validate_file_mode(volume.default_mode, path.child("defaultMode"), check.errors);
  for (const auto& file : volume.items) validate_file(file, path, check.errors);
}

}  // namespace api
