// Security contexts, and the annotations that preceded their fields.
#include <algorithm>
#include <cctype>

#include "api/core/pod_validation.h"
#include "object/json.h"
#include "object/names.h"

namespace api {

using core::v1::AppArmorProfile;
using core::v1::SeccompProfile;
using core::v1::SecurityContext;
using object::FieldErrors;
using object::FieldPath;
using object::Value;

namespace {

constexpr std::string_view kSeccompPod = "seccomp.security.alpha.kubernetes.io/pod";
constexpr std::string_view kSeccompContainer = "container.seccomp.security.alpha.kubernetes.io/";
constexpr std::string_view kAppArmorContainer = "container.apparmor.security.beta.kubernetes.io/";
constexpr std::string_view kLocalhost = "localhost/";

void validate_id(const std::optional<int64_t>& id, const FieldPath& path, FieldErrors& errors) {
  if (id && (*id < 0 || *id > INT32_MAX)) errors.invalid(path, *id, inclusive_range_message(0, INT32_MAX));
}

Value nullable(const std::optional<bool>& value) { return value ? Value(*value) : Value(); }
Value nullable(const std::optional<int64_t>& value) { return value ? Value(*value) : Value(); }
Value nullable(const std::optional<std::string>& value) { return value ? Value(*value) : Value(); }
Value strings(const std::vector<std::string>& list) {
  return list.empty() ? Value() : Value(object::Array(list.begin(), list.end()));
}
Value members(std::initializer_list<std::pair<const char*, Value>> list) {
  object::Object out;
  for (const auto& [name, value] : list) out.append(name, value);
  return out;
}

Value to_value(const SeccompProfile& profile) {
  return members({{"Type", profile.type}, {"LocalhostProfile", nullable(profile.localhost_profile)}});
}

// Compat: upstream prints its internal struct, whose members have Go's names.
Value to_value(const SecurityContext& c) {
  Value capabilities, selinux, windows, seccomp, app_armor;
  if (c.capabilities) {
    capabilities = members({{"Add", strings(c.capabilities->add)}, {"Drop", strings(c.capabilities->drop)}});
  }
  if (const auto& o = c.se_linux_options) {
    selinux = members({{"User", o->user}, {"Role", o->role}, {"Type", o->type}, {"Level", o->level}});
  }
  if (const auto& o = c.windows_options) {
    windows = members({{"GMSACredentialSpecName", nullable(o->gmsa_credential_spec_name)},
                       {"GMSACredentialSpec", nullable(o->gmsa_credential_spec)},
                       {"RunAsUserName", nullable(o->run_as_user_name)},
                       {"HostProcess", nullable(o->host_process)}});
  }
  if (c.seccomp_profile) seccomp = to_value(*c.seccomp_profile);
  if (const auto& p = c.app_armor_profile) {
    app_armor = members({{"Type", p->type}, {"LocalhostProfile", nullable(p->localhost_profile)}});
  }
  return members({{"Capabilities", capabilities},
                  {"Privileged", nullable(c.privileged)},
                  {"SELinuxOptions", selinux},
                  {"WindowsOptions", windows},
                  {"RunAsUser", nullable(c.run_as_user)},
                  {"RunAsGroup", nullable(c.run_as_group)},
                  {"RunAsNonRoot", nullable(c.run_as_non_root)},
                  {"ReadOnlyRootFilesystem", nullable(c.read_only_root_filesystem)},
                  {"AllowPrivilegeEscalation", nullable(c.allow_privilege_escalation)},
                  {"ProcMount", nullable(c.proc_mount)},
                  {"SeccompProfile", seccomp},
                  {"AppArmorProfile", app_armor}});
}

void validate_seccomp(const SeccompProfile& profile, const FieldPath& path, FieldErrors& errors) {
  if (profile.type.empty()) {
    errors.required(path.child("type"), "type is required when seccompProfile is set");
  } else if (profile.type != "Localhost" && profile.type != "RuntimeDefault" && profile.type != "Unconfined") {
    errors.not_supported(path.child("type"), profile.type, {"Localhost", "RuntimeDefault", "Unconfined"});
  }
  const FieldPath at = path.child("localhostProfile");
  if (profile.type != "Localhost") {
    if (profile.localhost_profile) {
      errors.invalid(at, to_value(profile), "can only be set when seccomp type is Localhost");
    }
  } else if (!profile.localhost_profile) {
    errors.required(at, "must be set when seccomp type is Localhost");
  } else {
    validate_local_descending_path(*profile.localhost_profile, at, errors);
  }
}

void validate_app_armor_localhost(const std::string& profile, const FieldPath& path, FieldErrors& errors) {
  constexpr int64_t kMaxProfile = 4095;
  auto space = [](unsigned char c) { return std::isspace(c) != 0; };
  if (!profile.empty() &&
      (space(static_cast<unsigned char>(profile.front())) || space(static_cast<unsigned char>(profile.back())))) {
    errors.invalid(path, profile, "must not be padded with whitespace");
  } else if (profile.empty()) {
    errors.required(path, "must be set when AppArmor type is Localhost");
  }
  if (static_cast<int64_t>(profile.size()) > kMaxProfile) errors.too_long(path, kMaxProfile);
}

void validate_app_armor(const AppArmorProfile& profile, const FieldPath& path, FieldErrors& errors) {
  const FieldPath localhost = path.child("localhostProfile");
  if (profile.type == "Localhost") {
    if (!profile.localhost_profile) {
      errors.required(localhost, "must be set when AppArmor type is Localhost");
    } else {
      validate_app_armor_localhost(*profile.localhost_profile, localhost, errors);
    }
  } else if (profile.type == "RuntimeDefault" || profile.type == "Unconfined") {
    if (profile.localhost_profile) {
      errors.invalid(localhost, *profile.localhost_profile, "can only be set when AppArmor type is Localhost");
    }
  } else if (profile.type.empty()) {
    errors.required(path.child("type"), "type is required when appArmorProfile is set");
  } else {
    errors.not_supported(path.child("type"), profile.type, {"Localhost", "RuntimeDefault", "Unconfined"});
  }
}

// Segments of [a-z0-9]([-_a-z0-9]*[a-z0-9])? joined by "." or "/".
bool valid_sysctl(std::string_view name) {
  constexpr size_t kMaxSysctl = 253;
  if (name.empty() || name.size() > kMaxSysctl) return false;
  auto edge = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  while (true) {
    const size_t end = std::min(name.find_first_of("./"), name.size());
    const std::string_view segment = name.substr(0, end);
    if (segment.empty() || !edge(segment.front()) || !edge(segment.back())) return false;
    if (!std::ranges::all_of(segment, [&](char c) { return edge(c) || c == '-' || c == '_'; })) return false;
    if (end == name.size()) return true;
    name.remove_prefix(end + 1);
  }
}

// "net", "ipc" or "" for a sysctl's namespace; the name may be spelt with "/".
std::string_view sysctl_namespace(std::string name) {
  const size_t first = name.find_first_of("./");
  if (first != std::string::npos && name[first] == '/') {
    for (char& c : name) c = c == '/' ? '.' : c == '.' ? '/' : c;
  }
  if (name.starts_with("net.")) return "net";
  if (name == "kernel.sem" || name.starts_with("kernel.shm") || name.starts_with("kernel.msg") ||
      name.starts_with("fs.mqueue.")) {
    return "ipc";
  }
  return "";
}

void validate_sysctls(const PodCheck& check, const FieldPath& path) {
  FieldErrors& errors = check.errors;
  std::set<std::string_view> seen;
  const auto& sysctls = check.spec.security_context->sysctls;
  for (size_t i = 0; i < sysctls.size(); ++i) {
    const std::string& name = sysctls[i].name;
    const FieldPath item = path.index(i);
    const FieldPath at = item.child("name");
    if (name.empty()) {
      errors.required(at);
    } else if (!valid_sysctl(name)) {
      errors.invalid(at, name,
                     "must have at most 253 characters and match regex "
                     "^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$");
    } else if (seen.contains(name)) {
      errors.duplicate(at, name);
    }
    if (!check.options.allow_sysctls_with_host_namespaces) {
      const std::string_view space = sysctl_namespace(name);
      if (check.spec.host_network && space == "net") {
        errors.invalid(at, name, "may not be specified when 'hostNetwork' is true");
      } else if (check.spec.host_ipc && space == "ipc") {
        errors.invalid(at, name, "may not be specified when 'hostIPC' is true");
      }
    }
    seen.insert(name);
  }
}

void validate_one_of(const std::optional<std::string>& value, std::initializer_list<std::string_view> supported,
                     const FieldPath& path, FieldErrors& errors) {
  if (value && std::ranges::find(supported, *value) == supported.end()) errors.not_supported(path, *value, supported);
}

void validate_seccomp_annotation(const std::string& value, const FieldPath& path, FieldErrors& errors) {
  if (value == "runtime/default" || value == "docker/default" || value == "unconfined") return;
  if (value.starts_with(kLocalhost))
    return validate_local_descending_path(value.substr(kLocalhost.size()), path, errors);
  errors.invalid(path, value, "must be a valid seccomp profile");
}

void match_seccomp(const std::string& annotation, const SeccompProfile& profile, const FieldPath& path,
                   FieldErrors& errors) {
  constexpr std::string_view kType = "seccomp type in annotation and field must match";
  if (profile.type == "Unconfined") {
    if (annotation != "unconfined") errors.forbidden(path.child("type"), kType);
  } else if (profile.type == "RuntimeDefault") {
    if (annotation != "runtime/default" && annotation != "docker/default") errors.forbidden(path.child("type"), kType);
  } else if (profile.type == "Localhost") {
    if (!annotation.starts_with(kLocalhost)) {
      errors.forbidden(path.child("type"), kType);
    } else if (profile.localhost_profile != annotation.substr(kLocalhost.size())) {
      errors.forbidden(path.child("localhostProfile"), "seccomp profile in annotation and field must match");
    }
  }
}

void match_app_armor(const std::string& annotation, const AppArmorProfile& profile, const FieldPath& path,
                     FieldErrors& errors) {
  constexpr std::string_view kType = "apparmor type in annotation and field must match";
  if (profile.type == "Unconfined") {
    if (annotation != "unconfined") errors.forbidden(path.child("type"), kType);
  } else if (profile.type == "RuntimeDefault") {
    if (annotation != "runtime/default") errors.forbidden(path.child("type"), kType);
  } else if (profile.type == "Localhost") {
    if (!annotation.starts_with(kLocalhost)) {
      errors.forbidden(path.child("type"), kType);
    } else if (profile.localhost_profile != annotation.substr(kLocalhost.size())) {
      errors.forbidden(path.child("localhostProfile"), "apparmor profile in annotation and field must match");
    }
  }
}

}  // namespace

bool valid_app_armor_profile(const AppArmorProfile& profile) {
  FieldErrors errors;
  validate_app_armor(profile, FieldPath(), errors);
  return errors.empty();
}

void validate_pod_security_context(const PodCheck& check, const FieldPath& spec_path) {
  if (!check.spec.security_context) return;
  FieldErrors& errors = check.errors;
  const auto& context = *check.spec.security_context;
  const FieldPath path = spec_path.child("securityContext");
  validate_id(context.fs_group, path.child("fsGroup"), errors);
  validate_id(context.run_as_user, path.child("runAsUser"), errors);
  validate_id(context.run_as_group, path.child("runAsGroup"), errors);
  const FieldPath groups = path.child("supplementalGroups");
  for (size_t i = 0; i < context.supplemental_groups.size(); ++i) {
    validate_id(context.supplemental_groups[i], groups.index(i), errors);
  }
  if (check.spec.share_process_namespace.value_or(false) && check.spec.host_pid) {
    errors.invalid(path.child("shareProcessNamespace"), true,
                   "ShareProcessNamespace and HostPID cannot both be enabled");
  }
  validate_sysctls(check, path.child("sysctls"));
  validate_one_of(context.fs_group_change_policy, {"Always", "OnRootMismatch"}, path.child("fsGroupChangePolicy"),
                  errors);
  if (context.seccomp_profile) validate_seccomp(*context.seccomp_profile, path.child("seccompProfile"), errors);
  if (context.windows_options) validate_windows_options(*context.windows_options, path.child("windowsOptions"), errors);
  if (context.app_armor_profile) validate_app_armor(*context.app_armor_profile, path.child("appArmorProfile"), errors);
  validate_one_of(context.supplemental_groups_policy, {"Merge", "Strict"}, path.child("supplementalGroupsPolicy"),
                  errors);
  validate_one_of(context.se_linux_change_policy, {"MountOption", "Recursive"}, path.child("seLinuxChangePolicy"),
                  errors);
}

void validate_container_security_context(const PodCheck& check, const SecurityContext& context, const FieldPath& path) {
  FieldErrors& errors = check.errors;
  const bool privileged = context.privileged.value_or(false);
  if (privileged && check.options.privileged == Privileged::kRefused) {
    errors.forbidden(path.child("privileged"), "disallowed by cluster policy");
  }
  validate_id(context.run_as_user, path.child("runAsUser"), errors);
  validate_id(context.run_as_group, path.child("runAsGroup"), errors);
  if (context.proc_mount) {
    validate_one_of(context.proc_mount, {"Default", "Unmasked"}, path.child("procMount"), errors);
    if (check.host_users() && *context.proc_mount == "Unmasked") {
      errors.invalid(path.child("procMount"), *context.proc_mount, "`hostUsers` must be false to use `Unmasked`");
    }
  }
  if (context.seccomp_profile) validate_seccomp(*context.seccomp_profile, path.child("seccompProfile"), errors);
  if (context.allow_privilege_escalation == false) {
    if (privileged) {
      errors.invalid(path, to_value(context),
                     "cannot set `allowPrivilegeEscalation` to false and `privileged` to true");
    }
    if (context.capabilities && std::ranges::count(context.capabilities->add, "CAP_SYS_ADMIN") > 0) {
      errors.invalid(path, to_value(context),
                     "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN");
    }
  }
  if (context.windows_options) validate_windows_options(*context.windows_options, path.child("windowsOptions"), errors);
  if (context.app_armor_profile) validate_app_armor(*context.app_armor_profile, path.child("appArmorProfile"), errors);
}

void validate_security_annotations(const StringMap& annotations, const core::v1::PodSpec& spec, const FieldPath& path,
                                   FieldErrors& errors) {
  if (const auto pod = annotations.find(std::string(kSeccompPod)); pod != annotations.end()) {
    validate_seccomp_annotation(pod->second, path.child(kSeccompPod), errors);
  }
  for (const auto& [key, value] : annotations) {
    if (key.starts_with(kSeccompContainer)) validate_seccomp_annotation(value, path.child(key), errors);
  }
  for (const auto& [key, value] : annotations) {
    if (!key.starts_with(kAppArmorContainer)) continue;
    const std::string container = key.substr(kAppArmorContainer.size());
    bool found = false;
    visit_containers(spec, FieldPath(), [&](const auto& each, const FieldPath&) { found |= each.name == container; });
    if (!found) errors.invalid(path.key(key), container, "container not found");
    if (value.empty() || value == "runtime/default" || value == "unconfined" || value.starts_with(kLocalhost)) continue;
    errors.invalid(path.key(key), value, "invalid AppArmor profile name: " + object::BadValue(value).text());
  }
}

void validate_security_annotations_match(const StringMap& annotations, const core::v1::PodSpec& spec,
                                         const FieldPath& spec_path, FieldErrors& errors) {
  if (annotations.empty()) return;
  const auto& context = spec.security_context;
  if (context && context->seccomp_profile) {
    if (const auto found = annotations.find(std::string(kSeccompPod)); found != annotations.end()) {
      const FieldPath at = spec_path.child("securityContext");
      match_seccomp(found->second, *context->seccomp_profile, at.child("seccompProfile"), errors);
    }
  }
  visit_containers(spec, spec_path, [&](const core::v1::Container& container, const FieldPath& path) {
    if (!container.security_context || !container.security_context->seccomp_profile) return;
    const auto found = annotations.find(std::string(kSeccompContainer) + container.name);
    if (found == annotations.end()) return;
    const FieldPath at = path.child("securityContext");
    match_seccomp(found->second, *container.security_context->seccomp_profile, at.child("seccompProfile"), errors);
  });
  if (spec.os && spec.os->name == "windows") return;
  visit_containers(spec, spec_path, [&](const core::v1::Container& container, const FieldPath& path) {
    const AppArmorProfile* profile = context ? context->app_armor_profile.get() : nullptr;
    const auto& own = container.security_context;
    if (own && own->app_armor_profile) profile = own->app_armor_profile.get();
    const auto found = annotations.find(std::string(kAppArmorContainer) + container.name);
    if (!profile || found == annotations.end()) return;
    const FieldPath at = path.child("securityContext");
    match_app_armor(found->second, *profile, at.child("appArmorProfile"), errors);
  });
}

}  // namespace api
