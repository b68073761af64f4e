// Environment variables and what they, and files of the downward API, may refer to.
#include <algorithm>
#include <array>
#include <cctype>

#include "api/core/pod_validation.h"
#include "object/names.h"
#include "object/quantity.h"

namespace api {

using core::v1::EnvVar;
using object::FieldErrors;
using object::FieldPath;

namespace {

using Names = std::vector<std::string>;

const Names& env_fields() {
  static const Names kFields = {
      "metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName",
      "status.hostIP", "status.hostIPs",     "status.podIP", "status.podIPs"};
  return kFields;
}
const Names& volume_fields() {
  static const Names kFields = {"metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace",
                                "metadata.uid"};
  return kFields;
}
const Names& resource_fields() {
  static const Names kFields = {"limits.cpu",   "limits.ephemeral-storage",   "limits.memory",
                                "requests.cpu", "requests.ephemeral-storage", "requests.memory"};
  return kFields;
}

bool contains(const Names& names, std::string_view name) { return std::ranges::find(names, name) != names.end(); }

struct Subscripted {
  std::string_view path, key;
  bool found = false;
};
// metadata.labels['key']
Subscripted split_subscript(std::string_view text) {
  if (!text.ends_with("']")) return {text, {}, false};
  const std::string_view inner = text.substr(0, text.size() - 2);
  const size_t open = inner.find("['");
  if (open == std::string_view::npos || open == 0) return {text, {}, false};
  return {inner.substr(0, open), inner.substr(open + 2), true};
}

// Fields of a Pod that v1 knows by name, some of which only selectors may use.
std::string conversion_problem(const core::v1::ObjectFieldSelector& field, const Subscripted& split) {
  constexpr std::array<std::string_view, 15> kKnown = {
      "metadata.annotations", "metadata.labels", "metadata.name",      "metadata.namespace",
      "metadata.uid",         "spec.nodeName",   "spec.restartPolicy", "spec.serviceAccountName",
      "spec.schedulerName",   "status.phase",    "status.hostIP",      "status.hostIPs",
      "status.podIP",         "status.podIPs",   "spec.host"};
  if (field.api_version != "v1") return "unsupported pod version: " + field.api_version;
  if (split.found) {
    if (split.path == "metadata.annotations" || split.path == "metadata.labels") return "";
    return "field label does not support subscript: " + field.field_path;
  }
  if (std::ranges::find(kKnown, field.field_path) != kKnown.end()) return "";
  return "field label not supported: " + field.field_path;
}

void validate_field_ref(const core::v1::ObjectFieldSelector& field, const Names& supported, const FieldPath& path,
                        FieldErrors& errors) {
  if (field.api_version.empty()) return errors.required(path.child("apiVersion"));
  if (field.field_path.empty()) return errors.required(path.child("fieldPath"));
  const Subscripted split = split_subscript(field.field_path);
  if (const std::string problem = conversion_problem(field, split); !problem.empty()) {
    return errors.invalid(path.child("fieldPath"), field.field_path, "error converting fieldPath: " + problem);
  }
  if (split.found) {
    std::string key(split.key);
    if (split.path == "metadata.annotations") {
      std::ranges::transform(key, key.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    }
    return validate_qualified_name(key, path, errors);
  }
  const std::string_view name = split.path == "spec.host" ? "spec.nodeName" : split.path;
  if (!contains(supported, name)) errors.not_supported(path.child("fieldPath"), name, supported);
}

void validate_divisor(const core::v1::ResourceFieldSelector& field, const FieldPath& path, FieldErrors& errors) {
  constexpr std::string_view kSizes = "1, 1k, 1M, 1G, 1T, 1P, 1E, 1Ki, 1Mi, 1Gi, 1Ti, 1Pi, 1Ei";
  const auto divisor = object::QuantityValue::of(field.divisor);
  if (divisor.zero()) return;
  const std::string text = divisor.to_string();
  const std::string& resource = field.resource;
  if (resource == "limits.cpu" || resource == "requests.cpu") {
    if (text == "1m" || text == "1") return;
    return errors.invalid(path.child("divisor"), resource,
                          "only divisor's values 1m and 1 are supported with the cpu resource");
  }
  std::string_view kind;
  if (resource == "limits.memory" || resource == "requests.memory") kind = "memory";
  if (resource == "limits.ephemeral-storage" || resource == "requests.ephemeral-storage") {
    kind = "local ephemeral storage";
  }
  if (resource.starts_with("requests.hugepages-") || resource.starts_with("limits.hugepages-")) kind = "hugepages";
  if (kind.empty()) return;
  const bool known = (", " + std::string(kSizes) + ", ").find(", " + text + ", ") != std::string::npos;
  if (!known) {
    errors.invalid(
        path.child("divisor"), resource,
        "only divisor's values " + std::string(kSizes) + " are supported with the " + std::string(kind) + " resource");
  }
}

enum class RefUse : uint8_t { kEnv, kVolume };
void validate_resource_ref(const core::v1::ResourceFieldSelector& field, RefUse use, const FieldPath& path,
                           FieldErrors& errors) {
  const std::string& resource = field.resource;
  if (use == RefUse::kVolume && field.container_name.empty()) {
    errors.required(path.child("containerName"));
  } else if (resource.empty()) {
    errors.required(path.child("resource"));
  } else if (!contains(resource_fields(), resource) && !resource.starts_with("requests.hugepages-") &&
             !resource.starts_with("limits.hugepages-")) {
    errors.not_supported(path.child("resource"), resource, resource_fields());
  }
  validate_divisor(field, path, errors);
}

// ConfigMapKeySelector or SecretKeySelector.
template <typename Selector>
void validate_key_ref(const Selector& selector, const FieldPath& path, FieldErrors& errors) {
  const std::string& name = selector.local_object_reference.name;
  validate_dns1123_subdomain(name, path.child("name"), errors);
  if (selector.key.empty()) {
    errors.required(path.child("key"));
  } else {
    errors.invalid_each(path.child("key"), selector.key, object::validate_config_map_key(selector.key));
  }
}

void validate_file_ref(const core::v1::FileKeySelector& selector, const FieldPath& path, FieldErrors& errors) {
  if (selector.volume_name.empty()) {
    errors.required(path.child("volumeName"));
  } else {
    validate_dns1123_label(selector.volume_name, path.child("volumeName"), errors);
  }
  if (selector.path.empty()) errors.required(path.child("path"));
  validate_local_path(selector.path, path.child("path"), errors);
  if (selector.key.empty()) {
    errors.required(path.child("key"));
  } else {
    errors.invalid_each(path.child("key"), selector.key, object::validate_relaxed_env_var_name(selector.key));
  }
}

void validate_value_from(const EnvVar& variable, const FieldPath& path, FieldErrors& errors) {
  const auto& from = *variable.value_from;
  int sources = 0;
  if (from.field_ref) {
    ++sources;
    validate_field_ref(*from.field_ref, env_fields(), path.child("fieldRef"), errors);
  }
  if (from.resource_field_ref) {
    ++sources;
    validate_resource_ref(*from.resource_field_ref, RefUse::kEnv, path.child("resourceFieldRef"), errors);
  }
  if (from.config_map_key_ref) {
    ++sources;
    validate_key_ref(*from.config_map_key_ref, path.child("configMapKeyRef"), errors);
  }
  if (from.secret_key_ref) {
    ++sources;
    validate_key_ref(*from.secret_key_ref, path.child("secretKeyRef"), errors);
  }
  if (from.file_key_ref) {
    ++sources;
    validate_file_ref(*from.file_key_ref, path.child("fileKeyRef"), errors);
  }
  if (sources == 0) {
    errors.invalid(path, "",
                   "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or "
                   "`fileKeyRef`");
  } else if (!variable.value.empty()) {
    errors.invalid(path, "", "may not be specified when `value` is not empty");
  } else if (sources > 1) {
    errors.invalid(path, "", "may not have more than one field specified at a time");
  }
}

// A name, or the beginning of one.
void validate_source_name(const std::string& name, const FieldPath& path, FieldErrors& errors) {
  if (name.empty()) {
    errors.required(path.child("name"));
  } else {
    errors.invalid_each(path.child("name"), name, name_is_dns_subdomain(name, NameUse::kPrefix));
  }
}

}  // namespace

void validate_env(const PodCheck& check, const std::vector<EnvVar>& env, const FieldPath& path) {
  FieldErrors& errors = check.errors;
  for (size_t i = 0; i < env.size(); ++i) {
    const FieldPath at = path.index(i);
    if (env[i].name.empty()) {
      errors.required(at.child("name"));
    } else {
      errors.invalid_each(at.child("name"), env[i].name, object::validate_relaxed_env_var_name(env[i].name));
    }
    if (env[i].value_from) validate_value_from(env[i], at.child("valueFrom"), errors);
  }
}

void validate_env_from(const std::vector<core::v1::EnvFromSource>& env, const FieldPath& path, FieldErrors& errors) {
  for (size_t i = 0; i < env.size(); ++i) {
    const FieldPath at = path.index(i);
    if (!env[i].prefix.empty()) {
      errors.invalid_each(at.child("prefix"), env[i].prefix, object::validate_relaxed_env_var_name(env[i].prefix));
    }
    if (env[i].config_map_ref) {
      validate_source_name(env[i].config_map_ref->local_object_reference.name, at.child("configMapRef"), errors);
    }
    if (env[i].secret_ref) {
      validate_source_name(env[i].secret_ref->local_object_reference.name, at.child("secretRef"), errors);
    }
    // Compat: reported at the list.
    if (!env[i].config_map_ref && !env[i].secret_ref) {
      errors.invalid(path, "", "must specify one of: `configMapRef` or `secretRef`");
    } else if (env[i].config_map_ref && env[i].secret_ref) {
      errors.invalid(path, "", "may not have more than one field specified at a time");
    }
  }
}

void validate_volume_field_ref(const core::v1::ObjectFieldSelector& field, const FieldPath& path, FieldErrors& errors) {
  validate_field_ref(field, volume_fields(), path, errors);
}

void validate_volume_resource_ref(const core::v1::ResourceFieldSelector& field, const FieldPath& path,
                                  FieldErrors& errors) {
  validate_resource_ref(field, RefUse::kVolume, path, errors);
}

}  // namespace api
