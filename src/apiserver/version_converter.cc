#include "apiserver/version_converter.h"

#include <algorithm>

#include "apiserver/body.h"
#include "schema/proto_struct.h"
#include "schema/proto_value.h"

namespace apiserver {
namespace {

// The endpoint of the same resource in another version, in another group too; null when there is none.
const Endpoint* in_version(const Endpoints& endpoints, const Endpoint& endpoint, std::string_view api_version) {
  const auto gv = object::GroupVersion::parse(api_version);
  return gv ? endpoints.find_any(gv->group, gv->version, endpoint.resource->name, "") : nullptr;
}

// Without defaults: nothing comes to the object but what the conversion writes.
base::Result<std::string> stored_bytes(const Endpoint& endpoint, std::string_view served_raw) {
  if (!endpoint.conversion) return std::string(served_raw);
  api::AnyObject served = api::AnyObject::make(*endpoint.served);
  TRY(schema::decode_struct(*endpoint.served, served_raw, served.get()));
  api::AnyObject stored = api::AnyObject::make(*endpoint.stored);
  endpoint.conversion->to_stored(served.get(), stored.get());
  return encode_struct(stored);
}

base::Result<object::Value> convert(const Endpoint& from, const Endpoint& to, object::Value object) {
  schema::remove_managed_fields(object);
  std::string served;
  TRY(schema::encode_value(*from.served, object, served, {}));
  TRY_ASSIGN(const std::string stored, stored_bytes(from, served));
  TRY_ASSIGN(const std::string raw, to_served(to, stored));
  return schema::decode_value(*to.served, raw, to.type());
}

}  // namespace

std::optional<schema::VersionConverter> version_converter(const Endpoints& endpoints, const Endpoint& endpoint,
                                                          const schema::ReadEntries& live,
                                                          const schema::ReadEntries& sent) {
  const Endpoint* main = endpoint.main;
  if (main->custom) return std::nullopt;
  const auto differs = [&](const schema::ManagedEntry& entry) {
    if (entry.api_version == main->api_version) return false;
    const Endpoint* other = in_version(endpoints, *main, entry.api_version);
    return other && other->conversion != main->conversion;
  };
  if (!std::ranges::any_of(live.entries, differs) && !std::ranges::any_of(sent.entries, differs)) return std::nullopt;
  return [&endpoints, main](const object::Value& object,
                            std::string_view api_version) -> std::optional<schema::VersionedObject> {
    const Endpoint* to = in_version(endpoints, *main, api_version);
    if (!to) to = main;
    const std::string_view named = object.string_at({"apiVersion"});
    const Endpoint* from = named.empty() ? main : in_version(endpoints, *main, named);
    auto converted = convert(from ? *from : *main, *to, object);
    if (!converted) return std::nullopt;
    return schema::VersionedObject{*std::move(converted), schema::message_type(*to->served)};
  };
}

}  // namespace apiserver
