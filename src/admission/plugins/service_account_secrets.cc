#include "admission/plugins/service_account_secrets.h"

#include <algorithm>
#include <set>

#include "admission/plugins/common.h"

namespace admission {
namespace {

using api::core::v1::Pod;
using api::core::v1::ServiceAccount;
using Names = std::set<std::string, std::less<>>;

Names listed_secrets(const ServiceAccount& account) {
  Names names;
  for (const auto& reference : account.secrets) names.insert(reference.name);
  return names;
}

std::string not_referenced(const std::string& what, const std::string& secret, const ServiceAccount& account,
                           std::string_view kind = "secret") {
  return what + "secret.secretName=\"" + secret + "\" is not allowed because service account " + account.metadata.name +
         " does not reference that " + std::string(kind);
}

// `title`: "container", "init container", "ephemeral container".
template <typename ContainerType>
std::string container_refusal(const ContainerType& container, const std::string& title, const Names& allowed,
                              const ServiceAccount& account) {
  for (const auto& env : container.env) {
    if (!env.value_from || !env.value_from->secret_key_ref) continue;
    const std::string& secret = env.value_from->secret_key_ref->local_object_reference.name;
    if (allowed.contains(secret)) continue;
    return not_referenced(title + " " + container.name + " with envVar " + env.name + " referencing ", secret, account);
  }
  for (const auto& from : container.env_from) {
    if (!from.secret_ref) continue;
    const std::string& secret = from.secret_ref->local_object_reference.name;
    if (allowed.contains(secret)) continue;
    return not_referenced(title + " " + container.name + " with envFrom referencing ", secret, account);
  }
  return "";
}

template <typename ContainerType>
bool names_secret(const ContainerType& container) {
  return std::ranges::any_of(container.env,
                             [](const auto& e) { return e.value_from && e.value_from->secret_key_ref; }) ||
         std::ranges::any_of(container.env_from, [](const auto& e) { return static_cast<bool>(e.secret_ref); });
}

bool names_secret(const api::core::v1::VolumeSource& source) {
  if (source.secret) return true;
  if (source.azure_file && !source.azure_file->secret_name.empty()) return true;
  if ((source.cephfs && source.cephfs->secret_ref) || (source.cinder && source.cinder->secret_ref) ||
      (source.flex_volume && source.flex_volume->secret_ref) || (source.rbd && source.rbd->secret_ref) ||
      (source.scale_io && source.scale_io->secret_ref) || (source.iscsi && source.iscsi->secret_ref) ||
      (source.storageos && source.storageos->secret_ref) || (source.csi && source.csi->node_publish_secret_ref)) {
    return true;
  }
  if (!source.projected) return false;
  return std::ranges::any_of(source.projected->sources, [](const auto& s) { return static_cast<bool>(s.secret); });
}

}  // namespace

bool limits_secrets(const ServiceAccount& account) {
  auto found = account.metadata.annotations.find("kubernetes.io/enforce-mountable-secrets");
  // Compat: every spelling of true that Go's ParseBool reads.
  constexpr std::string_view kTrue[] = {"1", "t", "T", "TRUE", "true", "True"};
  return found != account.metadata.annotations.end() && std::ranges::find(kTrue, found->second) != std::end(kTrue);
}

std::string secret_refusal(const ServiceAccount& account, const Pod& pod) {
  const Names allowed = listed_secrets(account);
  for (const auto& volume : pod.spec.volumes) {
    if (!volume.volume_source.secret || allowed.contains(volume.volume_source.secret->secret_name)) continue;
    return not_referenced("volume with ", volume.volume_source.secret->secret_name, account);
  }
  for (const auto& container : pod.spec.init_containers) {
    if (auto refusal = container_refusal(container, "init container", allowed, account); !refusal.empty())
      return refusal;
  }
  for (const auto& container : pod.spec.containers) {
    if (auto refusal = container_refusal(container, "container", allowed, account); !refusal.empty()) return refusal;
  }
  Names pull;
  for (const auto& reference : account.image_pull_secrets) pull.insert(reference.name);
  for (const auto& reference : pod.spec.image_pull_secrets) {
    if (pull.contains(reference.name)) continue;
    return "imagePullSecret.secretName=\"" + reference.name + "\" is not allowed because service account " +
           account.metadata.name + " does not reference that imagePullSecret";
  }
  return "";
}

std::string ephemeral_secret_refusal(const ServiceAccount& account, const Pod& pod) {
  const Names allowed = listed_secrets(account);
  for (const auto& container : pod.spec.ephemeral_containers) {
    auto refusal = container_refusal(container.ephemeral_container_common, "ephemeral container", allowed, account);
    if (!refusal.empty()) return refusal;
  }
  return "";
}

bool references_secrets(const Pod& pod) {
  if (!pod.spec.image_pull_secrets.empty()) return true;
  bool found = false;
  visit_containers(pod.spec, [&](const auto& container) { found = found || names_secret(container); });
  for (const auto& volume : pod.spec.volumes) found = found || names_secret(volume.volume_source);
  return found;
}

}  // namespace admission
