#include "controllers/serviceaccounttoken/plan.h"

#include "object/json.h"
#include "object/value.h"

namespace controllers::serviceaccounttoken {
namespace {

using api::core::v1::Secret;
using api::core::v1::ServiceAccount;

bool has(const Secret& secret, const char* key) {
  const auto found = secret.data.find(key);
  return found != secret.data.end() && !found->second.empty();
}
bool shows(const Secret& secret, std::string_view root_ca) {
  const auto found = secret.data.find("ca.crt");
  return root_ca.empty() || (found != secret.data.end() && found->second == root_ca);
}

}  // namespace

Action plan(const Secret& secret, const ServiceAccount* account, std::string_view root_ca) {
  if (!account) return Action::kDelete;
  const auto uid = secret.metadata.annotations.find(kUidAnnotation);
  if (uid != secret.metadata.annotations.end() && !uid->second.empty() && uid->second != account->metadata.uid)
    return Action::kDelete;
  const bool complete = has(secret, "token") && has(secret, "namespace") && shows(secret, root_ca);
  return complete ? Action::kNothing : Action::kFill;
}

Secret filled(Secret secret, const ServiceAccount& account, const std::string& root_ca, const std::string& token) {
  if (!root_ca.empty()) secret.data["ca.crt"] = root_ca;
  if (!has(secret, "namespace")) secret.data["namespace"] = secret.metadata.namespace_;
  if (!has(secret, "token")) secret.data["token"] = token;
  secret.metadata.annotations[kNameAnnotation] = account.metadata.name;
  secret.metadata.annotations[kUidAnnotation] = account.metadata.uid;
  return secret;
}

std::string token_claims(const ServiceAccount& account, std::string_view secret_name) {
  const auto& metadata = account.metadata;
  object::Object claims;
  claims.append("iss", "kubernetes/serviceaccount");
  claims.append("kubernetes.io/serviceaccount/namespace", metadata.namespace_);
  claims.append("kubernetes.io/serviceaccount/secret.name", secret_name);
  claims.append("kubernetes.io/serviceaccount/service-account.name", metadata.name);
  claims.append("kubernetes.io/serviceaccount/service-account.uid", metadata.uid);
  claims.append("sub", "system:serviceaccount:" + metadata.namespace_ + ":" + metadata.name);
  return object::to_json(object::Value(std::move(claims)));
}

}  // namespace controllers::serviceaccounttoken
