// What becomes of an approved CertificateSigningRequest. Pure; thread: any.
// Compat: the four signers of kube-controller-manager, their rules and their words.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "base/clock.h"
#include "gen/certificates/v1.h"

namespace controllers::csrsigning {

// What the request (PKCS#10) asks for, as far as the rules look at it.
struct RequestFacts {
  std::string common_name;
  std::vector<std::string> organizations;
  bool has_dns = false, has_ip = false, has_email = false, has_uri = false;
};

inline constexpr std::chrono::seconds kLongest = std::chrono::hours(8760);  // --cluster-signing-duration
inline constexpr std::chrono::seconds kShortest = std::chrono::minutes(10);

enum class Step : uint8_t { kNothing, kSign, kFail };
struct Plan {
  Step step = Step::kNothing;
  std::chrono::seconds validity{};  // kSign
  std::string problem;              // kFail
};

// Is there anything to do, as far as one can tell without looking into the request?
bool waits_for_signature(const ::api::certificates::v1::CertificateSigningRequest& csr);
Plan make_plan(const ::api::certificates::v1::CertificateSigningRequest& csr, const RequestFacts& facts);

}  // namespace controllers::csrsigning
