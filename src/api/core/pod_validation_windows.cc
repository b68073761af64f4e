// What Windows Pods may and may not say; operating systems.
#include <algorithm>
#include <cctype>

#include "api/core/pod_validation.h"
#include "object/names.h"

namespace api {

using core::v1::Container;
using core::v1::WindowsSecurityContextOptions;
using object::FieldErrors;
using object::FieldPath;

namespace {

bool any_char(std::string_view text, std::string_view of) { return text.find_first_of(of) != std::string_view::npos; }

// 1 to 15 characters, none of \ / : * ? " < > |, not beginning with a dot.
bool valid_net_bios_domain(std::string_view text) {
  return !text.empty() && text.size() <= 15 && text.front() != '.' && !any_char(text, "\\/:*?\"<>|");
}

bool valid_dns_domain(std::string_view text) {
  auto edge = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; };
  while (true) {
    const size_t end = std::min(text.find('.'), text.size());
    const std::string_view label = text.substr(0, end);
    if (label.empty() || label.size() > 63 || !edge(label.front()) || !edge(label.back())) return false;
    if (!std::ranges::all_of(label, [&](char c) { return edge(c) || c == '-'; })) return false;
    if (end == text.size()) return true;
    text.remove_prefix(end + 1);
  }
}

void validate_user_name(const std::string& name, const FieldPath& path, FieldErrors& errors) {
  constexpr size_t kMaxDomain = 256, kMaxUser = 104;
  if (name.empty()) return errors.invalid(path, name, "runAsUserName cannot be an empty string");
  if (std::ranges::any_of(name, [](unsigned char c) { return std::iscntrl(c) != 0; })) {
    return errors.invalid(path, name, "runAsUserName cannot contain control characters");
  }
  if (std::ranges::count(name, '\\') > 1) {
    return errors.invalid(path, name, "runAsUserName cannot contain more than one backslash");
  }
  const size_t slash = name.find('\\');
  const bool has_domain = slash != std::string::npos;
  const std::string domain = has_domain ? name.substr(0, slash) : "";
  const std::string user = has_domain ? name.substr(slash + 1) : name;
  if (domain.size() >= kMaxDomain) {
    errors.invalid(path, name, "runAsUserName's Domain length must be under 256 characters");
  }
  if (has_domain && !valid_net_bios_domain(domain) && !valid_dns_domain(domain)) {
    errors.invalid(path, name, "runAsUserName's Domain doesn't match the NetBios nor the DNS format");
  }
  if (user.empty()) {
    errors.invalid(path, name, "runAsUserName's User cannot be empty");
  } else if (user.size() > kMaxUser) {
    errors.invalid(path, name, "runAsUserName's User length must not be longer than 104 characters");
  }
  if (!user.empty() && user.find_first_not_of(". ") == std::string::npos) {
    errors.invalid(path, name, "runAsUserName's User cannot contain only periods or spaces");
  }
  if (any_char(user, "\"/\\:;|=,+*?<>@[]")) {
    errors.invalid(path, name, "runAsUserName's User cannot contain the following characters: \"/\\:;|=,+*?<>@[]");
  }
}

void validate_linux_pod(const PodCheck& check, const FieldPath& spec_path) {
  constexpr std::string_view kMessage = "windows options cannot be set for a linux pod";
  const auto& context = check.spec.security_context;
  if (context && context->windows_options) {
    const FieldPath at = spec_path.child("securityContext");
    check.errors.forbidden(at.child("windowsOptions"), kMessage);
  }
  visit_containers(check.spec, spec_path, [&](const Container& container, const FieldPath& path) {
    if (!container.security_context || !container.security_context->windows_options) return;
    const FieldPath at = path.child("securityContext");
    check.errors.forbidden(at.child("windowsOptions"), kMessage);
  });
}

void validate_windows_pod(const PodCheck& check, const FieldPath& spec_path) {
  auto refuse = [&](bool set, const FieldPath& parent, std::string_view field) {
    if (set) check.errors.forbidden(parent.child(field), "cannot be set for a windows pod");
  };
  const auto& spec = check.spec;
  if (const auto& c = spec.security_context) {
    const FieldPath at = spec_path.child("securityContext");
    refuse(static_cast<bool>(c->app_armor_profile), at, "appArmorProfile");
    refuse(static_cast<bool>(c->se_linux_options), at, "seLinuxOptions");
    refuse(spec.host_users.has_value(), spec_path, "hostUsers");
    refuse(spec.host_pid, spec_path, "hostPID");
    refuse(spec.host_ipc, spec_path, "hostIPC");
    refuse(static_cast<bool>(c->seccomp_profile), at, "seccompProfile");
    refuse(c->fs_group.has_value(), at, "fsGroup");
    refuse(c->fs_group_change_policy.has_value(), at, "fsGroupChangePolicy");
    refuse(!c->sysctls.empty(), at, "sysctls");
    refuse(spec.share_process_namespace.has_value(), spec_path, "shareProcessNamespace");
    refuse(c->run_as_user.has_value(), at, "runAsUser");
    refuse(c->run_as_group.has_value(), at, "runAsGroup");
    refuse(!c->supplemental_groups.empty(), at, "supplementalGroups");
    refuse(c->supplemental_groups_policy.has_value(), at, "supplementalGroupsPolicy");
    refuse(c->se_linux_change_policy.has_value(), at, "seLinuxChangePolicy");
  }
  visit_containers(spec, spec_path, [&](const Container& container, const FieldPath& path) {
    const auto& c = container.security_context;
    if (!c) return;
    const FieldPath at = path.child("securityContext");
    refuse(static_cast<bool>(c->app_armor_profile), at, "appArmorProfile");
    refuse(static_cast<bool>(c->se_linux_options), at, "seLinuxOptions");
    refuse(static_cast<bool>(c->seccomp_profile), at, "seccompProfile");
    refuse(static_cast<bool>(c->capabilities), at, "capabilities");
    refuse(c->read_only_root_filesystem.has_value(), at, "readOnlyRootFilesystem");
    refuse(c->privileged.has_value(), at, "privileged");
    refuse(c->allow_privilege_escalation.has_value(), at, "allowPrivilegeEscalation");
    refuse(c->proc_mount.has_value(), at, "procMount");
    refuse(c->run_as_user.has_value(), at, "runAsUser");
    refuse(c->run_as_group.has_value(), at, "runAsGroup");
  });
}

}  // namespace

void validate_windows_options(const WindowsSecurityContextOptions& options, const FieldPath& path,
                              FieldErrors& errors) {
  constexpr size_t kMaxSpec = 64 << 10;
  if (options.gmsa_credential_spec_name) {
    validate_dns1123_subdomain(*options.gmsa_credential_spec_name, path.child("gmsaCredentialSpecName"), errors);
  }
  if (const auto& spec = options.gmsa_credential_spec) {
    const FieldPath at = path.child("gmsaCredentialSpec");
    if (spec->empty()) {
      errors.invalid(at, *spec, "gmsaCredentialSpec cannot be an empty string");
    } else if (spec->size() > kMaxSpec) {
      errors.invalid(at, *spec, "gmsaCredentialSpec size must be under 64 KiB");
    }
  }
  if (options.run_as_user_name) validate_user_name(*options.run_as_user_name, path.child("runAsUserName"), errors);
}

void validate_host_process(const PodCheck& check, const FieldPath& spec_path) {
  FieldErrors& errors = check.errors;
  const auto& context = check.spec.security_context;
  std::optional<bool> pod_wide;
  if (context && context->windows_options) pod_wide = context->windows_options->host_process;
  int containers = 0, host_process = 0;
  visit_containers(check.spec, spec_path, [&](const Container& container, const FieldPath& path) {
    ++containers;
    std::optional<bool> own;
    const auto& c = container.security_context;
    if (c && c->windows_options) own = c->windows_options->host_process;
    if (pod_wide && own && *pod_wide != *own) {
      const FieldPath outer = path.child("securityContext");
      const FieldPath at = outer.child("windowsOptions");
      errors.invalid(at.child("hostProcess"), *own,
                     std::string("pod hostProcess value must be identical if both are specified, was ") +
                         (*pod_wide ? "true" : "false"));
    }
    if (own ? *own : pod_wide.value_or(false)) ++host_process;
  });
  if (host_process == 0) return;
  if (host_process != containers) {
    errors.invalid(spec_path, "",
                   "If pod contains any hostProcess containers then all containers must be HostProcess containers");
  }
  if (!check.spec.host_network) {
    errors.invalid(spec_path.child("hostNetwork"), false,
                   "hostNetwork must be true if pod contains any hostProcess containers");
  }
  if (check.options.privileged == Privileged::kRefused) {
    errors.forbidden(spec_path, "hostProcess containers are disallowed by cluster policy");
  }
}

void validate_os(const PodCheck& check, const FieldPath& spec_path) {
  if (!check.spec.os) return;
  const std::string& name = check.spec.os->name;
  const FieldPath path = spec_path.child("os");
  if (name.empty()) {
    check.errors.required(path.child("name"), "cannot be empty");
  } else if (name == "linux") {
    validate_linux_pod(check, spec_path);
  } else if (name == "windows") {
    validate_windows_pod(check, spec_path);
  } else {
    check.errors.not_supported(path, name, {"linux", "windows"});
  }
}

}  // namespace api
