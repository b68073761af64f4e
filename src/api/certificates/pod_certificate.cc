#include "api/certificates/pod_certificate.h"

#include <algorithm>

#include "object/time.h"
#include "pki/certificate.h"
#include "pki/pem.h"

namespace api {
namespace {

using certificates::v1beta1::PodCertificateRequest;
using certificates::v1beta1::PodCertificateRequestStatus;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr size_t kMaxChain = 100 * 1024;

bool is_known(std::string_view type) { return type == "Issued" || type == "Denied" || type == "Failed"; }

bool has(const PodCertificateRequestStatus& status, std::string_view type) {
  return std::ranges::any_of(
      status.conditions, [&](const auto& condition) { return condition.type == type && condition.status == "True"; });
}

void check_conditions(const std::vector<meta::v1::Condition>& conditions, const FieldPath& status,
                      FieldErrors& errors) {
  const FieldPath path = status.child("conditions");
  int known = 0;
  for (size_t i = 0; i < conditions.size(); ++i) {
    // Compat: upstream writes this index as a name.
    const std::string index = "[" + std::to_string(i) + "]";
    const FieldPath item = path.child(index), type = item.child("type");
    const meta::v1::Condition& condition = conditions[i];
    if (!is_known(condition.type)) {
      errors.not_supported(type, condition.type, {"Issued", "Denied", "Failed"});
      continue;
    }
    if (++known > 1) {
      errors.invalid(type, condition.type,
                     R"(There may be at most one condition with type "Issued", "Denied", or "Failed")");
    }
    if (condition.status != "True") errors.not_supported(item.child("status"), condition.status, {"True"});
  }
  validate_conditions(conditions, path, errors);
}

struct Chain {
  const PodCertificateRequest& request;
  const PodCertificateRequest& old;
  base::WallTime now;
  const FieldPath& status;
  FieldErrors& errors;

  void invalid_chain(std::string_view why) const {
    errors.invalid(status.child("certificateChain"), request.status.certificate_chain, why);
  }
};

void check_leaf_names(const Chain& chain, const pki::AlternativeNames& names) {
  const FieldPath path = chain.status.child("certificateChain");
  for (const std::string& name : names.dns) {
    if (name.empty()) chain.errors.invalid(path, name, "leaf certificate should not contain empty DNSName");
    if (name.find("..") != std::string::npos) {
      chain.errors.invalid(path, name, "leaf certificate's DNSName should not contain '..'");
    }
    if (name.starts_with('.') || name.ends_with('.')) {
      chain.errors.invalid(path, name, "leaf certificate's DNSName should not start or end with '.'");
    }
  }
  for (const std::string& email : names.emails) {
    const size_t at = email.rfind('@');
    const bool valid = at != std::string::npos && at > 0 && at + 1 < email.size() &&
                       email.find_first_of(" \t\r\n()") == std::string::npos;
    if (!valid) chain.errors.invalid(path, email, "leaf certificate should not contain invalid EmailAddress");
  }
}

void check_times(const Chain& chain, const pki::CertificateInfo& leaf) {
  const PodCertificateRequestStatus& status = chain.request.status;
  const FieldPath before = chain.status.child("notBefore"), after = chain.status.child("notAfter");
  const FieldPath refresh = chain.status.child("beginRefreshAt");
  constexpr std::string_view kConsistent = "must be present and consistent with the issued certificate";
  if (!status.not_before) chain.errors.required(before, kConsistent);
  if (!status.not_after) chain.errors.required(after, kConsistent);
  if (!status.begin_refresh_at) {
    chain.errors.required(refresh, "must be present and in the range [notbefore+10min, notafter-10min]");
  }
  if (!chain.errors.empty()) return;
  const auto invalid = [&](const FieldPath& path, const object::Time& time, std::string_view why) {
    chain.errors.invalid(path, object::format_time(time), why);
  };
  const object::Time &start = *status.not_before, &end = *status.not_after, &begin = *status.begin_refresh_at;
  if (start != object::to_time(leaf.not_before)) {
    return invalid(before, start, "must be set to the NotBefore time encoded in the leaf certificate");
  }
  const auto distance = std::chrono::abs(leaf.not_before - chain.now);
  if (distance >= minutes(5)) {
    return invalid(before, start, "must be set to within 5 minutes of kube-apiserver's current time");
  }
  if (end != object::to_time(leaf.not_after)) {
    return invalid(after, end, "must be set to the NotAfter time encoded in the leaf certificate");
  }
  const auto lifetime = std::chrono::duration_cast<std::chrono::nanoseconds>(leaf.not_after - leaf.not_before);
  const int32_t longest = chain.request.spec.max_expiration_seconds.value_or(0);
  const FieldPath path = chain.status.child("certificateChain");
  if (lifetime < hours(1)) {
    return chain.errors.invalid(path, lifetime.count(), "leaf certificate lifetime must be >= 1 hour");
  }
  if (lifetime > seconds(longest)) {
    return chain.errors.invalid(
        path, lifetime.count(),
        "leaf certificate lifetime must be <= spec.maxExpirationSeconds (" + std::to_string(longest) + ")");
  }
  constexpr int64_t kMarginSeconds = 600;
  if (begin.seconds < start.seconds + kMarginSeconds) {
    return invalid(refresh, begin, "must be at least 10 minutes after status.notBefore");
  }
  if (begin.seconds > end.seconds - kMarginSeconds) {
    invalid(refresh, begin, "must be at least 10 minutes before status.notAfter");
  }
}

void check_rest(const Chain& chain, std::string_view rest) {
  while (const auto block = pki::next_pem_block(rest)) {
    if (block->type != "CERTIFICATE") {
      return chain.invalid_chain("issued certificate chain must consist entirely of CERTFICATE PEM blocks");
    }
    if (!pki::Certificate::parse_der(block->der)) {
      return chain.invalid_chain("intermediate certificate does not parse as valid X.509");
    }
  }
}

void check_issued(const Chain& chain) {
  std::string_view rest = chain.request.status.certificate_chain;
  if (rest.size() > kMaxChain) return chain.errors.too_long(chain.status.child("certificateChain"), kMaxChain);
  const auto block = pki::next_pem_block(rest);
  if (!block) return chain.invalid_chain("issued certificate chain must contain at least one certificate");
  if (block->type != "CERTIFICATE") {
    return chain.invalid_chain("issued certificate chain must consist entirely of CERTIFICATE PEM blocks");
  }
  const auto leaf = pki::Certificate::parse_der(block->der);
  if (!leaf) return chain.invalid_chain("leaf certificate does not parse as valid X.509");
  const pki::CertificateInfo info = leaf->info();
  check_leaf_names(chain, info.names);
  const auto wanted = pki::PublicKey::parse_der(chain.old.spec.pkix_public_key.value_or(""));
  if (!wanted || !(*wanted == leaf->public_key())) {
    return chain.invalid_chain("leaf certificate was not issued to the requested public key");
  }
  check_times(chain, info);
  if (chain.errors.empty()) check_rest(chain, rest);
}

}  // namespace

void validate_pod_certificate_status(const PodCertificateRequest& request, const PodCertificateRequest& old,
                                     base::WallTime now, FieldErrors& errors) {
  const FieldPath path("status");
  const PodCertificateRequestStatus &status = request.status, &before = old.status;
  check_conditions(status.conditions, path, errors);
  if (!errors.empty()) return;
  const auto require = [&](const PodCertificateRequestStatus& wanted, std::string_view why) {
    if (!(status == wanted)) errors.invalid(path, BadValue::omitted(), why);
  };
  if (has(before, "Issued") || has(before, "Denied") || has(before, "Failed")) {
    require(before, "immutable after PodCertificateRequest is issued, denied, or failed");
  } else if (has(status, "Denied") || has(status, "Failed")) {
    PodCertificateRequestStatus conditions;
    conditions.conditions = status.conditions;
    require(conditions, "non-condition status fields must be empty when denying or failing the PodCertificateRequest");
  } else if (has(status, "Issued")) {
    check_issued({request, old, now, path, errors});
  } else {
    require(before, R"(status is immutable unless transitioning to "Issued", "Denied", or "Failed")");
  }
}

}  // namespace api
