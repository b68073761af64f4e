// What v1alpha1 of MutatingAdmissionPolicyBinding does beyond v1beta1, in which objects are stored. Pure; thread: any.
#pragma once

#include "gen/admissionregistration/v1beta1.h"

namespace api {

void mutating_policy_binding_v1alpha1_defaults(admissionregistration::v1beta1::MutatingAdmissionPolicyBinding& binding);

}  // namespace api
