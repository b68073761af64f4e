#include <algorithm>
#include <array>
#include <set>

#include "api/shared/cells.h"
#include "api/shared/checks.h"
#include "gen/certificates/v1.h"
#include "object/names.h"

namespace api {
namespace {

using certificates::v1::CertificateSigningRequest;
using certificates::v1::CertificateSigningRequestCondition;

constexpr std::array<std::string_view, 23> kUsages = {"any",
                                                      "cert sign",
                                                      "client auth",
                                                      "code signing",
                                                      "content commitment",
                                                      "crl sign",
                                                      "data encipherment",
                                                      "decipher only",
                                                      "digital signature",
                                                      "email protection",
                                                      "encipher only",
                                                      "ipsec end system",
                                                      "ipsec tunnel",
                                                      "ipsec user",
                                                      "key agreement",
                                                      "key encipherment",
                                                      "microsoft sgc",
                                                      "netscape sgc",
                                                      "ocsp signing",
                                                      "s/mime",
                                                      "server auth",
                                                      "signing",
                                                      "timestamping"};

bool is_terminal(std::string_view type) { return type == "Approved" || type == "Denied" || type == "Failed"; }

bool has_pem_block(std::string_view text, std::string_view type) {
  const std::string begin = "-----BEGIN " + std::string(type) + "-----";
  const std::string end = "-----END " + std::string(type) + "-----";
  const size_t start = text.find(begin);
  return start != std::string_view::npos && text.find(end, start + begin.size()) != std::string_view::npos;
}

void check_signer_name(const std::string& name, const FieldPath& path, FieldErrors& errors) {
  if (name == "kubernetes.io/legacy-unknown") {
    return errors.invalid(path, name, "the legacy signerName is not allowed via this API version");
  }
  validate_signer_name(name, path, errors);
}

void check_conditions(const std::vector<CertificateSigningRequestCondition>& conditions, const FieldPath& path,
                      FieldErrors& errors) {
  std::set<std::string_view> seen;
  for (size_t i = 0; i < conditions.size(); ++i) {
    const FieldPath item = path.index(i), status = item.child("status");
    const auto& condition = conditions[i];
    if (condition.type.empty()) errors.required(item.child("type"));
    if (condition.status.empty()) {
      errors.required(status);
    } else if (is_terminal(condition.type)) {
      if (condition.status != "True") errors.not_supported(status, condition.status, {"True"});
    } else {
      check_enum(condition.status, status, errors, {"False", "True", "Unknown"});
    }
    if (!seen.insert(condition.type).second) errors.duplicate(item.child("type"), condition.type);
  }
  if (seen.contains("Approved") && seen.contains("Denied")) {
    errors.invalid(path, "Denied", "Approved and Denied conditions are mutually exclusive");
  }
}

void check_request(const CertificateSigningRequest& csr, FieldErrors& errors) {
  const FieldPath spec("spec"), usages = spec.child("usages"), status("status");
  if (!has_pem_block(csr.spec.request.value_or(""), "CERTIFICATE REQUEST")) {
    errors.invalid(spec.child("request"), "<certificate request data>", "PEM block type must be CERTIFICATE REQUEST");
  }
  if (csr.spec.usages.empty()) errors.required(usages);
  std::set<std::string_view> seen;
  for (size_t i = 0; i < csr.spec.usages.size(); ++i) {
    const std::string& usage = csr.spec.usages[i];
    if (std::ranges::find(kUsages, usage) == kUsages.end()) {
      errors.not_supported(usages.index(i), usage, std::vector<std::string>(kUsages.begin(), kUsages.end()));
    }
    if (!seen.insert(usage).second) errors.duplicate(usages.index(i), usage);
  }
  check_signer_name(csr.spec.signer_name, spec.child("signerName"), errors);
  constexpr int32_t kShortest = 600;
  if (csr.spec.expiration_seconds && *csr.spec.expiration_seconds < kShortest) {
    errors.invalid(spec.child("expirationSeconds"), *csr.spec.expiration_seconds,
                   "may not specify a duration less than 600 seconds (10 minutes)");
  }
  check_conditions(csr.status.conditions, status.child("conditions"), errors);
  if (csr.status.certificate && !csr.status.certificate->empty() &&
      !has_pem_block(*csr.status.certificate, "CERTIFICATE")) {
    errors.invalid(status.child("certificate"), "<certificate data>",
                   "must contain at least one CERTIFICATE PEM block");
  }
}

std::vector<CertificateSigningRequestCondition> of_type(const CertificateSigningRequest& csr, std::string_view type) {
  std::vector<CertificateSigningRequestCondition> found;
  for (const auto& condition : csr.status.conditions) {
    if (condition.type == type) found.push_back(condition);
  }
  return found;
}

// Approval and denial belong to the approval subresource; none of the three is ever taken back.
void check_changes(const CertificateSigningRequest& csr, const CertificateSigningRequest& old,
                   std::string_view subresource, FieldErrors& errors) {
  const FieldPath status("status"), conditions = status.child("conditions");
  for (const char* type : {"Approved", "Denied", "Failed"}) {
    const auto now = of_type(csr, type), before = of_type(old, type);
    const std::string quoted = "\"" + std::string(type) + "\"";
    if (now.size() < before.size()) {
      errors.forbidden(conditions, "updates may not remove a condition of type " + quoted);
      continue;
    }
    if (subresource == "approval" || std::string_view(type) == "Failed") continue;
    if (now.size() > before.size()) {
      errors.forbidden(conditions, "updates may not add a condition of type " + quoted);
    } else if (now != before) {
      errors.forbidden(conditions, "updates may not modify a condition of type " + quoted);
    }
  }
  if (csr.status.certificate.value_or("") == old.status.certificate.value_or("")) return;
  if (subresource != "status") {
    errors.forbidden(status.child("certificate"), "updates may not set certificate content");
  } else if (!old.status.certificate.value_or("").empty()) {
    errors.forbidden(status.child("certificate"), "updates may not modify existing certificate content");
  }
}

// Times of conditions: given, kept while nothing changed, else now.
void set_condition_times(CertificateSigningRequest& csr, const CertificateSigningRequest& old, base::WallTime now) {
  for (auto& condition : csr.status.conditions) {
    if (condition.last_update_time.zero()) condition.last_update_time = object::to_time(now);
    if (!condition.last_transition_time.zero()) continue;
    const auto before = of_type(old, condition.type);
    condition.last_transition_time =
        before.size() == 1 && before[0].status == condition.status && !before[0].last_transition_time.zero()
            ? before[0].last_transition_time
            : object::to_time(now);
  }
}

std::string condition_cell(const CertificateSigningRequest& csr) {
  std::string text = !of_type(csr, "Denied").empty()     ? "Denied"
                     : !of_type(csr, "Approved").empty() ? "Approved"
                                                         : "Pending";
  if (!of_type(csr, "Failed").empty()) text += ",Failed";
  if (!csr.status.certificate.value_or("").empty()) text += ",Issued";
  return text;
}

class CertificateSigningRequestRules final : public RulesFor<CertificateSigningRequest> {
 public:
  CertificateSigningRequestRules() : RulesFor("certificates.k8s.io", "v1", "CertificateSigningRequest") {}

  void prepare_for_create(RuleContext& context, CertificateSigningRequest& csr) const override {
    // Who asks is what was authenticated, not what is written.
    csr.spec.username = context.user_name;
    csr.spec.uid = context.user_uid;
    csr.spec.groups = context.user_groups;
    csr.spec.extra.clear();
    csr.status = {};
  }
  void prepare_for_update(RuleContext&, CertificateSigningRequest& csr,
                          const CertificateSigningRequest& old) const override {
    csr.spec = old.spec;
    csr.status = old.status;
  }
  void prepare_for_subresource(std::string_view subresource, RuleContext& context, CertificateSigningRequest& csr,
                               const CertificateSigningRequest& old) const override {
    csr.spec = old.spec;
    if (subresource == "approval") {
      csr.status.certificate = old.status.certificate;
    } else {
      keep_approval(csr, old);
    }
    set_condition_times(csr, old, context.now);
  }
  void validate(RuleContext&, const CertificateSigningRequest& csr, FieldErrors& errors) const override {
    check_request(csr, errors);
  }
  void validate_update(RuleContext&, const CertificateSigningRequest& csr, const CertificateSigningRequest& old,
                       FieldErrors& errors) const override {
    check_request(csr, errors);
    check_changes(csr, old, "", errors);
  }
  void validate_subresource(std::string_view subresource, RuleContext&, const CertificateSigningRequest& csr,
                            const CertificateSigningRequest& old, FieldErrors& errors) const override {
    check_request(csr, errors);
    check_changes(csr, old, subresource, errors);
  }
  void cells(const CertificateSigningRequest& csr, base::WallTime now, TableRow& row) const override {
    const auto& seconds = csr.spec.expiration_seconds;
    row.cells = {csr.metadata.name,
                 age_cell(csr.metadata, now),
                 or_text(csr.spec.signer_name, "<none>"),
                 csr.spec.username,
                 seconds ? object::human_duration(std::chrono::seconds(*seconds)) : std::string("<none>"),
                 condition_cell(csr)};
  }
  std::vector<SelectableField> selectable_fields(const CertificateSigningRequest& csr) const override {
    return {{"spec.signerName", csr.spec.signer_name}};
  }
  std::vector<std::string_view> reset_fields(std::string_view subresource) const override {
    if (subresource == "approval") return {".spec", ".status.certificate"};
    return subresource.empty() ? std::vector<std::string_view>{".spec", ".status"}
                               : std::vector<std::string_view>{".spec"};
  }

 private:
  // Compat: a status update leaves approval and denial as they were.
  static void keep_approval(CertificateSigningRequest& csr, const CertificateSigningRequest& old) {
    for (const char* type : {"Approved", "Denied"}) {
      const auto before = of_type(old, type);
      if (of_type(csr, type).empty()) {
        csr.status.conditions.insert(csr.status.conditions.end(), before.begin(), before.end());
        continue;
      }
      for (auto& condition : csr.status.conditions) {
        if (condition.type == type && before.size() == 1) condition = before[0];
      }
    }
  }
};

}  // namespace

std::unique_ptr<const KindRules> certificate_signing_request_rules() {
  return std::make_unique<CertificateSigningRequestRules>();
}

}  // namespace api
