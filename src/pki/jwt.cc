#include "pki/jwt.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>

#include <algorithm>
#include <optional>

#include "pki/digest.h"
#include "pki/openssl.h"

namespace pki {

using base::fail;
using base::Reason;
using base::Result;

namespace {

struct Algorithm {
  std::string_view name;
  KeyType key;
  const EVP_MD* (*digest)();
  size_t half;  // of an ECDSA signature, bytes; 0 for RSA
};
constexpr Algorithm kAlgorithms[] = {
    {"RS256", KeyType::kRsa, EVP_sha256, 0},     {"RS384", KeyType::kRsa, EVP_sha384, 0},
    {"RS512", KeyType::kRsa, EVP_sha512, 0},     {"ES256", KeyType::kEcP256, EVP_sha256, 32},
    {"ES384", KeyType::kEcP384, EVP_sha384, 48}, {"ES512", KeyType::kEcP521, EVP_sha512, 66},
};

// The first algorithm of that key type is the one that signs.
const Algorithm* algorithm_for(KeyType type) {
  const auto* found = std::ranges::find(kAlgorithms, type, &Algorithm::key);
  return found == std::end(kAlgorithms) ? nullptr : found;
}
const Algorithm* algorithm_named(std::string_view name) {
  const auto* found = std::ranges::find(kAlgorithms, name, &Algorithm::name);
  return found == std::end(kAlgorithms) ? nullptr : found;
}

const unsigned char* bytes_of(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

// ECDSA: JWT wants r and s side by side, OpenSSL speaks DER.
std::string der_to_halves(std::string_view der, size_t half) {
  const unsigned char* in = bytes_of(der);
  const std::unique_ptr<ECDSA_SIG, Deleter<ECDSA_SIG_free>> parsed(
      d2i_ECDSA_SIG(nullptr, &in, static_cast<long>(der.size())));
  std::string halves(half * 2, '\0');
  auto* out = reinterpret_cast<unsigned char*>(halves.data());
  BN_bn2binpad(ECDSA_SIG_get0_r(parsed.get()), out, static_cast<int>(half));
  BN_bn2binpad(ECDSA_SIG_get0_s(parsed.get()), out + half, static_cast<int>(half));
  return halves;
}

std::string halves_to_der(std::string_view halves) {
  const size_t half = halves.size() / 2;
  const std::unique_ptr<ECDSA_SIG, Deleter<ECDSA_SIG_free>> signature(ECDSA_SIG_new());
  ECDSA_SIG_set0(signature.get(), BN_bin2bn(bytes_of(halves), static_cast<int>(half), nullptr),
                 BN_bin2bn(bytes_of(halves.substr(half)), static_cast<int>(half), nullptr));
  unsigned char* der = nullptr;
  const int size = i2d_ECDSA_SIG(signature.get(), &der);
  std::string text(reinterpret_cast<char*>(der), static_cast<size_t>(std::max(size, 0)));
  OPENSSL_free(der);
  return text;
}

bool signature_fits(const PublicKey& key, const Algorithm& algorithm, std::string_view signed_text,
                    std::string_view signature) {
  if (key.type() != algorithm.key) return false;
  std::string der;
  if (algorithm.half > 0) {
    if (signature.size() != algorithm.half * 2) return false;
    der = halves_to_der(signature);
    signature = der;
  }
  const DigestPointer context(EVP_MD_CTX_new());
  const bool ok = EVP_DigestVerifyInit(context.get(), nullptr, algorithm.digest(), nullptr, native(key)) == 1 &&
                  EVP_DigestVerify(context.get(), bytes_of(signature), signature.size(), bytes_of(signed_text),
                                   signed_text.size()) == 1;
  ERR_clear_error();
  return ok;
}

// Reads the string members of a flat JSON object, which is all that a JOSE header needs. Members of other types are
// refused, as are escapes other than the one-character ones: no issuer writes them.
class HeaderReader {
 public:
  explicit HeaderReader(std::string_view text) : rest_(text) {}

  bool read(std::string& algorithm, std::string& key_id) {
    if (!take('{')) return false;
    if (take('}')) return at_end();
    do {
      const auto name = string();
      if (!name || !take(':')) return false;
      const auto value = string();
      if (!value) return false;
      if (*name == "alg") algorithm = *value;
      if (*name == "kid") key_id = *value;
      if (*name == "crit") return false;
    } while (take(','));
    return take('}') && at_end();
  }

 private:
  void skip_space() {
    while (!rest_.empty() && std::string_view(" \t\r\n").contains(rest_[0])) rest_.remove_prefix(1);
  }
  bool at_end() {
    skip_space();
    return rest_.empty();
  }
  bool take(char c) {
    skip_space();
    if (rest_.empty() || rest_[0] != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  std::optional<std::string> string() {
    if (!take('"')) return std::nullopt;
    std::string text;
    while (!rest_.empty() && rest_[0] != '"') {
      char c = rest_[0];
      rest_.remove_prefix(1);
      if (static_cast<unsigned char>(c) < 0x20) return std::nullopt;
      if (c == '\\') {
        if (rest_.empty() || !std::string_view("\"\\/").contains(rest_[0])) return std::nullopt;
        c = rest_[0];
        rest_.remove_prefix(1);
      }
      text += c;
    }
    if (!take('"')) return std::nullopt;
    return text;
  }

  std::string_view rest_;
};

struct Parts {
  std::string_view signed_text;
  std::string_view signature;
};

Result<Jwt> split(std::string_view token, Parts& parts) {
  const auto malformed = [] { return fail(Reason::kUnauthorized, "the token is not a JSON Web Token"); };
  const size_t first = token.find('.');
  const size_t second = first == std::string_view::npos ? first : token.find('.', first + 1);
  if (second == std::string_view::npos || token.find('.', second + 1) != std::string_view::npos) return malformed();
  auto header = base64url_decode(token.substr(0, first));
  auto claims = base64url_decode(token.substr(first + 1, second - first - 1));
  if (!header || !claims) return malformed();
  Jwt jwt{.header_json = std::move(*header), .claims_json = std::move(*claims), .algorithm = "", .key_id = ""};
  if (!HeaderReader(jwt.header_json).read(jwt.algorithm, jwt.key_id)) return malformed();
  parts = {token.substr(0, second), token.substr(second + 1)};
  return jwt;
}

std::string number_member(const PublicKey& key, const char* parameter, size_t width) {
  BIGNUM* number = nullptr;
  EVP_PKEY_get_bn_param(native(key), parameter, &number);
  const size_t size = std::max(width, static_cast<size_t>(BN_num_bytes(number)));
  std::string bytes(size, '\0');
  BN_bn2binpad(number, reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(size));
  BN_free(number);
  return base64url_encode(bytes);
}

std::string_view curve_of(KeyType type) {
  if (type == KeyType::kEcP384) return "P-384";
  return type == KeyType::kEcP521 ? "P-521" : "P-256";
}

}  // namespace

Result<std::string> sign_jwt(std::string_view claims_json, const PrivateKey& key) {
  const Algorithm* algorithm = algorithm_for(key.type());
  if (!algorithm) return fail(Reason::kInvalid, "tokens are signed with RSA or ECDSA keys only");
  // Compat: member order alg, kid, as go-jose writes it.
  const std::string header =
      "{\"alg\":\"" + std::string(algorithm->name) + "\",\"kid\":\"" + key.public_key().key_id() + "\"}";
  std::string token = base64url_encode(header) + "." + base64url_encode(claims_json);
  const DigestPointer context(EVP_MD_CTX_new());
  size_t size = 0;
  std::string signature;
  bool ok = EVP_DigestSignInit(context.get(), nullptr, algorithm->digest(), nullptr, native(key)) == 1 &&
            EVP_DigestSign(context.get(), nullptr, &size, bytes_of(token), token.size()) == 1;
  signature.resize(size);
  ok = ok && EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size, bytes_of(token),
                            token.size()) == 1;
  if (!ok) return fail(Reason::kInternalError, "cannot sign a token: " + openssl_error());
  signature.resize(size);
  if (algorithm->half > 0) signature = der_to_halves(signature, algorithm->half);
  token += '.';
  token += base64url_encode(signature);
  return token;
}

Result<Jwt> parse_jwt_unverified(std::string_view token) {
  Parts parts;
  return split(token, parts);
}

Result<Jwt> verify_jwt(std::string_view token, const std::vector<PublicKey>& keys) {
  Parts parts;
  TRY_ASSIGN(Jwt jwt, split(token, parts));
  const Algorithm* algorithm = algorithm_named(jwt.algorithm);
  if (!algorithm) return fail(Reason::kUnauthorized, "the token's algorithm is not accepted");
  const auto signature = base64url_decode(parts.signature);
  if (!signature) return fail(Reason::kUnauthorized, "the token is not a JSON Web Token");
  std::vector<const PublicKey*> order;
  for (const auto& key : keys) {
    const bool named = !jwt.key_id.empty() && key.key_id() == jwt.key_id;
    order.insert(named ? order.begin() : order.end(), &key);
  }
  for (const PublicKey* key : order) {
    if (signature_fits(*key, *algorithm, parts.signed_text, *signature)) return jwt;
  }
  return fail(Reason::kUnauthorized, "the token's signature does not verify with any key");
}

std::string jwks_json(const std::vector<PublicKey>& keys) {
  std::string json = "{\"keys\":[";
  for (const auto& key : keys) {
    const Algorithm* algorithm = algorithm_for(key.type());
    if (!algorithm) continue;
    if (json.back() == '}') json += ',';
    const bool rsa = algorithm->half == 0;
    json.append("{\"use\":\"sig\",\"kty\":\"").append(rsa ? "RSA" : "EC");
    json.append("\",\"kid\":\"").append(key.key_id());
    if (!rsa) json.append("\",\"crv\":\"").append(curve_of(key.type()));
    json.append("\",\"alg\":\"").append(algorithm->name);
    if (rsa) {
      json.append("\",\"n\":\"").append(number_member(key, OSSL_PKEY_PARAM_RSA_N, 1));
      json.append("\",\"e\":\"").append(number_member(key, OSSL_PKEY_PARAM_RSA_E, 1));
    } else {
      json.append("\",\"x\":\"").append(number_member(key, OSSL_PKEY_PARAM_EC_PUB_X, algorithm->half));
      json.append("\",\"y\":\"").append(number_member(key, OSSL_PKEY_PARAM_EC_PUB_Y, algorithm->half));
    }
    json += "\"}";
  }
  return json + "]}";
}

}  // namespace pki
