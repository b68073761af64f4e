// Nobody asks the API client signer for a certificate of the group that may do everything.
#include <algorithm>

#include "admission/plugins/common.h"
#include "admission/plugins/plugins.h"
#include "gen/certificates/v1.h"
#include "pki/certificate.h"

namespace admission {
namespace {

class CertificateSubjectRestriction final : public Plugin {
 public:
  std::string_view name() const override { return "CertificateSubjectRestriction"; }

  base::Result<void> validate(const Attributes& attributes, const Lookup&) override {
    if (attributes.operation != Operation::kCreate) return {};
    if (!attributes.is("certificates.k8s.io", "certificatesigningrequests")) return {};
    const auto* object = object_as<api::certificates::v1::CertificateSigningRequest>(attributes);
    if (!object || object->spec.signer_name != "kubernetes.io/kube-apiserver-client") return {};
    auto request = pki::CertificateRequest::parse_pem(object->spec.request.value_or(""));
    if (!request) return forbid(attributes, "failed to parse CSR: " + request.error().message);
    const auto organizations = request->info().subject.organizations;
    if (std::ranges::find(organizations, "system:masters") == organizations.end()) return {};
    return forbid(attributes,
                  "use of kubernetes.io/kube-apiserver-client signer with system:masters group is not allowed");
  }
};

}  // namespace

std::unique_ptr<Plugin> make_certificate_subject_restriction() {
  return std::make_unique<CertificateSubjectRestriction>();
}

}  // namespace admission
