// Which Secrets a Pod names, and whether its ServiceAccount lets it. Pure.
#pragma once

#include <string>

#include "gen/core/v1.h"

namespace admission {

// Does the account allow its Pods only the Secrets that it lists (the annotation of old)?
bool limits_secrets(const api::core::v1::ServiceAccount& account);
// Why the account refuses the Pod, "" when it does not. Of ephemeral containers only in the second.
std::string secret_refusal(const api::core::v1::ServiceAccount& account, const api::core::v1::Pod& pod);
std::string ephemeral_secret_refusal(const api::core::v1::ServiceAccount& account, const api::core::v1::Pod& pod);
// Does the Pod name any Secret: volumes, environment, pull secrets?
bool references_secrets(const api::core::v1::Pod& pod);

}  // namespace admission
