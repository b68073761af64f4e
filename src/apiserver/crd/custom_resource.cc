#include "apiserver/crd/custom_resource.h"

#include <algorithm>
#include <array>
#include <atomic>

#include "api/custom/custom_object.h"
#include "apiserver/crd/conditions.h"
#include "apiserver/crd/versions.h"
#include "apiserver/crd/webhook_conversion.h"
#include "codec/base64.h"
#include "gen/autoscaling/v1.h"
#include "gen/catalogue.h"
#include "gen/codec.h"
#include "pki/digest.h"

namespace apiserver {
namespace {

using ::api::apiextensions::v1::CustomResourceDefinitionVersion;

// Compat: the order in which upstream lists them.
constexpr std::array<std::string_view, 8> kVerbs = {"delete", "deletecollection", "get",    "list",
                                                    "patch",  "create",           "update", "watch"};
constexpr std::array<std::string_view, 3> kSubresourceVerbs = {"get", "patch", "update"};

constexpr size_t kShapeDigits = 32;  // of a fingerprint: what spec, accepted names and uid make

uint64_t next_serial() {
  static std::atomic<uint64_t> last = 0;
  return ++last;
}

// Compat: storageVersionHash: the first eight bytes of a digest of what is stored.
std::string storage_hash(std::string_view group, std::string_view version, std::string_view kind) {
  std::string text(group);
  text.append("/").append(version).append("/").append(kind);
  return codec::base64(pki::sha256(text).substr(0, 8));
}

// Compat: names the version to move to, when one is served, not deprecated, and comes before.
std::string deprecation_of(const CustomResourceDefinition& definition, const CustomResourceDefinitionVersion& version) {
  if (!version.deprecated) return {};
  if (version.deprecation_warning) return *version.deprecation_warning;
  const std::string prefix = definition.spec.group + "/";
  const std::string suffix = " " + definition.spec.names.kind;
  std::string text = prefix + version.name + suffix + " is deprecated";
  std::string_view best;
  for (const CustomResourceDefinitionVersion& other : definition.spec.versions) {
    if (!other.served || other.deprecated || !version_precedes(other.name, version.name)) continue;
    if (best.empty() || version_precedes(other.name, best)) best = other.name;
  }
  if (!best.empty()) text += "; use " + prefix + std::string(best) + suffix;
  return text;
}

}  // namespace

CustomResource::CustomResource(const CustomResourceDefinition& definition, base::SharedBytes stored, const Core* core,
                               int64_t born)
    : uid_(definition.metadata.uid), fingerprint_(fingerprint_of(definition)), born_(born) {
  text_.push_back(definition.spec.group);
  const auto& names = definition.status.accepted_names;
  plural_ = &text_.emplace_back(names.plural);
  key_prefix_ = &text_.emplace_back("/registry/" + group() + "/" + names.plural);
  for (const std::string& name : names.short_names) short_names_.push_back(keep(name));
  for (const std::string& name : names.categories) categories_.push_back(keep(name));
  CustomSource source;
  source.group = group();
  source.kind = keep(names.kind);
  source.definition = &definition;
  source.stored = std::move(stored);
  const auto* conversion = definition.spec.conversion.get();
  if (conversion && conversion->strategy == "Webhook" && conversion->webhook)
    source.webhook = std::make_shared<const WebhookConversion>(core, *conversion->webhook, names.list_kind);
  const auto& versions = definition.spec.versions;
  for (size_t i = 0; i < versions.size(); ++i) {
    if (!versions[i].storage) continue;
    storage_ = i;
    source.storage_version = keep(versions[i].name);
  }
  for (size_t i = 0; i < versions.size(); ++i) add_version(definition, i, source);
  for (Version& version : versions_) version.kind->set_storage(versions_[storage_].kind.get());
}

CustomResource::~CustomResource() = default;

std::string CustomResource::fingerprint_of(const CustomResourceDefinition& definition) {
  CustomResourceDefinition shape;
  shape.spec = definition.spec;
  shape.status.accepted_names = definition.status.accepted_names;
  shape.metadata.uid = definition.metadata.uid;
  std::string text = pki::to_hex(pki::sha256(gen::encode(shape))).substr(0, kShapeDigits);
  if (is_condition(definition, "Terminating", "True")) text += "-terminating";
  return text;
}

bool CustomResource::has_shape_of(const CustomResource& other) const {
  return fingerprint_.substr(0, kShapeDigits) == other.fingerprint_.substr(0, kShapeDigits);
}

std::string_view CustomResource::keep(std::string text) { return text_.emplace_back(std::move(text)); }

void CustomResource::add_version(const CustomResourceDefinition& definition, size_t index, const CustomSource& source) {
  const CustomResourceDefinitionVersion& version = definition.spec.versions[index];
  Version& made = versions_.emplace_back();
  made.name = keep(version.name);
  made.served = version.served;
  made.kind = std::make_unique<CustomKind>(source, index, made.name);
  made.columns.push_back({"Name", "string", "name", 0});
  for (const CustomKind::Column& column : made.kind->columns())
    made.columns.push_back({column.name, column.type, column.format, column.priority});
  add_endpoint(definition, made, "");
  if (!version.subresources) return;
  if (version.subresources->status) add_endpoint(definition, made, "status");
  if (version.subresources->scale) add_endpoint(definition, made, "scale");
}

void CustomResource::add_endpoint(const CustomResourceDefinition& definition, Version& version,
                                  std::string_view subresource) {
  const auto& names = definition.status.accepted_names;
  const bool main = subresource.empty(), scale = subresource == "scale";
  schema::Resource& row = version.rows.emplace_back();
  row.group = row.stored_group = group();
  row.version = version.name;
  row.name = *plural_;
  row.subresource = subresource.empty() ? std::string_view() : scale ? "scale" : "status";
  const std::string_view kind = version.kind->kind();
  row.kind = scale ? std::string_view("Scale") : kind;
  row.stored_kind = kind;
  row.stored_version = version.kind->storage_version();
  if (scale) {
    row.response_group = "autoscaling";
    row.response_version = "v1";
  }
  row.namespaced = definition.spec.scope == "Namespaced";
  row.verbs = main ? std::span<const std::string_view>(kVerbs) : std::span<const std::string_view>(kSubresourceVerbs);
  if (main) {
    row.singular = keep(names.singular);
    row.short_names = short_names_;
    row.categories = categories_;
    row.storage_hash = keep(storage_hash(group(), row.stored_version, kind));
    row.key_prefix = *key_prefix_;
    row.columns = version.columns;
  }
  Endpoint& made = version.endpoints.emplace_back();
  made.resource = &row;
  made.main = &version.endpoints.front();
  made.group_resource = {group(), *plural_};
  made.api_version = group() + "/" + std::string(version.name);
  made.kind = kind;
  made.list_kind = names.list_kind;
  made.served = made.stored = made.body = &api::custom_message();
  made.stored_api_version = group() + "/" + std::string(row.stored_version);
  made.stored_kind = kind;
  made.rules = made.custom = version.kind.get();
  made.body_api_version = scale ? "autoscaling/v1" : made.api_version;
  made.body_kind = scale ? "Scale" : made.kind;
  if (scale) made.body = &gen::message_of<::api::autoscaling::v1::Scale>();
  made.serial = next_serial();
  made.born = born_;
  for (const CustomResourceDefinitionVersion& each : definition.spec.versions) {
    if (each.name == version.name) made.deprecation = deprecation_of(definition, each);
  }
}

std::vector<std::string> CustomResource::served_versions() const {
  std::vector<std::string> names;
  for (const Version& version : versions_) {
    if (version.served) names.emplace_back(version.name);
  }
  return names;
}

const Endpoint* CustomResource::endpoint(std::string_view version, std::string_view subresource) const {
  for (const Version& each : versions_) {
    if (!each.served || each.name != version) continue;
    auto found =
        std::ranges::find_if(each.endpoints, [&](const Endpoint& e) { return e.resource->subresource == subresource; });
    return found == each.endpoints.end() ? nullptr : &*found;
  }
  return nullptr;
}

std::vector<const Endpoint*> CustomResource::endpoints(std::string_view version) const {
  std::vector<const Endpoint*> found;
  for (const Version& each : versions_) {
    if (!each.served || each.name != version) continue;
    for (const Endpoint& endpoint : each.endpoints) found.push_back(&endpoint);
  }
  return found;
}

const CustomKind* CustomResource::kind(std::string_view version) const {
  auto found = std::ranges::find(versions_, version, &Version::name);
  return found == versions_.end() ? nullptr : found->kind.get();
}

}  // namespace apiserver
