#include "apiserver/crd/openapi.h"

#include <algorithm>

#include "apiserver/crd/custom_resource.h"
#include "apiserver/openapi/schemas.h"
#include "gen/meta/v1.h"
#include "pki/digest.h"

namespace apiserver::openapi {

CustomKinds::CustomKinds(const CustomEndpoints& endpoints, std::string_view group, std::string_view version)
    : group_(group), version_(version) {
  for (CustomResourcePtr& resource : endpoints.resources(group)) {
    if (resource->endpoint(version, "")) resources_.push_back(std::move(resource));
  }
}

std::string CustomKinds::digest() const {
  std::string text = group_ + "/" + version_;
  for (const CustomResourcePtr& resource : resources_) text += " " + resource->plural() + " " + resource->fingerprint();
  std::string hex = pki::to_hex(pki::sha512(text));
  std::ranges::transform(hex, hex.begin(), [](char c) { return c >= 'a' ? static_cast<char>(c - 32) : c; });
  return hex;
}

Section CustomKinds::section() const {
  std::vector<const Endpoint*> all;
  for (const CustomResourcePtr& resource : resources_) {
    for (const Endpoint* endpoint : resource->endpoints(version_)) all.push_back(endpoint);
  }
  return custom_section(all, group_, version_);
}

void CustomKinds::each_definition(
    schema::OpenApiVersion version,
    const std::function<void(const std::string& name, const object::Value& value)>& each) const {
  for (const CustomResourcePtr& resource : resources_) {
    const Endpoint& endpoint = *resource->endpoint(version_, "");
    const object::Value schema = endpoint.custom->schema_json();
    schema::PublishedKind kind{group_, version_, endpoint.kind, endpoint.list_kind, resource->plural()};
    if (schema.is_object()) kind.schema = &schema;
    for (const std::string& field : endpoint.custom->selectable()) kind.selectable_fields.push_back(field);
    const std::string name = schema::model_name(group_, version_, endpoint.kind);
    each(name, schema::published_schema(kind, version));
    each(name + "List", schema::published_list_schema(kind, version));
  }
  if (version == schema::OpenApiVersion::kV2) return;
  // Version 2 has the metadata's definitions from the built-in kinds.
  const Messages roots{&gen::message_of<::api::meta::v1::ObjectMeta>(), &gen::message_of<::api::meta::v1::ListMeta>()};
  Messages had =
      closure({&gen::message_of<::api::meta::v1::Status>(), &gen::message_of<::api::meta::v1::DeleteOptions>()});
  for (const schema::Message* message : closure(roots)) {
    if (had.contains(message)) continue;
    Messages referred;
    each(definition_name(*message), definition(Dialect::kV3, *message, referred));
  }
}

}  // namespace apiserver::openapi
