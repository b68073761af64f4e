// Names of kinds and resources. Plain data.
#pragma once

#include <compare>
#include <string>
#include <string_view>

#include "base/result.h"

namespace object {

struct GroupVersion {
  std::string group;  // "" is the core group
  std::string version;

  // "apps/v1", "v1"; "" gives both empty. More than one slash is an error: `unexpected GroupVersion string: a/b/c`.
  static base::Result<GroupVersion> parse(std::string_view text);
  // "apps/v1", or "v1" for the core group.
  std::string to_string() const;
  bool empty() const { return group.empty() && version.empty(); }
  auto operator<=>(const GroupVersion&) const = default;
};

struct GroupKind {
  std::string group;
  std::string kind;
  // "Deployment.apps"; "Pod" for the core group.
  std::string to_string() const;
  // The inverse.
  static GroupKind parse(std::string_view text);
  auto operator<=>(const GroupKind&) const = default;
};

struct GroupResource {
  std::string group;
  std::string resource;
  // "deployments.apps"; "pods" for the core group.
  std::string to_string() const;
  static GroupResource parse(std::string_view text);
  auto operator<=>(const GroupResource&) const = default;
};

struct GroupVersionKind {
  std::string group;
  std::string version;
  std::string kind;

  // From the two members of an object.
  static base::Result<GroupVersionKind> parse(std::string_view api_version, std::string_view kind);
  GroupVersion group_version() const { return {group, version}; }
  GroupKind group_kind() const { return {group, kind}; }
  // "apps/v1", "v1".
  std::string api_version() const { return group_version().to_string(); }
  // As upstream's messages print it: "apps/v1, Kind=Deployment"; "/v1, Kind=Pod".
  std::string to_string() const;
  auto operator<=>(const GroupVersionKind&) const = default;
};

struct GroupVersionResource {
  std::string group;
  std::string version;
  std::string resource;

  GroupVersion group_version() const { return {group, version}; }
  GroupResource group_resource() const { return {group, resource}; }
  // As upstream's messages print it: "apps/v1, Resource=deployments".
  std::string to_string() const;
  auto operator<=>(const GroupVersionResource&) const = default;
};

}  // namespace object
