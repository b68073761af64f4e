#include "admission/plugins/pod_security_checks.h"

#include <algorithm>
#include <optional>
#include <set>
#include <span>
#include <string_view>

#include "admission/plugins/common.h"
#include "admission/plugins/pod_security_subject.h"

namespace admission::pod_security {
namespace {

using Found = std::optional<Violation>;

template <typename T>
bool is_true(const std::optional<T>& value) {
  return value.has_value() && *value;
}

bool windows(const Subject& subject) { return subject.spec.os && subject.spec.os->name == "windows"; }
// Compat: from 1.35 on, user namespaces make some things harmless.
bool in_user_namespace(const Subject& subject) {
  return subject.minor >= 35 && subject.spec.host_users && !*subject.spec.host_users;
}

// --- baseline

Found app_armor(const Subject& subject) {
  const auto allowed = [](const auto& profile) {
    return profile.type == "RuntimeDefault" || profile.type == "Localhost";
  };
  Setters setters;
  std::set<std::string> types;
  const auto* context = subject.spec.security_context.get();
  if (context && context->app_armor_profile && !allowed(*context->app_armor_profile)) {
    setters.pod = true;
    types.insert(context->app_armor_profile->type);
  }
  for (const ContainerView& c : subject.containers) {
    if (!c.security || !c.security->app_armor_profile || allowed(*c.security->app_armor_profile)) continue;
    setters.containers.push_back(c.name);
    types.insert(c.security->app_armor_profile->type);
  }
  std::vector<std::string> values(types.begin(), types.end());
  std::vector<std::string> annotations;
  for (const auto& [key, value] : subject.metadata.annotations) {
    if (!key.starts_with("container.apparmor.security.beta.kubernetes.io/")) continue;
    if (value.empty() || value == "runtime/default" || value.starts_with("localhost/")) continue;
    annotations.push_back(key + "=\"" + value + "\"");
  }
  std::string who = setters.to_string();
  if (!annotations.empty()) {
    who += (who.empty() ? "" : " and ") + plural("annotation", annotations.size());
    values.insert(values.end(), annotations.begin(), annotations.end());
  }
  if (who.empty()) return std::nullopt;
  return Violation{plural("forbidden AppArmor profile", values.size()),
                   who + " must not set AppArmor profile type to " + quoted(values)};
}

Found capabilities_baseline(const Subject& subject) {
  constexpr std::string_view kAllowed[] = {"AUDIT_WRITE", "CHOWN",  "DAC_OVERRIDE",     "FOWNER",  "FSETID",
                                           "KILL",        "MKNOD",  "NET_BIND_SERVICE", "SETFCAP", "SETGID",
                                           "SETPCAP",     "SETUID", "SYS_CHROOT"};
  std::vector<std::string> containers;
  std::set<std::string> bad;
  for (const ContainerView& c : subject.containers) {
    if (!c.security || !c.security->capabilities) continue;
    bool valid = true;
    for (const std::string& added : c.security->capabilities->add) {
      if (std::ranges::find(kAllowed, added) != std::end(kAllowed)) continue;
      valid = false;
      bad.insert(added);
    }
    if (!valid) containers.push_back(c.name);
  }
  if (containers.empty()) return std::nullopt;
  return Violation{"non-default capabilities", named_containers(containers) + " must not include " + quoted(bad) +
                                                   " in securityContext.capabilities.add"};
}

Found host_namespaces(const Subject& subject) {
  std::vector<std::string> set;
  if (subject.spec.host_network) set.emplace_back("hostNetwork=true");
  if (subject.spec.host_pid) set.emplace_back("hostPID=true");
  if (subject.spec.host_ipc) set.emplace_back("hostIPC=true");
  if (set.empty()) return std::nullopt;
  return Violation{"host namespaces", joined(set, ", ")};
}

Found host_path_volumes(const Subject& subject) {
  std::vector<std::string> volumes;
  for (const auto& volume : subject.spec.volumes) {
    if (volume.volume_source.host_path) volumes.push_back(volume.name);
  }
  if (volumes.empty()) return std::nullopt;
  return Violation{"hostPath volumes", plural("volume", volumes.size()) + " " + quoted(volumes)};
}

Found host_ports(const Subject& subject) {
  std::vector<std::string> containers;
  std::set<std::string> ports;
  for (const ContainerView& c : subject.containers) {
    bool valid = true;
    for (const auto& port : *c.ports) {
      if (port.host_port == 0) continue;
      valid = false;
      ports.insert(std::to_string(port.host_port));
    }
    if (!valid) containers.push_back(c.name);
  }
  if (containers.empty()) return std::nullopt;
  return Violation{"hostPort", named_containers(containers) + (containers.size() == 1 ? " uses " : " use ") +
                                   plural("hostPort", ports.size()) + " " + joined(ports, ", ")};
}

template <typename Handler>
bool add_hosts(const Handler& handler, std::set<std::string>& hosts) {
  bool found = false;
  if (handler.http_get && !handler.http_get->host.empty()) {
    hosts.insert(handler.http_get->host);
    found = true;
  }
  if (handler.tcp_socket && !handler.tcp_socket->host.empty()) {
    hosts.insert(handler.tcp_socket->host);
    found = true;
  }
  return found;
}

Found host_probes(const Subject& subject) {
  std::set<std::string> containers, hosts;
  for (const ContainerView& c : subject.containers) {
    bool found = false;
    for (const auto* probe : c.probes) {
      if (probe && add_hosts(probe->handler, hosts)) found = true;
    }
    if (c.lifecycle && c.lifecycle->post_start && add_hosts(*c.lifecycle->post_start, hosts)) found = true;
    if (c.lifecycle && c.lifecycle->pre_stop && add_hosts(*c.lifecycle->pre_stop, hosts)) found = true;
    if (found) containers.insert(c.name);
  }
  if (containers.empty()) return std::nullopt;
  return Violation{"probe or lifecycle host", plural("container", containers.size()) + " " + quoted(containers) +
                                                  (containers.size() == 1 ? " uses " : " use ") +
                                                  plural("probe or lifecycle host", hosts.size()) + " " +
                                                  quoted(hosts)};
}

Found privileged(const Subject& subject) {
  std::vector<std::string> containers;
  for (const ContainerView& c : subject.containers) {
    if (c.security && is_true(c.security->privileged)) containers.push_back(c.name);
  }
  if (containers.empty()) return std::nullopt;
  return Violation{"privileged", named_containers(containers) + " must not set securityContext.privileged=true"};
}

Found proc_mount_restricted(const Subject& subject) {
  std::vector<std::string> containers;
  std::set<std::string> types;
  for (const ContainerView& c : subject.containers) {
    if (!c.security || c.security->proc_mount.value_or("Default") == "Default") continue;
    containers.push_back(c.name);
    types.insert(*c.security->proc_mount);
  }
  if (containers.empty()) return std::nullopt;
  return Violation{"procMount",
                   named_containers(containers) + " must not set securityContext.procMount to " + quoted(types)};
}

Found proc_mount(const Subject& subject) {
  return in_user_namespace(subject) ? std::nullopt : proc_mount_restricted(subject);
}

Found se_linux_options(const Subject& subject) {
  std::set<std::string> types;
  bool user = false, role = false;
  const auto valid = [&](const api::core::v1::SELinuxOptions& options) {
    const std::string& type = options.type;
    const bool type_valid = type.empty() || type == "container_t" || type == "container_init_t" ||
                            type == "container_kvm_t" || (type == "container_engine_t" && subject.minor >= 31);
    if (!type_valid) types.insert(type);
    user = user || !options.user.empty();
    role = role || !options.role.empty();
    return type_valid && options.user.empty() && options.role.empty();
  };
  Setters setters;
  const auto* context = subject.spec.security_context.get();
  setters.pod = context && context->se_linux_options && !valid(*context->se_linux_options);
  for (const ContainerView& c : subject.containers) {
    if (c.security && c.security->se_linux_options && !valid(*c.security->se_linux_options)) {
      setters.containers.push_back(c.name);
    }
  }
  if (setters.empty()) return std::nullopt;
  std::vector<std::string> bad;
  if (!types.empty()) bad.push_back(plural("type", types.size()) + " " + quoted(types));
  if (user) bad.emplace_back("user may not be set");
  if (role) bad.emplace_back("role may not be set");
  return Violation{"seLinuxOptions",
                   setters.to_string() + " set forbidden securityContext.seLinuxOptions: " + joined(bad, "; ")};
}

// Before 1.19 profiles were annotations.
Found seccomp_annotations(const Subject& subject) {
  std::set<std::string> bad;
  const auto look = [&](const std::string& key) {
    auto found = subject.metadata.annotations.find(key);
    if (found == subject.metadata.annotations.end()) return;
    const std::string& value = found->second;
    if (value == "runtime/default" || value == "docker/default" || value.starts_with("localhost/")) return;
    bad.insert(key + "=\"" + value + "\"");
  };
  look("seccomp.security.alpha.kubernetes.io/pod");
  for (const ContainerView& c : subject.containers) look("container.seccomp.security.alpha.kubernetes.io/" + c.name);
  if (bad.empty()) return std::nullopt;
  return Violation{"seccompProfile", "forbidden " + plural("annotation", bad.size()) + " " + joined(bad, ", ")};
}

// Those that set a profile that is not allowed, and (`missing`) the containers that have none at all.
Found seccomp_set_badly(const Subject& subject, std::vector<std::string>& missing) {
  const auto valid = [](const auto& profile) {
    return profile.type == "Localhost" || profile.type == "RuntimeDefault";
  };
  Setters setters;
  std::set<std::string> types;
  bool pod_has_one = false;
  const auto* context = subject.spec.security_context.get();
  if (context && context->seccomp_profile) {
    pod_has_one = valid(*context->seccomp_profile);
    setters.pod = !pod_has_one;
    if (setters.pod) types.insert(context->seccomp_profile->type);
  }
  for (const ContainerView& c : subject.containers) {
    if (!c.security || !c.security->seccomp_profile) {
      if (!pod_has_one) missing.push_back(c.name);
    } else if (!valid(*c.security->seccomp_profile)) {
      setters.containers.push_back(c.name);
      types.insert(c.security->seccomp_profile->type);
    }
  }
  if (setters.empty()) return std::nullopt;
  return Violation{"seccompProfile",
                   setters.to_string() + " must not set securityContext.seccompProfile.type to " + quoted(types)};
}

Found seccomp_baseline(const Subject& subject) {
  if (subject.minor < 19) return seccomp_annotations(subject);
  std::vector<std::string> missing;
  return seccomp_set_badly(subject, missing);
}

Found sysctls(const Subject& subject) {
  struct Safe {
    std::string_view name;
    int from;
  };
  constexpr Safe kSafe[] = {{"kernel.shm_rmid_forced", 0},
                            {"net.ipv4.ip_local_port_range", 0},
                            {"net.ipv4.tcp_syncookies", 0},
                            {"net.ipv4.ping_group_range", 0},
                            {"net.ipv4.ip_unprivileged_port_start", 0},
                            {"net.ipv4.ip_local_reserved_ports", 27},
                            {"net.ipv4.tcp_keepalive_time", 29},
                            {"net.ipv4.tcp_fin_timeout", 29},
                            {"net.ipv4.tcp_keepalive_intvl", 29},
                            {"net.ipv4.tcp_keepalive_probes", 29},
                            {"net.ipv4.tcp_rmem", 32},
                            {"net.ipv4.tcp_wmem", 32}};
  if (!subject.spec.security_context) return std::nullopt;
  std::vector<std::string> bad;
  for (const auto& sysctl : subject.spec.security_context->sysctls) {
    const bool safe =
        std::ranges::any_of(kSafe, [&](const Safe& s) { return s.name == sysctl.name && s.from <= subject.minor; });
    if (!safe) bad.push_back(sysctl.name);
  }
  if (bad.empty()) return std::nullopt;
  return Violation{"forbidden sysctls", joined(bad, ", ")};
}

Found windows_host_process(const Subject& subject) {
  const auto set = [](const auto* context) {
    return context && context->windows_options && is_true(context->windows_options->host_process);
  };
  Setters setters;
  setters.pod = set(subject.spec.security_context.get());
  for (const ContainerView& c : subject.containers) {
    if (set(c.security)) setters.containers.push_back(c.name);
  }
  if (setters.empty()) return std::nullopt;
  return Violation{"hostProcess",
                   setters.to_string() + " must not set securityContext.windowsOptions.hostProcess=true"};
}

// --- restricted

Found allow_privilege_escalation(const Subject& subject) {
  if (subject.minor >= 25 && windows(subject)) return std::nullopt;
  std::vector<std::string> containers;
  for (const ContainerView& c : subject.containers) {
    if (!c.security || c.security->allow_privilege_escalation.value_or(true)) containers.push_back(c.name);
  }
  if (containers.empty()) return std::nullopt;
  return Violation{"allowPrivilegeEscalation != false",
                   named_containers(containers) + " must set securityContext.allowPrivilegeEscalation=false"};
}

Found capabilities_restricted(const Subject& subject) {
  if (subject.minor >= 25 && windows(subject)) return std::nullopt;
  std::vector<std::string> not_dropping, adding;
  std::set<std::string> added;
  for (const ContainerView& c : subject.containers) {
    const auto* capabilities = c.security ? c.security->capabilities.get() : nullptr;
    if (!capabilities || std::ranges::find(capabilities->drop, "ALL") == capabilities->drop.end()) {
      not_dropping.push_back(c.name);
    }
    if (!capabilities) continue;
    bool bad = false;
    for (const std::string& name : capabilities->add) {
      if (name == "NET_BIND_SERVICE") continue;
      bad = true;
      added.insert(name);
    }
    if (bad) adding.push_back(c.name);
  }
  std::vector<std::string> details;
  if (!not_dropping.empty()) {
    details.push_back(named_containers(not_dropping) + " must set securityContext.capabilities.drop=[\"ALL\"]");
  }
  if (!adding.empty()) {
    details.push_back(named_containers(adding) + " must not include " + quoted(added) +
                      " in securityContext.capabilities.add");
  }
  if (details.empty()) return std::nullopt;
  return Violation{"unrestricted capabilities", joined(details, "; ")};
}

Found restricted_volumes(const Subject& subject) {
  std::vector<std::string> volumes;
  std::set<std::string> types;
  for (const auto& volume : subject.spec.volumes) {
    const std::string_view type = restricted_volume_type(volume.volume_source);
    if (type.empty()) continue;
    volumes.push_back(volume.name);
    types.emplace(type);
  }
  if (volumes.empty()) return std::nullopt;
  return Violation{"restricted volume types", plural("volume", volumes.size()) + " " + quoted(volumes) +
                                                  (volumes.size() == 1 ? " uses " : " use ") +
                                                  plural("restricted volume type", types.size()) + " " + quoted(types)};
}

Found run_as_non_root(const Subject& subject) {
  if (in_user_namespace(subject)) return std::nullopt;
  Setters setters;
  std::vector<std::string> missing;
  const auto* context = subject.spec.security_context.get();
  const bool pod_non_root = context && is_true(context->run_as_non_root);
  setters.pod = context && context->run_as_non_root && !pod_non_root;
  for (const ContainerView& c : subject.containers) {
    if (!c.security || !c.security->run_as_non_root) {
      if (!pod_non_root) missing.push_back(c.name);
    } else if (!*c.security->run_as_non_root) {
      setters.containers.push_back(c.name);
    }
  }
  if (!setters.empty()) {
    return Violation{"runAsNonRoot != true", setters.to_string() + " must not set securityContext.runAsNonRoot=false"};
  }
  if (missing.empty()) return std::nullopt;
  return Violation{"runAsNonRoot != true",
                   "pod or " + named_containers(missing) + " must set securityContext.runAsNonRoot=true"};
}

Found run_as_user(const Subject& subject) {
  if (in_user_namespace(subject)) return std::nullopt;
  const auto root = [](const auto* context) { return context && context->run_as_user.value_or(1) == 0; };
  Setters setters;
  setters.pod = root(subject.spec.security_context.get());
  for (const ContainerView& c : subject.containers) {
    if (root(c.security)) setters.containers.push_back(c.name);
  }
  if (setters.empty()) return std::nullopt;
  return Violation{"runAsUser=0", setters.to_string() + " must not set runAsUser=0"};
}

Found seccomp_restricted(const Subject& subject) {
  if (subject.minor >= 25 && windows(subject)) return std::nullopt;
  std::vector<std::string> missing;
  if (Found bad = seccomp_set_badly(subject, missing)) return bad;
  if (missing.empty()) return std::nullopt;
  return Violation{"seccompProfile",
                   "pod or " + named_containers(missing) +
                       " must set securityContext.seccompProfile.type to \"RuntimeDefault\" or \"Localhost\""};
}

// --- the standards

constexpr int kNever = 1000;

struct Check {
  Level level;
  int from;             // first minor version that has it
  int overridden_from;  // first minor version whose restricted level has a stricter check in its place
  Found (*run)(const Subject& subject);
};

// In upstream's order: baseline by id, then restricted by id.
constexpr Check kChecks[] = {
    {Level::kBaseline, 0, kNever, app_armor},
    {Level::kBaseline, 0, 22, capabilities_baseline},
    {Level::kBaseline, 0, kNever, host_namespaces},
    {Level::kBaseline, 0, 0, host_path_volumes},
    {Level::kBaseline, 0, kNever, host_ports},
    {Level::kBaseline, 34, kNever, host_probes},
    {Level::kBaseline, 0, kNever, privileged},
    {Level::kBaseline, 0, 35, proc_mount},
    {Level::kBaseline, 0, kNever, se_linux_options},
    {Level::kBaseline, 0, 19, seccomp_baseline},
    {Level::kBaseline, 0, kNever, sysctls},
    {Level::kBaseline, 0, kNever, windows_host_process},
    {Level::kRestricted, 8, kNever, allow_privilege_escalation},
    {Level::kRestricted, 22, kNever, capabilities_restricted},
    {Level::kRestricted, 35, kNever, proc_mount_restricted},
    {Level::kRestricted, 0, kNever, restricted_volumes},
    {Level::kRestricted, 0, kNever, run_as_non_root},
    {Level::kRestricted, 23, kNever, run_as_user},
    {Level::kRestricted, 19, kNever, seccomp_restricted},
};

}  // namespace

std::string LevelVersion::to_string() const {
  std::string out = level == Level::kRestricted ? "restricted" : level == Level::kBaseline ? "baseline" : "privileged";
  return out + (minor == kLatest ? ":latest" : ":v1." + std::to_string(minor));
}

std::vector<Violation> evaluate(const LevelVersion& policy, const api::meta::v1::ObjectMeta& metadata,
                                const api::core::v1::PodSpec& spec) {
  std::vector<Violation> violations;
  if (policy.level == Level::kPrivileged) return violations;
  const int minor = policy.minor == kLatest ? kNewestMinor : std::min(policy.minor, kNewestMinor);
  const Subject subject = make_subject(metadata, spec, minor);
  for (const Check& check : kChecks) {
    if (minor < check.from) continue;
    if (policy.level == Level::kBaseline && check.level == Level::kRestricted) continue;
    if (policy.level == Level::kRestricted && minor >= check.overridden_from) continue;
    if (Found found = check.run(subject)) violations.push_back(std::move(*found));
  }
  return violations;
}

std::string with_details(const std::vector<Violation>& violations) {
  std::string out;
  for (const Violation& violation : violations) {
    if (!out.empty()) out += ", ";
    out += violation.reason;
    if (!violation.detail.empty()) out += " (" + violation.detail + ")";
  }
  return out;
}

std::string reasons_only(const std::vector<Violation>& violations) {
  std::string out;
  for (const Violation& violation : violations) out += (out.empty() ? "" : ", ") + violation.reason;
  return out;
}

}  // namespace admission::pod_security
