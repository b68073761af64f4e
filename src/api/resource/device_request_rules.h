// Device requests of claims and claim templates. Pure; thread: any.
#pragma once

#include "api/shared/checks.h"
#include "gen/resource/v1.h"

namespace api {

void set_device_claim_defaults(resource::v1::DeviceClaim& claim);
void validate_device_claim(const resource::v1::DeviceClaim& claim, const FieldPath& path, FieldErrors& errors);
void validate_device_selectors(const std::vector<resource::v1::DeviceSelector>& selectors, const FieldPath& path,
                               FieldErrors& errors);

}  // namespace api
