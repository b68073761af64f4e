#include <algorithm>

#include "api/core/service.h"
#include "api/shared/checks.h"
#include "object/names.h"

namespace api {
namespace {

using core::v1::Service;

std::string_view family_of(std::string_view text) {
  object::IpAddress ip;
  return object::parse_ip(text, ip) && ip.is_v4() ? "IPv4" : "IPv6";
}

std::string other_family(std::string_view family) { return family == "IPv4" ? "IPv6" : "IPv4"; }

enum class Ips : uint8_t { kFine, kMalformed };

Ips check_ips(const Service& service, const FieldPath& path, FieldErrors& errors) {
  const auto& ips = service.spec.cluster_ips;
  Ips result = Ips::kFine;
  for (size_t i = 0; i < ips.size(); ++i) {
    if (i == 0 && ips[i] == "None") {
      if (ips.size() > 1) {
        errors.invalid(path, shown(ips), "'None' must be the first and only value");
        result = Ips::kMalformed;
      }
      continue;
    }
    const auto messages = object::validate_ip(ips[i]);
    errors.invalid_each(path.index(i), ips[i], messages);
    if (!messages.empty()) result = Ips::kMalformed;
  }
  if (ips.size() > 2) errors.invalid(path, shown(ips), "may only hold up to 2 values");
  return result;
}

void check_families(const Service& service, const FieldPath& spec, FieldErrors& errors) {
  const auto& families = service.spec.ip_families;
  const FieldPath path = spec.child("ipFamilies");
  for (size_t i = 0; i < families.size(); ++i) {
    if (families[i] != "IPv4" && families[i] != "IPv6") {
      errors.not_supported(path.index(i), families[i], {"IPv4", "IPv6"});
    }
    if (std::find(families.begin(), families.begin() + static_cast<std::ptrdiff_t>(i), families[i]) !=
        families.begin() + static_cast<std::ptrdiff_t>(i)) {
      errors.duplicate(path.index(i), families[i]);
    }
  }
  if (!service.spec.ip_family_policy) return;
  const std::string& policy = *service.spec.ip_family_policy;
  if (policy != "SingleStack" && policy != "PreferDualStack" && policy != "RequireDualStack") {
    errors.not_supported(spec.child("ipFamilyPolicy"), policy, {"PreferDualStack", "RequireDualStack", "SingleStack"});
  }
}

}  // namespace

void validate_service_cluster_ips(const Service& service, FieldErrors& errors) {
  if (service.spec.type == "ExternalName") return;
  const FieldPath spec("spec");
  const FieldPath path = spec.child("clusterIPs");
  const auto& ips = service.spec.cluster_ips;
  if (service.spec.cluster_ip.empty()) {
    if (!ips.empty()) errors.invalid(path, shown(ips), "must be empty when `clusterIP` is not specified");
  } else if (ips.empty()) {
    errors.required(path);
  } else if (ips[0] != service.spec.cluster_ip) {
    errors.invalid(path, shown(ips), "first value must match `clusterIP`");
  }
  check_families(service, spec, errors);
  // Malformed addresses would only skew what follows.
  if (check_ips(service, path, errors) == Ips::kMalformed) return;
  if (ips.size() > 1 && family_of(ips[0]) == family_of(ips[1])) {
    errors.invalid(path, shown(ips), "may specify no more than one IP for each IP family");
  }
  if (service_is_headless(service)) return;
  for (size_t i = 0; i < std::min(ips.size(), service.spec.ip_families.size()); ++i) {
    const std::string& family = service.spec.ip_families[i];
    if (family == family_of(ips[i]) || (family != "IPv4" && family != "IPv6")) continue;
    errors.invalid(path.index(i), ips[i],
                   "expected an " + family + " value as indicated by `ipFamilies[" + std::to_string(i) + "]`");
  }
}

namespace {

// Compat: a service that prefers two stacks is not moved when the cluster gains or loses one.
bool unchanged_prefer_dual_stack(const Service& service, const Service* old) {
  if (!old || service.spec.ip_family_policy != "PreferDualStack") return false;
  return old->spec.ip_family_policy == "PreferDualStack" && service.spec.cluster_ip == old->spec.cluster_ip &&
         service.spec.cluster_ips == old->spec.cluster_ips && service.spec.ip_families == old->spec.ip_families;
}

// Without selector and address a service may name families that the cluster does not have.
void init_headless_without_selector(Service& service, const std::vector<std::string>& configured) {
  auto& spec = service.spec;
  if (!spec.ip_family_policy) spec.ip_family_policy = "RequireDualStack";
  if (spec.ip_families.empty()) spec.ip_families.push_back(configured.front());
  if (*spec.ip_family_policy != "SingleStack" && spec.ip_families.size() == 1) {
    spec.ip_families.push_back(other_family(spec.ip_families[0]));
  }
}

void check_against_cluster(const Service& service, const std::vector<std::string>& configured, FieldErrors& errors) {
  const auto& spec = service.spec;
  const FieldPath path("spec");
  const FieldPath families = path.child("ipFamilies"), policy = path.child("ipFamilyPolicy");
  for (size_t i = 0; i < spec.ip_families.size(); ++i) {
    if (std::ranges::find(configured, spec.ip_families[i]) == configured.end()) {
      errors.invalid(families.index(i), spec.ip_families[i], "not configured on this cluster");
    }
  }
  if (*spec.ip_family_policy == "SingleStack") {
    if (spec.cluster_ips.size() == 2) {
      errors.invalid(policy, *spec.ip_family_policy,
                     "must be RequireDualStack or PreferDualStack when multiple `clusterIPs` are specified");
    }
    if (spec.ip_families.size() == 2) {
      errors.invalid(policy, *spec.ip_family_policy,
                     "must be RequireDualStack or PreferDualStack when multiple `ipFamilies` are specified");
    }
  }
  if (*spec.ip_family_policy == "RequireDualStack" && configured.size() < 2) {
    errors.invalid(policy, *spec.ip_family_policy, "this cluster is not configured for dual-stack services");
  }
}

}  // namespace

void init_service_ip_families(Service& service, const Service* old, const std::vector<std::string>& configured,
                              FieldErrors& errors) {
  auto& spec = service.spec;
  if (spec.type == "ExternalName" || configured.empty() || unchanged_prefer_dual_stack(service, old)) return;
  FieldErrors loose;
  validate_service_cluster_ips(service, loose);
  if (!loose.empty()) return errors.append(std::move(loose));
  if (service_is_headless(service) && spec.selector.empty()) {
    return init_headless_without_selector(service, configured);
  }
  if (!spec.ip_family_policy) {
    const bool dual = spec.cluster_ips.size() == 2 || spec.ip_families.size() == 2;
    spec.ip_family_policy = dual ? "RequireDualStack" : "SingleStack";
  }
  const size_t given = spec.ip_families.size();
  for (size_t i = given; i < spec.cluster_ips.size() && spec.cluster_ips[i] != "None"; ++i) {
    const std::string family(family_of(spec.cluster_ips[i]));
    if (std::ranges::find(configured, family) == configured.end()) {
      const FieldPath path("spec"), ips = path.child("clusterIPs");
      errors.invalid(ips.index(i), shown(spec.cluster_ips), family + " is not configured on this cluster");
    } else {
      spec.ip_families.push_back(family);
    }
  }
  check_against_cluster(service, configured, errors);
  if (!errors.empty()) return;
  if (spec.ip_families.empty()) spec.ip_families.push_back(configured.front());
  if (*spec.ip_family_policy != "SingleStack" && spec.ip_families.size() == 1 && configured.size() > 1) {
    spec.ip_families.push_back(other_family(spec.ip_families[0]));
  }
}

}  // namespace api
