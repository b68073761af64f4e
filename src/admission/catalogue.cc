// The admission plugins, in running order: upstream's.
#include <algorithm>

#include "admission/admission.h"
#include "admission/plugins/plugins.h"
#include "base/log.h"

namespace admission {
namespace {

using Names = std::vector<std::string>;

// All of upstream's.
constexpr std::string_view kKnown[] = {
    "AlwaysAdmit",
    "NamespaceAutoProvision",
    "NamespaceLifecycle",
    "NamespaceExists",
    "LimitPodHardAntiAffinityTopology",
    "LimitRanger",
    "ServiceAccount",
    "NodeRestriction",
    "TaintNodesByCondition",
    "AlwaysPullImages",
    "ImagePolicyWebhook",
    "PodSecurity",
    "PodNodeSelector",
    "Priority",
    "DefaultTolerationSeconds",
    "PodTolerationRestriction",
    "EventRateLimit",
    "ExtendedResourceToleration",
    "DefaultStorageClass",
    "StorageObjectInUseProtection",
    "OwnerReferencesPermissionEnforcement",
    "PersistentVolumeClaimResize",
    "RuntimeClass",
    "CertificateApproval",
    "CertificateSigning",
    "ClusterTrustBundleAttest",
    "CertificateSubjectRestriction",
    "DefaultIngressClass",
    "DenyServiceExternalIPs",
    "PodTopologyLabels",
    "NodeDeclaredFeatureValidator",
    "MutatingAdmissionPolicy",
    "MutatingAdmissionWebhook",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionWebhook",
    "ResourceQuota",
    "AlwaysDeny",
};

base::Result<void> check_known(const Names& names, std::string_view flag) {
  for (const std::string& name : names) {
    if (std::ranges::find(kKnown, name) == std::end(kKnown))
      return base::fail(base::Reason::kInvalid, std::string(flag) + " plugin \"" + name + "\" is unknown");
  }
  return {};
}

bool has(const Names& names, std::string_view name) { return std::ranges::find(names, name) != names.end(); }

}  // namespace

std::vector<std::unique_ptr<Plugin>> default_plugins() {
  std::vector<std::unique_ptr<Plugin>> plugins;
  plugins.push_back(make_namespace_lifecycle());
  plugins.push_back(make_limit_ranger());
  plugins.push_back(make_service_account());
  plugins.push_back(make_taint_nodes_by_condition());
  plugins.push_back(make_pod_security());
  plugins.push_back(make_priority());
  plugins.push_back(make_default_toleration_seconds());
  plugins.push_back(make_default_storage_class());
  plugins.push_back(make_storage_object_in_use_protection());
  plugins.push_back(make_persistent_volume_claim_resize());
  plugins.push_back(make_runtime_class());
  plugins.push_back(make_certificate_subject_restriction());
  plugins.push_back(make_default_ingress_class());
  plugins.push_back(make_pod_topology_labels());
  plugins.push_back(make_resource_quota());
  return plugins;
}

base::Result<std::vector<std::unique_ptr<Plugin>>> choose_plugins(const PluginChoice& choice) {
  TRY(check_known(choice.enable, "enable-admission-plugins"));
  TRY(check_known(choice.disable, "disable-admission-plugins"));
  for (const std::string& name : choice.enable) {
    if (has(choice.disable, name)) {
      return base::fail(base::Reason::kInvalid,
                        "[" + name + "] in enable-admission-plugins and disable-admission-plugins overlapped");
    }
  }
  auto plugins = default_plugins();
  for (const std::string& name : choice.enable) {
    if (!std::ranges::any_of(plugins, [&](const auto& plugin) { return plugin->name() == name; }))
      base::log::warning("admission plugin has no effect yet", {{"plugin", name}});
  }
  std::erase_if(plugins, [&](const auto& plugin) { return has(choice.disable, plugin->name()); });
  return plugins;
}

}  // namespace admission
