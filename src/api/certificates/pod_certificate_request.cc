#include <algorithm>
#include <cctype>

#include "api/certificates/pod_certificate.h"
#include "api/shared/cells.h"
#include "api/shared/strategy.h"
#include "codec/base64.h"
#include "gen/certificates/v1beta1.h"
#include "object/names.h"
#include "pki/signature.h"

namespace api {
namespace {

using certificates::v1beta1::PodCertificateRequest;
using certificates::v1beta1::PodCertificateRequestSpec;

constexpr int32_t kDefaultExpirationSeconds = 86400;
constexpr int32_t kShortestExpirationSeconds = 3600, kLongestExpirationSeconds = 91 * 24 * 3600;
constexpr int32_t kLongestOfKubernetesSeconds = 24 * 3600;
constexpr size_t kMaxKey = 10240, kMaxProof = 10240;
constexpr size_t kMaxUid = 128;
constexpr size_t kMaxAnnotations = 256 * 1024;

bool is_kubernetes_signer(std::string_view name) {
  const std::string_view host = name.substr(0, name.find('/'));
  return host == "kubernetes.io" || host.ends_with(".kubernetes.io");
}

void check_annotations(const StringMap& annotations, const FieldPath& path, FieldErrors& errors) {
  size_t size = 0;
  for (const auto& [key, value] : annotations) {
    size += key.size() + value.size();
    std::string lower = key;
    std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    if (lower.empty()) {
      errors.required(path);
    } else if (const auto messages = object::validate_qualified_name(lower); !messages.empty()) {
      errors.invalid_each(path, lower, messages);
    } else if (lower.find('/') == std::string::npos) {
      errors.invalid(path, lower, "must be a domain-prefixed key (such as \"acme.io/foo\")");
    }
  }
  if (size > kMaxAnnotations) errors.too_long(path, kMaxAnnotations);
}

void check_uid(const std::string& uid, const FieldPath& path, FieldErrors& errors) {
  if (uid.empty()) errors.invalid(path, uid, "must not be empty");
  if (uid.size() > kMaxUid) errors.too_long(path, kMaxUid);
}

void check_names(const PodCertificateRequestSpec& spec, const FieldPath& path, FieldErrors& errors) {
  validate_signer_name(spec.signer_name, path.child("signerName"), errors);
  check_annotations(spec.unverified_user_annotations, path.child("unverifiedUserAnnotations"), errors);
  validate_dns1123_subdomain(spec.pod_name, path.child("podName"), errors);
  check_uid(spec.pod_uid, path.child("podUID"), errors);
  validate_dns1123_subdomain(spec.service_account_name, path.child("serviceAccountName"), errors);
  check_uid(spec.service_account_uid, path.child("serviceAccountUID"), errors);
  validate_dns1123_subdomain(spec.node_name, path.child("nodeName"), errors);
  check_uid(spec.node_uid, path.child("nodeUID"), errors);
}

// The key is of a kind that certificates may have, and signed the Pod's uid.
void check_key(const PodCertificateRequestSpec& spec, const FieldPath& path, FieldErrors& errors) {
  constexpr int kRsaBits[] = {3072, 4096};
  const FieldPath key_path = path.child("pkixPublicKey"), proof_path = path.child("proofOfPossession");
  const std::string encoded = spec.pkix_public_key.value_or(""), proof = spec.proof_of_possession.value_or("");
  if (encoded.size() > kMaxKey) return errors.too_long(key_path, kMaxKey);
  if (proof.size() > kMaxProof) return errors.too_long(proof_path, kMaxProof);
  const auto key = pki::PublicKey::parse_der(encoded);
  if (!key) {
    return errors.invalid(key_path,
                          spec.pkix_public_key ? BadValue(codec::base64(encoded)) : BadValue::verbatim("null"),
                          "must be a valid PKIX-serialized public key");
  }
  const int bits = pki::key_bits(*key);
  if (key->type() == pki::KeyType::kRsa && std::ranges::find(kRsaBits, bits) == std::end(kRsaBits)) {
    return errors.invalid(key_path, std::to_string(bits) + "-bit modulus",
                          "RSA keys must have modulus size 3072 or 4096");
  }
  if (pki::verify_signature(*key, spec.pod_uid, proof) == pki::Verdict::kInvalid) {
    errors.invalid(proof_path, BadValue::omitted(), "could not verify proof-of-possession signature");
  }
}

void check_spec(const PodCertificateRequestSpec& spec, FieldErrors& errors) {
  const FieldPath path("spec"), expiration = path.child("maxExpirationSeconds");
  check_names(spec, path, errors);
  if (!spec.max_expiration_seconds) return errors.required(expiration, "must be set");
  const int32_t seconds = *spec.max_expiration_seconds;
  const int32_t longest =
      is_kubernetes_signer(spec.signer_name) ? kLongestOfKubernetesSeconds : kLongestExpirationSeconds;
  if (seconds < kShortestExpirationSeconds || seconds > longest) {
    errors.invalid(
        expiration, seconds,
        "must be in the range [" + std::to_string(kShortestExpirationSeconds) + ", " + std::to_string(longest) + "]");
  }
  check_key(spec, path, errors);
}

// As messages show upstream's struct, which has no names for JSON.
BadValue shown(const PodCertificateRequestSpec& spec) {
  const auto bytes = [](const std::optional<std::string>& value) {
    return value ? object::Value(codec::base64(*value)) : object::Value(nullptr);
  };
  object::Object json, annotations;
  json.set("SignerName", spec.signer_name);
  json.set("PodName", spec.pod_name);
  json.set("PodUID", spec.pod_uid);
  json.set("ServiceAccountName", spec.service_account_name);
  json.set("ServiceAccountUID", spec.service_account_uid);
  json.set("NodeName", spec.node_name);
  json.set("NodeUID", spec.node_uid);
  json.set("MaxExpirationSeconds",
           spec.max_expiration_seconds ? object::Value(*spec.max_expiration_seconds) : object::Value(nullptr));
  json.set("PKIXPublicKey", bytes(spec.pkix_public_key));
  json.set("ProofOfPossession", bytes(spec.proof_of_possession));
  for (const auto& [key, value] : spec.unverified_user_annotations) annotations.set(key, value);
  const bool none = spec.unverified_user_annotations.empty();
  json.set("UnverifiedUserAnnotations", none ? object::Value(nullptr) : object::Value(std::move(annotations)));
  return object::Value(std::move(json));
}

std::string annotations_cell(const StringMap& annotations) {
  std::vector<std::string> parts;
  for (const auto& [key, value] : annotations) parts.push_back(key + "=" + value);
  return parts.empty() ? "<none>" : join(parts, ",");
}

class PodCertificateRequestRules final : public PlainStatusRules<PodCertificateRequest> {
 public:
  PodCertificateRequestRules() : PlainStatusRules("certificates.k8s.io", "v1beta1", "PodCertificateRequest") {}
  UpdateWithoutVersion update_without_version() const override { return UpdateWithoutVersion::kRefused; }

  void set_defaults(PodCertificateRequest& request) const override {
    auto& seconds = request.spec.max_expiration_seconds;
    if (!seconds) seconds = kDefaultExpirationSeconds;
  }
  void validate(RuleContext&, const PodCertificateRequest& request, FieldErrors& errors) const override {
    check_spec(request.spec, errors);
  }
  void validate_update(RuleContext&, const PodCertificateRequest& request, const PodCertificateRequest& old,
                       FieldErrors& errors) const override {
    validate_immutable(request.spec, old.spec, shown(request.spec), FieldPath("spec"), errors);
  }
  void validate_subresource(std::string_view, RuleContext& context, const PodCertificateRequest& request,
                            const PodCertificateRequest& old, FieldErrors& errors) const override {
    validate_pod_certificate_status(request, old, context.now, errors);
  }
  void cells(const PodCertificateRequest& request, base::WallTime, TableRow& row) const override {
    std::string state = "Pending";
    for (const auto& condition : request.status.conditions) {
      const std::string& type = condition.type;
      if (type == "Issued" || type == "Denied" || type == "Failed") state = type;
    }
    const auto& spec = request.spec;
    row.cells = {request.metadata.name,
                 spec.pod_name,
                 spec.service_account_name,
                 spec.node_name,
                 spec.signer_name,
                 state,
                 annotations_cell(spec.unverified_user_annotations)};
  }
  std::vector<SelectableField> selectable_fields(const PodCertificateRequest& request) const override {
    const auto& spec = request.spec;
    return {{"spec.signerName", spec.signer_name}, {"spec.podName", spec.pod_name}, {"spec.nodeName", spec.node_name}};
  }
  // Compat: upstream names none for this version.
  std::vector<std::string_view> reset_fields(std::string_view) const override { return {}; }
};

}  // namespace

std::unique_ptr<const KindRules> pod_certificate_request_rules() {
  return std::make_unique<PodCertificateRequestRules>();
}

}  // namespace api
