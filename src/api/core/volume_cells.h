// What volumes and claims share. Pure; thread: any.
#pragma once

#include <string>
#include <vector>

#include "api/shared/checks.h"
#include "gen/core/v1.h"

namespace api {

// Compat: the storage class of old objects is an annotation.
inline constexpr const char* kBetaStorageClass = "volume.beta.kubernetes.io/storage-class";

// "RWO,ROX,RWX,RWOP" in this order, each once.
std::string format_access_modes(const std::vector<std::string>& modes);
// The annotation's class before the field's.
std::string storage_class_cell(const meta::v1::ObjectMeta& metadata, const std::string& field);
// Known modes; ReadWriteOncePod alone (core/persistent_volume_claim.cc).
void check_access_modes(const std::vector<std::string>& modes, const FieldPath& path, FieldErrors& errors);
// The one source of a volume (core/volume_sources.cc).
void validate_volume_source(const core::v1::PersistentVolumeSpec& spec, const FieldPath& path, FieldErrors& errors);
void set_volume_source_defaults(core::v1::PersistentVolumeSource& source);
void warn_of_volume_source(const core::v1::PersistentVolumeSource& source, std::vector<std::string>& warnings);

}  // namespace api
