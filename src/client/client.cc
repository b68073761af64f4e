#include "client/client.h"

#include <unordered_map>

#include "base/check.h"

namespace client {
namespace {

// Message → the resource that serves it in the version in which it is stored, or in one with the same members.
std::unordered_map<const schema::Message*, const schema::Resource*> build_resources() {
  std::unordered_map<const schema::Message*, const schema::Resource*> resources;
  for (const schema::GroupVersion& version : gen::group_versions()) {
    for (const schema::Resource& resource : version.resources) {
      if (!resource.subresource.empty() || resource.stored_kind.empty()) continue;
      if (resource.group != resource.stored_group) continue;
      const schema::Kind* kind = gen::find_kind(resource.group, resource.version, resource.kind);
      const schema::Kind* stored = gen::find_kind(resource.group, resource.stored_version, resource.stored_kind);
      if (kind && stored && kind->message->ops == stored->message->ops) resources.emplace(kind->message, &resource);
    }
  }
  return resources;
}

}  // namespace

const schema::Resource& resource_of(const schema::Message& message, std::string_view subresource) {
  static const auto resources = build_resources();
  const auto found = resources.find(&message);
  CHECK(found != resources.end());
  if (subresource.empty()) return *found->second;
  const schema::Resource& main = *found->second;
  const schema::Resource* resource = gen::find_resource(main.group, main.version, main.name, subresource);
  CHECK(resource != nullptr);
  return *resource;
}

}  // namespace client
