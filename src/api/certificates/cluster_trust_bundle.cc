#include <map>

#include "api/shared/cells.h"
#include "api/shared/checks.h"
#include "gen/certificates/v1beta1.h"
#include "pki/certificate.h"
#include "pki/pem.h"

namespace api {
namespace {

using certificates::v1beta1::ClusterTrustBundle;

constexpr size_t kMaxBundle = 1 << 20;

// A bundle of a signer has the signer's name before its own: example.com:signer:name.
std::vector<std::string> check_name(std::string_view name, const std::string& signer, NameUse use) {
  if (signer.empty()) {
    if (name.find(':') == std::string_view::npos) return name_is_dns_subdomain(name, use);
    return {"ClusterTrustBundle without signer name must not have \":\" in its name"};
  }
  std::string prefix = signer + ":";
  for (char& c : prefix) c = c == '/' ? ':' : c;
  if (name.starts_with(prefix)) return name_is_dns_subdomain(name.substr(prefix.size()), use);
  return {"ClusterTrustBundle for signerName " + signer + " must be named with prefix " + prefix};
}

// Why a block is no trust anchor; "" when it is one.
std::string block_problem(const pki::PemBlock& block) {
  if (block.type != "CERTIFICATE") return "has bad block type: " + block.type;
  if (block.headers == pki::PemBlock::Headers::kSome) return "has PEM block headers";
  const auto certificate = pki::Certificate::parse_der(block.der);
  if (!certificate) return "does not parse as X.509";
  if (certificate->info().role != pki::CertificateInfo::Role::kAuthority) return "does not have the CA bit set";
  return "";
}

void check_bundle(std::string_view text, const FieldPath& path, FieldErrors& errors) {
  constexpr const char* kHidden = "<value omitted>";
  if (text.size() > kMaxBundle) return errors.too_long(path, kMaxBundle);
  std::map<std::string, std::vector<std::string>> places;
  bool malformed = false;
  for (size_t i = 0;; ++i) {
    auto block = pki::next_pem_block(text);
    if (!block) break;
    if (const std::string problem = block_problem(*block); !problem.empty()) {
      errors.invalid(path, kHidden, "entry " + std::to_string(i) + " " + problem);
      malformed = true;
    } else {
      places[std::move(block->der)].push_back(std::to_string(i));
    }
  }
  if (malformed) return;
  if (places.empty()) errors.invalid(path, kHidden, "at least one trust anchor must be provided");
  for (const auto& [der, indices] : places) {
    if (indices.size() > 1) {
      errors.invalid(path, kHidden, "duplicate trust anchor (indices [" + join(indices, " ") + "])");
    }
  }
}

class ClusterTrustBundleRules final : public RulesFor<ClusterTrustBundle> {
 public:
  ClusterTrustBundleRules() : RulesFor("certificates.k8s.io", "v1beta1", "ClusterTrustBundle") {}
  UpdateWithoutVersion update_without_version() const override { return UpdateWithoutVersion::kRefused; }
  // The name depends on the signer: check() looks at it.
  NameValidator name_validator() const override {
    return [](std::string_view, NameUse) { return std::vector<std::string>(); };
  }

  void validate(RuleContext&, const ClusterTrustBundle& bundle, FieldErrors& errors) const override {
    check(bundle, nullptr, errors);
  }
  void validate_update(RuleContext&, const ClusterTrustBundle& bundle, const ClusterTrustBundle& old,
                       FieldErrors& errors) const override {
    check(bundle, &old, errors);
    const FieldPath spec("spec");
    validate_immutable(bundle.spec.signer_name, old.spec.signer_name, spec.child("signerName"), errors);
  }
  void cells(const ClusterTrustBundle& bundle, base::WallTime, TableRow& row) const override {
    row.cells = {bundle.metadata.name, or_text(bundle.spec.signer_name, "<none>")};
  }
  std::vector<SelectableField> selectable_fields(const ClusterTrustBundle& bundle) const override {
    return {{"spec.signerName", bundle.spec.signer_name}};
  }

 private:
  static void check(const ClusterTrustBundle& bundle, const ClusterTrustBundle* old, FieldErrors& errors) {
    const FieldPath metadata("metadata"), spec("spec");
    const std::string &signer = bundle.spec.signer_name, &prefix = bundle.metadata.generate_name;
    if (!prefix.empty()) {
      errors.invalid_each(metadata.child("generateName"), prefix, check_name(prefix, signer, NameUse::kPrefix));
    }
    if (!bundle.metadata.name.empty()) {
      const std::string& name = bundle.metadata.name;
      errors.invalid_each(metadata.child("name"), name, check_name(name, signer, NameUse::kName));
    }
    if (!signer.empty()) validate_signer_name(signer, spec.child("signerName"), errors);
    if (old && old->spec.trust_bundle == bundle.spec.trust_bundle) return;
    check_bundle(bundle.spec.trust_bundle, spec.child("trustBundle"), errors);
  }
};

}  // namespace

std::unique_ptr<const KindRules> cluster_trust_bundle_rules() { return std::make_unique<ClusterTrustBundleRules>(); }

}  // namespace api
