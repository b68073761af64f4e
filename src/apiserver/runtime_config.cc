#include "apiserver/runtime_config.h"

#include <algorithm>
#include <optional>

#include "codec/json_text.h"
#include "gen/catalogue.h"

namespace apiserver {
namespace {

constexpr std::string_view kClasses[] = {"api/all", "api/ga", "api/beta", "api/alpha"};

std::unexpected<base::Error> refuse(std::string message) {
  return base::fail(base::Reason::kInvalid, std::move(message));
}

std::string_view trim(std::string_view text) {
  while (text.starts_with(' ') || text.starts_with('\t')) text.remove_prefix(1);
  while (text.ends_with(' ') || text.ends_with('\t')) text.remove_suffix(1);
  return text;
}

bool is_class(std::string_view key) { return std::ranges::find(kClasses, key) != std::end(kClasses); }

struct Key {
  std::string_view group, version, resource;  // resource "" = the whole group version
};
// Nothing when it has not two or three parts.
std::optional<Key> split(std::string_view key) {
  const size_t first = key.find('/');
  if (first == std::string_view::npos) return std::nullopt;
  const size_t second = key.find('/', first + 1);
  if (second == std::string_view::npos) return Key{key.substr(0, first), key.substr(first + 1), ""};
  if (key.find('/', second + 1) != std::string_view::npos) return std::nullopt;
  return Key{key.substr(0, first), key.substr(first + 1, second - first - 1), key.substr(second + 1)};
}

// Compat: the groups that upstream's server knows are more than those that it serves.
bool is_registered(std::string_view group) {
  static constexpr std::string_view kOthers[] = {"apidiscovery.k8s.io",     "meta.k8s.io",
                                                 "metrics.k8s.io",          "custom.metrics.k8s.io",
                                                 "external.metrics.k8s.io", "testapigroup.apimachinery.k8s.io"};
  if (std::ranges::find(kOthers, group) != std::end(kOthers)) return false;
  return std::ranges::any_of(gen::kinds(), [&](const schema::Kind& kind) { return kind.group == group; });
}
bool is_registered(std::string_view group, std::string_view version) {
  return std::ranges::any_of(gen::kinds(),
                             [&](const schema::Kind& kind) { return kind.group == group && kind.version == version; });
}

// Go's strconv.ParseBool; a key alone is true.
std::optional<bool> parse_value(std::string_view text) {
  for (std::string_view yes : {"", "1", "t", "T", "true", "TRUE", "True"}) {
    if (text == yes) return true;
  }
  for (std::string_view no : {"0", "f", "F", "false", "FALSE", "False"}) {
    if (text == no) return false;
  }
  return std::nullopt;
}

bool in_class(std::string_view name, std::string_view version) {
  const bool alpha = version.find("alpha") != std::string_view::npos;
  const bool beta = version.find("beta") != std::string_view::npos;
  if (name == "api/all") return true;
  if (name == "api/alpha") return alpha;
  return name == "api/beta" ? beta : !alpha && !beta;
}

// Compat: what upstream serves only while its gate is on.
struct Gate {
  std::string_view group, resource, feature;
};
constexpr Gate kGates[] = {
    {"certificates.k8s.io", "clustertrustbundles", "ClusterTrustBundle"},
    {"certificates.k8s.io", "podcertificaterequests", "PodCertificateRequest"},
    {"scheduling.k8s.io", "workloads", "GenericWorkload"},
    {"storagemigration.k8s.io", "storageversionmigrations", "StorageVersionMigrator"},
};
bool gate_allows(std::string_view group, std::string_view resource, const api::FeatureGates& features) {
  const auto gate =
      std::ranges::find_if(kGates, [&](const Gate& each) { return each.resource == resource && each.group == group; });
  return gate == std::end(kGates) || features.enabled(gate->feature);
}

}  // namespace

base::Result<RuntimeConfig> RuntimeConfig::parse(std::string_view flag) {
  RuntimeConfig config;
  while (!flag.empty()) {
    const std::string_view item = flag.substr(0, flag.find(','));
    flag.remove_prefix(std::min(flag.size(), item.size() + 1));
    if (item.empty()) continue;
    const size_t equal = item.find('=');
    const std::string_view value = equal == std::string_view::npos ? std::string_view() : item.substr(equal + 1);
    config.set_[std::string(trim(item.substr(0, equal)))] = trim(value);
  }
  TRY(config.check_groups());
  for (std::string_view name : kClasses) {
    const auto set = config.set_.find(name);
    if (set == config.set_.end() || set->second == "true" || set->second == "false") continue;
    return refuse("invalid value " + set->first + "=" + set->second);
  }
  for (const auto& [key, value] : config.set_) {
    if (!is_class(key)) TRY(config.check_key(key, value));
  }
  return config;
}

base::Result<void> RuntimeConfig::check_groups() const {
  if (set_.size() == 1 && set_.begin()->first == "api/all" && set_.begin()->second == "false")
    return refuse("invalid key with only api/all=false");
  std::string unknown;
  for (const auto& [key, value] : set_) {
    if (is_class(key)) continue;
    const std::optional<Key> parts = split(key);
    if (!parts) return refuse("runtime-config invalid key " + key);
    if (!is_registered(parts->group)) unknown += (unknown.empty() ? "" : ",") + std::string(parts->group);
  }
  if (!unknown.empty()) return refuse("unknown api groups " + unknown);
  return {};
}

base::Result<void> RuntimeConfig::check_key(const std::string& key, const std::string& value) const {
  const Key parts = *split(key);
  if (!is_registered(parts.group, parts.version)) {
    const std::string gv = (parts.group.empty() ? "" : std::string(parts.group) + "/") + std::string(parts.version);
    return refuse("group version " + gv + " that has not been registered");
  }
  std::string quoted;
  if (!parse_value(value)) {
    codec::append_go_quoted(quoted, value);
    return refuse("invalid value of " + key + ": " + value + ", err: strconv.ParseBool: parsing " + quoted +
                  ": invalid syntax");
  }
  if (std::ranges::any_of(parts.resource, [](char c) { return c >= 'A' && c <= 'Z'; })) {
    codec::append_go_quoted(quoted, parts.resource);
    return refuse("invalid key " + key + ": group/version/resource and resource is always lowercase plural, not " +
                  quoted);
  }
  return {};
}

bool RuntimeConfig::enabled(const schema::GroupVersion& gv, std::string_view resource,
                            const api::FeatureGates& features) const {
  bool on = gv.served_by_default;
  for (std::string_view name : kClasses) {
    if (const auto set = set_.find(name); set != set_.end() && in_class(name, gv.version)) on = set->second == "true";
  }
  const std::string key = std::string(gv.group) + "/" + std::string(gv.version);
  for (const std::string& named : {key, key + "/" + std::string(resource)}) {
    if (const auto set = set_.find(named); set != set_.end()) on = *parse_value(set->second);
  }
  return on && gate_allows(gv.group, resource, features);
}

}  // namespace apiserver
