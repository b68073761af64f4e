#include "apiserver/token.h"

#include "apiserver/body.h"
#include "apiserver/core.h"
#include "gen/authentication/v1.h"
#include "gen/core/v1.h"
#include "object/json.h"
#include "object/status.h"
#include "object/time.h"
#include "pki/jwt.h"
#include "schema/metadata_view.h"
#include "schema/proto_struct.h"

namespace apiserver {
namespace {

using TokenRequest = ::api::authentication::v1::TokenRequest;

constexpr int64_t kMinSeconds = 600;
constexpr int64_t kDefaultSeconds = 3600;
constexpr int64_t kMaxSeconds = int64_t{1} << 32;

base::Result<void> validate(const TokenRequest& request) {
  object::FieldErrors errors;
  const object::FieldPath spec("spec");
  const int64_t seconds = request.spec.expiration_seconds.value_or(kDefaultSeconds);
  if (seconds < kMinSeconds)
    errors.invalid(spec.child("expirationSeconds"), seconds, "may not specify a duration less than 10 minutes");
  if (seconds > kMaxSeconds)
    errors.invalid(spec.child("expirationSeconds"), seconds, "may not specify a duration larger than 2^32 seconds");
  if (errors.empty()) return {};
  return base::fail(object::invalid_error("authentication.k8s.io", "TokenRequest", "", errors));
}

object::Value named(std::string_view name, std::string_view uid) {
  object::Object value;
  value.append("name", name);
  value.append("uid", uid);
  return value;
}

// The object that a token is bound to, by kind; it must exist with that uid.
base::Result<void> add_bound_object(RequestContext& context, const TokenRequest& request, object::Object& claims) {
  const auto& bound = request.spec.bound_object_ref;
  if (!bound) return {};
  const std::string_view resource = bound->kind == "Pod"      ? "pods"
                                    : bound->kind == "Secret" ? "secrets"
                                    : bound->kind == "Node"   ? "nodes"
                                                              : "";
  if (resource.empty()) {
    return base::fail(
        object::bad_request("cannot bind token for object of type " + bound->api_version + ", Kind=" + bound->kind));
  }
  auto raw = context.core->get("", resource, resource == "nodes" ? "" : context.info.ns, bound->name);
  if (!raw) return base::fail(object::not_found({"", std::string(resource)}, bound->name));
  TRY_ASSIGN(schema::MetadataView metadata, schema::view_metadata(*raw));
  if (!bound->u_id.empty() && bound->u_id != metadata.uid) {
    return base::fail(object::conflict({"", std::string(resource)}, bound->name,
                                       "the UID in the bound object reference (" + bound->u_id +
                                           ") does not match the UID in record. "
                                           "The object might have been deleted and then recreated"));
  }
  std::string claim(bound->kind);
  claim[0] = static_cast<char>(claim[0] + 32);
  claims.append(claim, named(metadata.name, metadata.uid));
  return {};
}

}  // namespace

base::Result<Answer> create_token(RequestContext& context, const WriteOptions& options) {
  const schema::Message& message = gen::message_of<TokenRequest>();
  TRY_ASSIGN(std::string raw,
             decode_body(context, message, "authentication.k8s.io/v1", "TokenRequest", options.field_validation));
  TokenRequest request;
  TRY(schema::decode_struct(message, raw, &request));
  auto account_raw = context.core->get("", "serviceaccounts", context.info.ns, context.info.name);
  if (!account_raw) return base::fail(object::not_found({"", "serviceaccounts"}, context.info.name));
  if (!request.spec.expiration_seconds) request.spec.expiration_seconds = kDefaultSeconds;
  TRY(validate(request));
  if (request.spec.audiences.empty()) request.spec.audiences = {context.core->token_issuer};
  TRY_ASSIGN(schema::MetadataView account, schema::view_metadata(*account_raw));
  TRY_ASSIGN(const pki::PrivateKey key, context.core->token_key());

  const int64_t now = object::to_time(context.now).seconds;
  const int64_t expires = now + *request.spec.expiration_seconds;
  object::Object claims, kubernetes;
  object::Array audiences;
  for (const std::string& audience : request.spec.audiences) audiences.emplace_back(audience);
  claims.append("aud", std::move(audiences));
  claims.append("exp", expires);
  claims.append("iat", now);
  claims.append("iss", context.core->token_issuer);
  claims.append("jti", base::new_uuid(context.core->rng()));
  kubernetes.append("namespace", context.info.ns);
  TRY(add_bound_object(context, request, kubernetes));
  kubernetes.append("serviceaccount", named(account.name, account.uid));
  claims.append("kubernetes.io", std::move(kubernetes));
  claims.append("nbf", now);
  claims.append("sub", "system:serviceaccount:" + context.info.ns + ":" + context.info.name);
  TRY_ASSIGN(request.status.token, pki::sign_jwt(object::to_json(object::Value(std::move(claims))), key));
  request.status.expiration_timestamp = object::Time{expires, 0};
  request.metadata.name = context.info.name;
  request.metadata.namespace_ = context.info.ns;
  request.metadata.creation_timestamp = object::Time{now, 0};

  Answer answer;
  answer.code = 201;
  answer.message = &message;
  answer.api_version = "authentication.k8s.io/v1";
  answer.kind = "TokenRequest";
  schema::encode_struct(message, &request, answer.raw);
  return answer;
}

}  // namespace apiserver
