// resource.k8s.io/v1beta1 differs from v1 in two shapes: a request has the members of `exactly` itself, and a device
// those of its `basic`. Objects are stored as v1. Pure; thread: any.
#pragma once

#include "gen/resource/v1.h"
#include "gen/resource/v1beta1.h"

namespace api {

void resource_claim_to_stored(const resource::v1beta1::ResourceClaim& served, resource::v1::ResourceClaim& stored);
void resource_claim_from_stored(const resource::v1::ResourceClaim& stored, resource::v1beta1::ResourceClaim& served);
void resource_claim_v1beta1_defaults(resource::v1beta1::ResourceClaim& served);

void claim_template_to_stored(const resource::v1beta1::ResourceClaimTemplate& served,
                              resource::v1::ResourceClaimTemplate& stored);
void claim_template_from_stored(const resource::v1::ResourceClaimTemplate& stored,
                                resource::v1beta1::ResourceClaimTemplate& served);
void claim_template_v1beta1_defaults(resource::v1beta1::ResourceClaimTemplate& served);

void resource_slice_to_stored(const resource::v1beta1::ResourceSlice& served, resource::v1::ResourceSlice& stored);
void resource_slice_from_stored(const resource::v1::ResourceSlice& stored, resource::v1beta1::ResourceSlice& served);

}  // namespace api
