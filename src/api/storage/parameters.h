// What kinds of this group share. Pure; thread: any.
#pragma once

#include <map>
#include <string>

#include "api/shared/checks.h"

namespace api {

// Parameters of storage and volume attribute classes: count, keys and size (storage_class.cc).
void validate_parameters(const std::map<std::string, std::string>& parameters, const FieldPath& path,
                         FieldErrors& errors);
// The name of a CSI driver: a DNS name in any case, at most 63 bytes (csi_driver.cc).
void validate_driver_name(std::string_view name, const FieldPath& path, FieldErrors& errors);

}  // namespace api
