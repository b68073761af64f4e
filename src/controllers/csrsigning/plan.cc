#include "controllers/csrsigning/plan.h"

#include <algorithm>
#include <set>

namespace controllers::csrsigning {
namespace {

using ::api::certificates::v1::CertificateSigningRequest;

constexpr std::string_view kServing = "kubernetes.io/kubelet-serving";
constexpr std::string_view kKubelet = "kubernetes.io/kube-apiserver-client-kubelet";
constexpr std::string_view kClient = "kubernetes.io/kube-apiserver-client";
constexpr std::string_view kLegacy = "kubernetes.io/legacy-unknown";

bool has_condition(const CertificateSigningRequest& csr, std::string_view type) {
  return std::ranges::any_of(csr.status.conditions, [&](const auto& condition) { return condition.type == type; });
}

// Exactly these, "key encipherment" left to the key's kind.
bool uses(const CertificateSigningRequest& csr, std::string_view purpose) {
  std::set<std::string_view> usages(csr.spec.usages.begin(), csr.spec.usages.end());
  usages.erase("key encipherment");
  return usages == std::set<std::string_view>{"digital signature", purpose};
}

std::string kubelet_problem(const RequestFacts& facts) {
  if (facts.organizations != std::vector<std::string>{"system:nodes"}) {
    return "subject organization is not system:nodes";
  }
  if (!facts.common_name.starts_with("system:node:")) return "subject common name does not begin with system:node:";
  return "";
}

std::string serving_problem(const CertificateSigningRequest& csr, const RequestFacts& facts) {
  if (facts.organizations != std::vector<std::string>{"system:nodes"}) return kubelet_problem(facts);
  if (!facts.has_dns && !facts.has_ip) return "DNS or IP subjectAltName is required";
  if (facts.has_email) return "email subjectAltNames are not allowed";
  if (facts.has_uri) return "URI subjectAltNames are not allowed";
  if (!uses(csr, "server auth")) return "usages did not match {digital signature, server auth}";
  return kubelet_problem(facts);
}

std::string client_kubelet_problem(const CertificateSigningRequest& csr, const RequestFacts& facts) {
  if (facts.organizations != std::vector<std::string>{"system:nodes"}) return kubelet_problem(facts);
  if (facts.has_dns) return "DNS subjectAltNames are not allowed";
  if (facts.has_email) return "email subjectAltNames are not allowed";
  if (facts.has_ip) return "IP subjectAltNames are not allowed";
  if (facts.has_uri) return "URI subjectAltNames are not allowed";
  if (const std::string problem = kubelet_problem(facts); !problem.empty()) return problem;
  return uses(csr, "client auth") ? "" : "usages did not match {digital signature, client auth}";
}

std::string client_problem(const CertificateSigningRequest& csr) {
  bool client = false;
  for (const std::string& usage : csr.spec.usages) {
    if (usage == "client auth") {
      client = true;
    } else if (usage != "digital signature" && usage != "key encipherment") {
      return "invalid usage for client certificate: " + usage;
    }
  }
  return client ? "" : "missing required usage for client certificate: client auth";
}

std::string problem_of(const CertificateSigningRequest& csr, const RequestFacts& facts) {
  if (csr.spec.signer_name == kServing) return serving_problem(csr, facts);
  if (csr.spec.signer_name == kKubelet) return client_kubelet_problem(csr, facts);
  return csr.spec.signer_name == kClient ? client_problem(csr) : "";
}

}  // namespace

bool waits_for_signature(const CertificateSigningRequest& csr) {
  const std::string& signer = csr.spec.signer_name;
  if (signer != kServing && signer != kKubelet && signer != kClient && signer != kLegacy) return false;
  if (!has_condition(csr, "Approved") || has_condition(csr, "Denied") || has_condition(csr, "Failed")) return false;
  return csr.status.certificate.value_or("").empty();
}

Plan make_plan(const CertificateSigningRequest& csr, const RequestFacts& facts) {
  if (!waits_for_signature(csr)) return {};
  if (std::string problem = problem_of(csr, facts); !problem.empty()) return {Step::kFail, {}, std::move(problem)};
  std::chrono::seconds validity = kLongest;
  if (csr.spec.expiration_seconds) {
    validity = std::clamp(std::chrono::seconds(*csr.spec.expiration_seconds), kShortest, kLongest);
  }
  return {Step::kSign, validity, ""};
}

}  // namespace controllers::csrsigning
