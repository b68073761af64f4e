#include "apiserver/openid.h"

#include "apiserver/negotiate.h"
#include "apiserver/respond.h"
#include "codec/json_text.h"
#include "pki/jwt.h"

namespace apiserver {
namespace {

constexpr std::string_view kCache = "public, max-age=3600";
constexpr std::string_view kKeySet = "application/jwk-set+json";

std::string_view algorithm(pki::KeyType type) {
  switch (type) {
    case pki::KeyType::kEcP256:
      return "ES256";
    case pki::KeyType::kEcP384:
      return "ES384";
    case pki::KeyType::kEcP521:
      return "ES512";
    case pki::KeyType::kEd25519:
      return "EdDSA";
    case pki::KeyType::kRsa:
      break;
  }
  return "RS256";
}

void send(RequestContext& context, std::string_view type, std::string body) {
  net::Headers headers = answer_headers(context, type);
  net::set_header(headers, "cache-control", kCache);
  context.writer->send(200, std::move(headers), std::move(body));
}

void serve_configuration(RequestContext& context) {
  Core& core = *context.core;
  const auto key = core.token_key();
  const std::string address = context.http->connection ? context.http->connection->local_address : context.http->host;
  std::string body = "{\"issuer\":";
  codec::append_json_string(body, core.token_issuer);
  body += ",\"jwks_uri\":";
  codec::append_json_string(
      body, core.token_keys_uri.empty() ? "https://" + address + "/openid/v1/jwks" : core.token_keys_uri);
  body +=
      R"(,"response_types_supported":["id_token"],"subject_types_supported":["public"],"id_token_signing_alg_values_supported":[)";
  codec::append_json_string(body, key ? algorithm(key->type()) : "RS256");
  send(context, "application/json", body + "]}");
}

void serve_keys(RequestContext& context) {
  // Compat: the route offers this type alone; what does not accept it is refused.
  if (!accepts_type(context.header("accept"), kKeySet)) {
    return respond_error(
        context, {base::Reason::kNotAcceptable,
                  "406: Not Acceptable\n\nAvailable representations: " + std::string(kKeySet), base::ErrorDetails{}});
  }
  const auto key = context.core->token_key();
  send(context, kKeySet, key ? pki::jwks_json({key->public_key()}) : R"({"keys":[]})");
}

}  // namespace

void add_openid_paths(Paths& paths) {
  paths.add("/.well-known/openid-configuration", serve_configuration);
  paths.add("/openid/v1/jwks", serve_keys);
}

}  // namespace apiserver
