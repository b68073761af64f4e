#include <algorithm>
#include <map>
#include <set>

#include "api/shared/cells.h"
#include "api/shared/strategy.h"
#include "gen/apiserverinternal/v1alpha1.h"
#include "object/names.h"

namespace api {
namespace {

using apiserverinternal::v1alpha1::ServerStorageVersion;
using apiserverinternal::v1alpha1::StorageVersion;
using apiserverinternal::v1alpha1::StorageVersionCondition;
using apiserverinternal::v1alpha1::StorageVersionStatus;

// <group>.<resource>
std::vector<std::string> storage_version_name(std::string_view name, NameUse) {
  const size_t dot = name.rfind('.');
  if (dot == std::string_view::npos) return {"name must be in the form of <group>.<resource>"};
  std::vector<std::string> messages;
  for (const auto& text : object::validate_dns1123_subdomain(name.substr(0, dot))) {
    messages.push_back("the group segment " + text);
  }
  for (const auto& text : object::validate_dns1035_label(name.substr(dot + 1))) {
    messages.push_back("the resource segment " + text);
  }
  return messages;
}

// "" when it is one: a version, or a group and a version.
std::string api_version_problem(std::string_view text) {
  std::vector<std::string> problems;
  const size_t slash = text.find('/');
  if (slash != std::string_view::npos && text.find('/', slash + 1) != std::string_view::npos) {
    return "an apiVersion is a DNS-1035 label, which must consist of lower case alphanumeric characters or '-', start "
           "with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex "
           "used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?') with an optional DNS subdomain prefix and '/' (e.g. "
           "'example.com/MyVersion')";
  }
  std::string_view version = text;
  if (slash != std::string_view::npos) {
    const std::string_view group = text.substr(0, slash);
    version = text.substr(slash + 1);
    if (group.empty()) problems.emplace_back("group part: must be non-empty");
    if (!group.empty()) {
      for (const auto& each : object::validate_dns1123_subdomain(group)) problems.push_back("group part: " + each);
    }
  }
  if (version.empty()) {
    problems.emplace_back("version part: must be non-empty");
  } else {
    for (const auto& each : object::validate_dns1035_label(version)) problems.push_back("version part: " + each);
  }
  return join(problems, ",");
}

void check_api_version(const std::string& version, const FieldPath& path, FieldErrors& errors) {
  if (const std::string problem = api_version_problem(version); !problem.empty()) {
    errors.invalid(path, version, problem);
  }
}

void check_server(const ServerStorageVersion& server, const FieldPath& path, FieldErrors& errors) {
  const FieldPath decodable = path.child("decodableVersions"), served = path.child("servedVersions");
  const auto& known = server.decodable_versions;
  validate_dns1123_subdomain(server.api_server_id, path.child("apiServerID"), errors);
  check_api_version(server.encoding_version, path.child("encodingVersion"), errors);
  for (size_t i = 0; i < known.size(); ++i) check_api_version(known[i], decodable.index(i), errors);
  if (std::ranges::find(known, server.encoding_version) == known.end()) {
    errors.invalid(decodable, shown(known),
                   "decodableVersions must include encodingVersion " + server.encoding_version);
  }
  for (size_t i = 0; i < server.served_versions.size(); ++i) {
    const std::string& version = server.served_versions[i];
    check_api_version(version, served.index(i), errors);
    if (std::ranges::find(known, version) != known.end()) continue;
    errors.invalid(served.index(i), version,
                   "individual served version : " + version + " must be included in decodableVersions : [" +
                       join(known, " ") + "]");
  }
}

// Nothing when the servers do not agree, or there are none.
std::optional<std::string> common_version(const StorageVersionStatus& status) {
  if (status.storage_versions.empty()) return std::nullopt;
  const std::string& first = status.storage_versions[0].encoding_version;
  const bool same =
      std::ranges::all_of(status.storage_versions, [&](const auto& each) { return each.encoding_version == first; });
  return same ? std::optional(first) : std::nullopt;
}

void check_common_version(const StorageVersionStatus& status, const FieldPath& path, FieldErrors& errors) {
  const FieldPath field = path.child("commonEncodingVersion");
  const std::optional<std::string> actual = common_version(status);
  const std::optional<std::string>& told = status.common_encoding_version;
  if (actual == told) return;
  if (!actual) {
    errors.invalid(field, *told,
                   "should be nil if servers do not agree on the same encoding version, or if there is no server "
                   "reporting the supported versions yet");
  } else if (!told) {
    errors.invalid(field, BadValue::verbatim("null"), "the common encoding version is " + *actual);
  } else {
    errors.invalid(field, *told, "the actual common encoding version is " + *actual);
  }
}

// Compat: their paths are those of the status, not of its conditions.
void check_conditions(const std::vector<StorageVersionCondition>& conditions, const FieldPath& path,
                      FieldErrors& errors) {
  std::map<std::string_view, size_t> seen;
  for (size_t i = 0; i < conditions.size(); ++i) {
    const auto& condition = conditions[i];
    const FieldPath item = path.index(i);
    if (const auto before = seen.find(condition.type); before != seen.end()) {
      errors.invalid(item.child("type"), condition.type,
                     "the type of the condition is not unique, it also appears in conditions[" +
                         std::to_string(before->second) + "]");
    }
    seen[condition.type] = i;
    validate_qualified_name(condition.type, item.child("type"), errors);
    validate_qualified_name(condition.status, item.child("status"), errors);
    if (condition.reason.empty()) errors.required(item.child("reason"));
    if (condition.message.empty()) errors.required(item.child("message"));
  }
}

class StorageVersionRules final : public PlainStatusRules<StorageVersion> {
 public:
  StorageVersionRules() : PlainStatusRules("internal.apiserver.k8s.io", "v1alpha1", "StorageVersion") {}
  UpdateWithoutVersion update_without_version() const override { return UpdateWithoutVersion::kRefused; }
  NameValidator name_validator() const override { return storage_version_name; }

  void validate_subresource(std::string_view, RuleContext&, const StorageVersion& object, const StorageVersion&,
                            FieldErrors& errors) const override {
    const FieldPath path("status"), versions = path.child("storageVersions");
    const auto& servers = object.status.storage_versions;
    std::set<std::string_view> seen;
    for (size_t i = 0; i < servers.size(); ++i) {
      const FieldPath item = versions.index(i);
      if (!seen.insert(servers[i].api_server_id).second) {
        errors.duplicate(item.child("apiServerID"), servers[i].api_server_id);
      }
      check_server(servers[i], item, errors);
    }
    check_common_version(object.status, path, errors);
    check_conditions(object.status.conditions, path, errors);
  }
  std::vector<std::string_view> reset_fields(std::string_view subresource) const override {
    if (subresource.empty()) return {".status"};
    return {".metadata", ".spec"};
  }
  void cells(const StorageVersion& object, base::WallTime now, TableRow& row) const override {
    std::vector<std::string> servers;
    for (const auto& each : object.status.storage_versions) {
      servers.push_back(each.api_server_id + "=" + each.encoding_version);
    }
    row.cells = {object.metadata.name, object.status.common_encoding_version.value_or("<unset>"),
                 join_some(servers, 3, "<unset>"), age_cell(object.metadata, now)};
  }
};

}  // namespace

std::unique_ptr<const KindRules> storage_version_rules() { return std::make_unique<StorageVersionRules>(); }

}  // namespace api
