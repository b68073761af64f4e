#include "apiserver/discovery/documents.h"

#include "apiserver/crd/discovery.h"
#include "apiserver/discovery/parts.h"
#include "gen/catalogue.h"

namespace apiserver::discovery {
namespace {

using object::Array;
using object::Object;
using object::Value;

bool served(const Endpoints& endpoints, const schema::Resource& row) {
  return endpoints.find(row.group, row.version, row.name, row.subresource) != nullptr;
}

bool served(const Endpoints& endpoints, const schema::GroupVersion& gv) {
  return endpoints.has_group_version(gv.group, gv.version);
}

Object group_object(const Endpoints& endpoints, std::string_view name) {
  std::vector<std::string> versions;
  for (const schema::GroupVersion& gv : gen::group_versions()) {
    if (gv.group == name && served(endpoints, gv)) versions.emplace_back(gv.version);
  }
  return group_with(name, versions);
}

Object typed(std::string_view kind, std::string_view api_version) {
  Object out;
  out.set("kind", kind);
  if (!api_version.empty()) out.set("apiVersion", api_version);
  return out;
}

// The kind of answers, where it lives in another group version than the resource.
Value response_kind(const schema::Resource& row) {
  Object out;
  out.set("group", row.response_group);
  out.set("version", row.response_version);
  out.set("kind", row.kind);
  return out;
}

Object aggregated_resource(const Endpoints& endpoints, const schema::GroupVersion& gv, const schema::Resource& row) {
  Object out;
  out.set("resource", row.name);
  out.set("responseKind", response_kind(row));
  out.set("scope", row.namespaced ? "Namespaced" : "Cluster");
  out.set("singularResource", row.singular);
  out.set("verbs", strings(row.verbs));
  if (!row.short_names.empty()) out.set("shortNames", strings(row.short_names));
  if (!row.categories.empty()) out.set("categories", strings(row.categories));
  Array subresources;
  for (const schema::Resource& sub : gv.resources) {
    if (sub.name != row.name || sub.subresource.empty() || !served(endpoints, sub)) continue;
    Object one;
    one.set("subresource", sub.subresource);
    one.set("responseKind", response_kind(sub));
    one.set("verbs", strings(sub.verbs));
    subresources.push_back(std::move(one));
  }
  if (!subresources.empty()) out.set("subresources", std::move(subresources));
  return out;
}

Object aggregated_version(const Endpoints& endpoints, const schema::GroupVersion& gv) {
  Object out;
  Array resources;
  for (const schema::Resource& row : gv.resources) {
    if (row.subresource.empty() && served(endpoints, row)) resources.push_back(aggregated_resource(endpoints, gv, row));
  }
  out.set("version", gv.version);
  out.set("resources", std::move(resources));
  out.set("freshness", "Current");
  return out;
}

}  // namespace

Value api_versions(std::string_view server_address) {
  Object out = typed("APIVersions", "");
  Object address;
  address.set("clientCIDR", "0.0.0.0/0");
  address.set("serverAddress", server_address);
  out.set("versions", Array{"v1"});
  out.set("serverAddressByClientCIDRs", Array{std::move(address)});
  return out;
}

Value group_list(const Endpoints& endpoints) {
  Object out = typed("APIGroupList", "v1");
  Array groups;
  std::string_view last;
  for (const schema::GroupVersion& gv : gen::group_versions()) {
    if (gv.group.empty() || gv.group == last || !served(endpoints, gv)) continue;
    last = gv.group;
    groups.push_back(group_object(endpoints, gv.group));
  }
  for (Value& custom : custom_groups(endpoints.custom())) groups.push_back(std::move(custom));
  out.set("groups", std::move(groups));
  return out;
}

std::optional<Value> group(const Endpoints& endpoints, std::string_view name) {
  if (name.empty() || !endpoints.has_group(name)) return std::nullopt;
  Object out = typed("APIGroup", "v1");
  for (object::Member& member : group_object(endpoints, name)) out.set(member.key, std::move(member.value));
  return out;
}

std::optional<Value> resource_list(const Endpoints& endpoints, std::string_view group, std::string_view version) {
  for (const schema::GroupVersion& gv : gen::group_versions()) {
    if (gv.group != group || gv.version != version || !served(endpoints, gv)) continue;
    // Compat: the list of the core group has no apiVersion.
    Object out = typed("APIResourceList", group.empty() ? "" : "v1");
    out.set("groupVersion", group_version(group, version));
    Array resources;
    for (const schema::Resource& row : gv.resources) {
      if (!served(endpoints, row)) continue;
      Object one;
      const bool sub = !row.subresource.empty();
      one.set("name", sub ? std::string(row.name) + "/" + std::string(row.subresource) : std::string(row.name));
      one.set("singularName", row.singular);
      one.set("namespaced", row.namespaced);
      if (!row.response_version.empty()) {
        one.set("group", row.response_group);
        one.set("version", row.response_version);
      }
      one.set("kind", row.kind);
      one.set("verbs", strings(row.verbs));
      if (!row.short_names.empty()) one.set("shortNames", strings(row.short_names));
      if (!row.categories.empty()) one.set("categories", strings(row.categories));
      if (!row.storage_hash.empty()) one.set("storageVersionHash", row.storage_hash);
      resources.push_back(std::move(one));
    }
    out.set("resources", std::move(resources));
    return out;
  }
  return std::nullopt;
}

Value aggregated(const Endpoints& endpoints, Scope scope, std::string_view version) {
  Object out = typed("APIGroupDiscoveryList", "apidiscovery.k8s.io/" + std::string(version));
  Array items;
  std::string_view last = "-";
  for (const schema::GroupVersion& gv : gen::group_versions()) {
    if (gv.group.empty() != (scope == Scope::kCore) || !served(endpoints, gv)) continue;
    if (gv.group != last) {
      last = gv.group;
      Object item, metadata;
      if (!gv.group.empty()) metadata.set("name", gv.group);
      item.set("metadata", std::move(metadata));
      item.set("versions", Array{});
      items.push_back(std::move(item));
    }
    items.back().find("versions")->array_if()->push_back(aggregated_version(endpoints, gv));
  }
  if (scope == Scope::kGroups) {
    for (Value& custom : custom_aggregated(endpoints.custom())) items.push_back(std::move(custom));
  }
  out.set("metadata", Object{});
  out.set("items", std::move(items));
  return out;
}

}  // namespace apiserver::discovery
