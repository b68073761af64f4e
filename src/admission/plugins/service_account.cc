// Every Pod runs as a ServiceAccount of its namespace, gets its token mounted and its pull secrets.
#include "admission/plugins/common.h"
#include "admission/plugins/plugins.h"
#include "admission/plugins/service_account_secrets.h"
#include "codec/json_text.h"
#include "gen/codec.h"

namespace admission {
namespace {

using api::core::v1::Container;
using api::core::v1::Pod;
using api::core::v1::ServiceAccount;
using api::core::v1::Volume;

constexpr std::string_view kTokenPath = "/var/run/secrets/kubernetes.io/serviceaccount";
constexpr std::string_view kVolumePrefix = "kube-api-access-";
constexpr int64_t kTokenSeconds = 3607;

// Five characters of the alphabet of generated names. They need only differ from the Pod's other volumes, so they come
// from what the request is, and a run on virtual time repeats exactly.
std::string suffix(const Attributes& attributes) {
  constexpr std::string_view kAlphabet = "bcdfghjklmnpqrstvwxz2456789";
  uint64_t hash = 14695981039346656037u ^ static_cast<uint64_t>(attributes.now.time_since_epoch().count());
  for (std::string_view part : {std::string_view(attributes.ns), std::string_view(attributes.name)}) {
    for (unsigned char c : part) hash = (hash ^ c) * 1099511628211u;
  }
  std::string out;
  for (int i = 0; i < 5; ++i) {
    hash ^= hash >> 29;
    hash *= 0xbf58476d1ce4e5b9u;
    out += kAlphabet[(hash >> 32) % kAlphabet.size()];
  }
  return out;
}

Volume token_volume(const std::string& name) {
  using namespace api::core::v1;
  Volume volume;
  volume.name = name;
  ProjectedVolumeSource& projected = volume.volume_source.projected.ensure();
  projected.default_mode = 0644;
  ServiceAccountTokenProjection& token = projected.sources.emplace_back().service_account_token.ensure();
  token.path = "token";
  token.expiration_seconds = kTokenSeconds;
  ConfigMapProjection& root = projected.sources.emplace_back().config_map.ensure();
  root.local_object_reference.name = "kube-root-ca.crt";
  KeyToPath& item = root.items.emplace_back();
  item.key = item.path = "ca.crt";
  DownwardAPIVolumeFile& file = projected.sources.emplace_back().downward_api.ensure().items.emplace_back();
  file.path = "namespace";
  ObjectFieldSelector& field = file.field_ref.ensure();
  field.api_version = "v1";
  field.field_path = "metadata.namespace";
  return volume;
}

// Mounts the volume unless the container has something there already. True when it was mounted.
bool mount_token(Container& container, const std::string& volume) {
  for (const auto& mount : container.volume_mounts) {
    if (mount.mount_path == kTokenPath) return false;
  }
  auto& mount = container.volume_mounts.emplace_back();
  mount.name = volume;
  mount.read_only = true;
  mount.mount_path = kTokenPath;
  return true;
}

void mount_tokens(const Attributes& attributes, Pod& pod) {
  std::string name;
  for (const Volume& volume : pod.spec.volumes) {
    if (volume.name.starts_with(kVolumePrefix)) {
      name = volume.name;
      break;
    }
  }
  const bool has_volume = !name.empty();
  if (!has_volume) name = std::string(kVolumePrefix) + suffix(attributes);
  bool needed = false;
  for (Container& container : pod.spec.init_containers) needed |= mount_token(container, name);
  for (Container& container : pod.spec.containers) needed |= mount_token(container, name);
  if (needed && !has_volume) pod.spec.volumes.push_back(token_volume(name));
}

base::Result<ServiceAccount> account_of(const Attributes& attributes, const Pod& pod, const Lookup& lookup) {
  const std::string& name = pod.spec.service_account_name;
  auto raw = lookup.get("", "serviceaccounts", attributes.ns, name);
  if (raw) return gen::decode<ServiceAccount>(*raw);
  return forbid(attributes, "error looking up service account " + attributes.ns + "/" + name + ": serviceaccount " +
                                codec::go_quoted(name) + " not found");
}

class ServiceAccountPlugin final : public Plugin {
 public:
  std::string_view name() const override { return "ServiceAccount"; }

  base::Result<void> admit(Attributes& attributes, const Lookup& lookup) override {
    Pod* pod = created_pod(attributes);
    // Compat: a mirror Pod must stay what its kubelet wrote.
    if (!pod || is_mirror_pod(*pod)) return {};
    auto& spec = pod->spec;
    if (spec.service_account_name.empty()) {
      spec.service_account_name = spec.service_account.empty() ? "default" : spec.service_account;
    }
    spec.service_account = spec.service_account_name;
    TRY_ASSIGN(const ServiceAccount account, account_of(attributes, *pod, lookup));
    const bool automount =
        spec.automount_service_account_token.value_or(account.automount_service_account_token.value_or(true));
    if (automount) mount_tokens(attributes, *pod);
    if (spec.image_pull_secrets.empty()) spec.image_pull_secrets = account.image_pull_secrets;
    return {};
  }

  base::Result<void> validate(const Attributes& attributes, const Lookup& lookup) override {
    if (attributes.operation == Operation::kUpdate && attributes.is("", "pods", "ephemeralcontainers")) {
      return check_ephemeral(attributes, lookup);
    }
    const Pod* pod = created_pod(attributes);
    if (!pod) return {};
    if (is_mirror_pod(*pod)) return check_mirror(attributes, *pod);
    if (pod->spec.service_account_name.empty()) {
      return forbid(attributes, "no service account specified for pod " + attributes.ns + "/" + pod->metadata.name);
    }
    TRY_ASSIGN(const ServiceAccount account, account_of(attributes, *pod, lookup));
    if (!limits_secrets(account)) return {};
    const std::string refusal = secret_refusal(account, *pod);
    return refusal.empty() ? base::Result<void>() : forbid(attributes, refusal);
  }

 private:
  static base::Result<void> check_ephemeral(const Attributes& attributes, const Lookup& lookup) {
    const Pod* pod = object_as<Pod>(attributes);
    if (!pod || pod->spec.service_account_name.empty()) return {};
    TRY_ASSIGN(const ServiceAccount account, account_of(attributes, *pod, lookup));
    if (!limits_secrets(account)) return {};
    const std::string refusal = ephemeral_secret_refusal(account, *pod);
    return refusal.empty() ? base::Result<void>() : forbid(attributes, refusal);
  }

  static base::Result<void> check_mirror(const Attributes& attributes, const Pod& pod) {
    if (!pod.spec.service_account_name.empty()) {
      return forbid(attributes, "a mirror pod may not reference service accounts");
    }
    if (references_secrets(pod)) return forbid(attributes, "a mirror pod may not reference secrets");
    for (const Volume& volume : pod.spec.volumes) {
      if (!volume.volume_source.projected) continue;
      for (const auto& source : volume.volume_source.projected->sources) {
        if (!source.service_account_token) continue;
        return forbid(attributes, "a mirror pod may not use ServiceAccountToken volume projections");
      }
    }
    return {};
  }
};

}  // namespace

std::unique_ptr<Plugin> make_service_account() { return std::make_unique<ServiceAccountPlugin>(); }

}  // namespace admission
