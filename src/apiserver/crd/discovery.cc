#include "apiserver/crd/discovery.h"

#include "apiserver/crd/custom_resource.h"
#include "apiserver/discovery/parts.h"

namespace apiserver::discovery {
namespace {

using object::Array;
using object::Object;
using object::Value;

// Compat: while a definition is being deleted, nothing that would keep its objects is offered.
Value verbs_of(const Endpoint& endpoint) {
  if (!endpoint.custom->is_terminating() || endpoint.is_subresource()) return strings(endpoint.resource->verbs);
  return Array{"delete", "deletecollection", "get", "list", "watch"};
}

Object group_object(const CustomEndpoints& endpoints, std::string_view name) {
  return group_with(name, endpoints.versions(name));
}

Object resource_object(const Endpoint& endpoint) {
  const schema::Resource& row = *endpoint.resource;
  Object one;
  one.set("name", endpoint.is_subresource() ? std::string(row.name) + "/" + std::string(row.subresource)
                                            : std::string(row.name));
  one.set("singularName", row.singular);
  one.set("namespaced", row.namespaced);
  if (!row.response_version.empty()) {
    one.set("group", row.response_group);
    one.set("version", row.response_version);
  }
  one.set("kind", row.kind);
  one.set("verbs", verbs_of(endpoint));
  if (!row.short_names.empty()) one.set("shortNames", strings(row.short_names));
  if (!row.categories.empty()) one.set("categories", strings(row.categories));
  if (!row.storage_hash.empty()) one.set("storageVersionHash", row.storage_hash);
  return one;
}

Value response_kind(const schema::Resource& row) {
  Object out;
  out.set("group", row.response_version.empty() ? row.group : row.response_group);
  out.set("version", row.response_version.empty() ? row.version : row.response_version);
  out.set("kind", row.kind);
  return out;
}

Object aggregated_resource(std::span<const Endpoint* const> endpoints) {
  const Endpoint& main = *endpoints.front();
  const schema::Resource& row = *main.resource;
  Object out;
  out.set("resource", row.name);
  out.set("responseKind", response_kind(row));
  out.set("scope", row.namespaced ? "Namespaced" : "Cluster");
  out.set("singularResource", row.singular);
  out.set("verbs", verbs_of(main));
  if (!row.short_names.empty()) out.set("shortNames", strings(row.short_names));
  if (!row.categories.empty()) out.set("categories", strings(row.categories));
  Array subresources;
  for (const Endpoint* sub : endpoints.subspan(1)) {
    Object one;
    one.set("subresource", sub->resource->subresource);
    one.set("responseKind", response_kind(*sub->resource));
    one.set("verbs", verbs_of(*sub));
    subresources.push_back(std::move(one));
  }
  if (!subresources.empty()) out.set("subresources", std::move(subresources));
  return out;
}

}  // namespace

Array custom_groups(const CustomEndpoints& endpoints) {
  Array out;
  for (const std::string& group : endpoints.groups()) out.push_back(group_object(endpoints, group));
  return out;
}

std::optional<Value> custom_group(const CustomEndpoints& endpoints, std::string_view name) {
  if (endpoints.generation(name) == 0) return std::nullopt;
  Object out;
  out.set("kind", "APIGroup");
  out.set("apiVersion", "v1");
  for (object::Member& member : group_object(endpoints, name)) out.set(member.key, std::move(member.value));
  return out;
}

std::optional<Value> custom_resource_list(const CustomEndpoints& endpoints, std::string_view group,
                                          std::string_view version) {
  Array resources;
  for (const CustomResourcePtr& resource : endpoints.resources(group)) {
    for (const Endpoint* endpoint : resource->endpoints(version)) resources.push_back(resource_object(*endpoint));
  }
  if (resources.empty()) return std::nullopt;
  Object out;
  out.set("kind", "APIResourceList");
  out.set("apiVersion", "v1");
  out.set("groupVersion", std::string(group) + "/" + std::string(version));
  out.set("resources", std::move(resources));
  return out;
}

Array custom_aggregated(const CustomEndpoints& endpoints) {
  Array items;
  for (const std::string& group : endpoints.groups()) {
    Array versions;
    for (const std::string& version : endpoints.versions(group)) {
      Array resources;
      for (const CustomResourcePtr& resource : endpoints.resources(group)) {
        const auto found = resource->endpoints(version);
        if (!found.empty()) resources.push_back(aggregated_resource(found));
      }
      Object one;
      one.set("version", version);
      one.set("resources", std::move(resources));
      one.set("freshness", "Current");
      versions.push_back(std::move(one));
    }
    Object item, metadata;
    metadata.set("name", group);
    item.set("metadata", std::move(metadata));
    item.set("versions", std::move(versions));
    items.push_back(std::move(item));
  }
  return items;
}

}  // namespace apiserver::discovery
