// JSON Web Tokens in compact form, RS256/384/512 and ES256/384/512, for service accounts; and key sets. Claims are JSON
// text: making and judging them (issuer, audience, expiry) belongs to the authenticator. Thread: any.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "pki/key.h"

namespace pki {

// Header {"alg":…,"kid":…}; kid = the key's key_id().
base::Result<std::string> sign_jwt(std::string_view claims_json, const PrivateKey& key);

struct Jwt {
  std::string header_json;
  std::string claims_json;
  std::string algorithm;
  std::string key_id;  // "" when the header has none
};
// Splits and decodes without checking the signature: to look at the issuer before choosing keys.
base::Result<Jwt> parse_jwt_unverified(std::string_view token);
// kUnauthorized unless one of the keys made the signature. A kid in the header only decides which key is tried first
// (Compat: tokens of older releases carry none). The algorithm must fit the key: "none" and HMAC are refused.
base::Result<Jwt> verify_jwt(std::string_view token, const std::vector<PublicKey>& keys);

// {"keys":[…]} as served at /openid/v1/jwks. Compat: fields use, kty, kid, alg, then n and e, or crv, x and y.
std::string jwks_json(const std::vector<PublicKey>& keys);

}  // namespace pki
