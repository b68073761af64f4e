// What a token Secret needs: its content filled in, or to go with its service account. Pure.
#pragma once

#include <string>
#include <string_view>

#include "gen/core/v1.h"

namespace controllers::serviceaccounttoken {

inline constexpr std::string_view kSecretType = "kubernetes.io/service-account-token";
inline constexpr const char* kNameAnnotation = "kubernetes.io/service-account.name";
inline constexpr const char* kUidAnnotation = "kubernetes.io/service-account.uid";

enum class Action : uint8_t {
  kNothing,
  kFill,    // write what is missing
  kDelete,  // its account is gone, or another one of that name
};

// `account` null = there is none of that name.
Action plan(const api::core::v1::Secret& secret, const api::core::v1::ServiceAccount* account,
            std::string_view root_ca);

// The Secret with everything that was missing; `token` is used when it had none.
api::core::v1::Secret filled(api::core::v1::Secret secret, const api::core::v1::ServiceAccount& account,
                             const std::string& root_ca, const std::string& token);

// The claims of such a token, JSON. Compat: those of upstream's tokens of old, which have no end.
std::string token_claims(const api::core::v1::ServiceAccount& account, std::string_view secret_name);

}  // namespace controllers::serviceaccounttoken
