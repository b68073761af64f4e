#include "admission/testing.h"

#include "base/check.h"
#include "gen/catalogue.h"
#include "object/json.h"
#include "schema/metadata_view.h"
#include "schema/proto_struct.h"
#include "schema/proto_value.h"

namespace admission::testing {
namespace {

const schema::Message& message_named(std::string_view type) {
  const size_t space = type.find(' ');
  const auto* message = gen::find_message(type.substr(0, space), type.substr(space + 1));
  CHECK(message != nullptr);
  return *message;
}

std::string key_of(std::string_view group, std::string_view resource, std::string_view ns, std::string_view name) {
  std::string key(group);
  for (std::string_view part : {resource, ns, name}) key.append("/").append(part);
  return key;
}

}  // namespace

std::string raw_of(const schema::Message& message, std::string_view json) {
  auto value = object::parse_json(json);
  CHECK(value.has_value());
  std::string raw;
  CHECK(schema::encode_value(message, *value, raw).has_value());
  return raw;
}

api::AnyObject make(const schema::Message& message, std::string_view json) {
  auto object = api::AnyObject::make(message);
  CHECK(schema::decode_struct(message, raw_of(message, json), object.get()).has_value());
  return object;
}

World& World::put(std::string_view type, std::string_view group, std::string_view resource, std::string_view json) {
  std::string raw = raw_of(message_named(type), json);
  auto meta = schema::view_metadata(raw);
  CHECK(meta.has_value());
  std::string key = key_of(group, resource, meta->namespace_, meta->name);
  objects_[std::move(key)] = std::move(raw);
  return *this;
}

World& World::ns(std::string_view name, std::string_view labels, std::string_view phase) {
  std::string json = R"({"metadata":{"name":")" + std::string(name) + R"(","labels":)" + std::string(labels) +
                     R"(},"status":{"phase":")" + std::string(phase) + R"("}})";
  return put("core.v1 Namespace", "", "namespaces", json);
}

std::optional<std::string> World::get(std::string_view group, std::string_view resource, std::string_view ns,
                                      std::string_view name) const {
  if (resource == "namespaces") ++namespace_reads;
  auto found = objects_.find(key_of(group, resource, ns, name));
  return found == objects_.end() ? std::nullopt : std::optional(found->second);
}

void World::each(std::string_view group, std::string_view resource, std::string_view ns,
                 const std::function<void(std::string_view name, std::string_view raw)>& visit) const {
  std::string prefix = key_of(group, resource, ns, "");
  for (auto at = objects_.lower_bound(prefix); at != objects_.end() && at->first.starts_with(prefix); ++at) {
    visit(std::string_view(at->first).substr(at->first.rfind('/') + 1), at->second);
  }
}

Request::Request(Operation operation, std::string_view resource, std::string_view type, std::string_view ns,
                 std::string_view json, std::string_view old) {
  // A group has a dot or is one of upstream's short ones; what follows the resource is its subresource.
  std::vector<std::string> parts;
  for (size_t at = 0; at <= resource.size();) {
    const size_t slash = std::min(resource.find('/', at), resource.size());
    parts.emplace_back(resource.substr(at, slash - at));
    at = slash + 1;
  }
  if (parts.size() > 1 && (parts[0].find('.') != std::string::npos || parts[0] == "apps" || parts[0] == "batch")) {
    group_ = parts[0];
    parts.erase(parts.begin());
  }
  resource_ = parts[0];
  if (parts.size() > 1) subresource_ = parts[1];
  const auto& message = message_named(type);
  if (!json.empty()) object_ = make(message, json);
  if (!old.empty()) old_ = make(message, old);
  const auto& named = json.empty() ? old_ : object_;
  attributes.operation = operation;
  attributes.group = group_;
  attributes.version = "v1";
  attributes.resource = resource_;
  attributes.subresource = subresource_;
  attributes.ns = ns;
  if (named) attributes.name = api::meta_of(named.message(), named.get()).name;
  attributes.object = json.empty() ? nullptr : &object_;
  attributes.old = old.empty() ? nullptr : &old_;
  attributes.now = base::WallTime(std::chrono::seconds(1800000000));
  attributes.warnings = &warnings;
}

std::string Request::keep(base::Result<void> result) {
  if (result) return "";
  error = result.error();
  return error.message;
}

std::string Request::admit(Plugin& plugin, const World& world) { return keep(plugin.admit(attributes, world)); }
std::string Request::validate(Plugin& plugin, const World& world) { return keep(plugin.validate(attributes, world)); }
std::string Request::run(Plugin& plugin, const World& world) {
  std::string refused = admit(plugin, world);
  return refused.empty() ? validate(plugin, world) : refused;
}

std::string Request::json() const { return at(""); }

std::string Request::at(std::string_view path) const {
  std::string raw;
  schema::encode_struct(object_.message(), object_.get(), raw);
  auto value = schema::decode_value(object_.message(), raw);
  CHECK(value.has_value());
  const object::Value* here = &*value;
  while (!path.empty() && here) {
    const size_t dot = std::min(path.find('.'), path.size());
    here = here->find(path.substr(0, dot));
    path.remove_prefix(std::min(dot + 1, path.size()));
  }
  return here ? object::to_json(*here) : "";
}

}  // namespace admission::testing
