// What the status of a PodCertificateRequest may become: the certificate that was issued is looked into. Pure; thread:
// any.
#pragma once

#include "api/shared/checks.h"
#include "gen/certificates/v1beta1.h"

namespace api {

void validate_pod_certificate_status(const certificates::v1beta1::PodCertificateRequest& request,
                                     const certificates::v1beta1::PodCertificateRequest& old, base::WallTime now,
                                     FieldErrors& errors);

}  // namespace api
