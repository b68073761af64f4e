#include "apiserver/endpoint.h"

#include <algorithm>

#include "apiserver/crd/custom_endpoints.h"
#include "apiserver/crd/custom_kind.h"
#include "base/check.h"
#include "schema/proto_struct.h"

namespace apiserver {
namespace {

// Rules of a kind that has none of its own: the schema is all that is known of it.
class PlainRules final : public api::KindRules {
 public:
  PlainRules(const schema::Message& message, const schema::Resource& resource)
      : message_(message), resource_(resource) {}
  const schema::Message& message() const override { return message_; }
  std::string_view group() const override { return resource_.stored_group; }
  std::string_view version() const override { return resource_.stored_version; }
  std::string_view kind() const override { return resource_.stored_kind; }
  bool equal_any(const void* object, const void* other) const override {
    std::string a, b;
    schema::encode_struct(message_, object, a);
    schema::encode_struct(message_, other, b);
    return a == b;
  }
  void set_defaults_any(void*) const override {}
  void prepare_for_create_any(api::RuleContext&, void*) const override {}
  void prepare_for_update_any(api::RuleContext&, void*, const void*) const override {}
  void validate_any(api::RuleContext&, const void*, object::FieldErrors&) const override {}
  void validate_update_any(api::RuleContext&, const void*, const void*, object::FieldErrors&) const override {}
  void prepare_for_subresource_any(std::string_view, api::RuleContext&, void*, const void*) const override {}
  void validate_subresource_any(std::string_view, api::RuleContext&, const void*, const void*,
                                object::FieldErrors&) const override {}
  void cells_any(const void* object, base::WallTime, api::TableRow& row) const override {
    api::default_table_cells(api::meta_of(message_, object), row);
  }
  std::vector<api::SelectableField> selectable_fields_any(const void*) const override { return {}; }
  std::optional<api::Scale> scale_any(const void*) const override { return std::nullopt; }
  void set_scale_any(void*, int32_t) const override {}
  std::optional<int64_t> grace_period_any(const void*, std::optional<int64_t>) const override { return std::nullopt; }

 private:
  const schema::Message& message_;
  const schema::Resource& resource_;
};

std::string group_version(std::string_view group, std::string_view version) {
  return group.empty() ? std::string(version) : std::string(group) + "/" + std::string(version);
}

std::string path_key(std::string_view group, std::string_view version, std::string_view resource,
                     std::string_view subresource) {
  std::string key(group);
  for (std::string_view part : {version, resource, subresource}) {
    key += '/';
    key += part;
  }
  return key;
}

const schema::Message* message_of(std::string_view group, std::string_view version, std::string_view kind) {
  const schema::Kind* found = gen::find_kind(group, version, kind);
  return found ? found->message : nullptr;
}

}  // namespace

bool Endpoint::allows(std::string_view verb) const {
  return std::ranges::find(resource->verbs, verb) != resource->verbs.end();
}

bool Endpoint::shows_stored(std::string_view stored_raw) const {
  return custom ? custom->shows_stored(stored_raw) : conversion == nullptr;
}

Endpoints::Endpoints(const api::Catalogue& catalogue, const RuntimeConfig& config, const api::FeatureGates& features)
    : custom_(std::make_unique<CustomEndpoints>()),
      cbor_(features.enabled("CBORServingAndStorage") ? CborServing::kOn : CborServing::kOff) {
  for (const schema::GroupVersion& gv : gen::group_versions()) {
    for (const schema::Resource& row : gv.resources) {
      const bool on = config.enabled(gv, row.name, features);
      if (!on && !gv.served_by_default) continue;
      add(row, catalogue);
      const auto made = by_path_.find(path_key(row.group, row.version, row.name, row.subresource));
      if (made == by_path_.end()) continue;
      made->second->switched_on = on;
      if (on) served_.emplace(gv.group, gv.version);
    }
  }
}

void Endpoints::add(const schema::Resource& row, const api::Catalogue& catalogue) {
  auto endpoint = std::make_unique<Endpoint>();
  Endpoint& e = *endpoint;
  e.resource = &row;
  e.group_resource = {std::string(row.group), std::string(row.name)};
  e.api_version = group_version(row.group, row.version);
  const std::string_view body_group = row.response_version.empty() ? row.group : row.response_group;
  const std::string_view body_version = row.response_version.empty() ? row.version : row.response_version;
  e.body = message_of(body_group, body_version, row.kind);
  e.body_api_version = group_version(body_group, body_version);
  e.body_kind = row.kind;
  const Endpoint* main = row.subresource.empty() ? &e : find_any(row.group, row.version, row.name, "");
  if (!main) return;  // its resource is not served
  e.main = main;
  e.kind = main->resource->kind;
  e.served = message_of(row.group, row.version, e.kind);
  const schema::Kind* kind = gen::find_kind(row.group, row.version, e.kind);
  e.list_kind = kind && !kind->list_kind.empty() ? std::string(kind->list_kind) : e.kind + "List";
  if (main != &e) {
    e.served = main->served;
    e.stored_api_version = main->stored_api_version;
    e.stored_kind = main->stored_kind;
    e.stored = main->stored;
    e.conversion = main->conversion;
    e.version_defaults = main->version_defaults;
    e.rules = main->rules;
  } else {
    place(e, catalogue);
  }
  by_path_[path_key(row.group, row.version, row.name, row.subresource)] = &e;
  if (main == &e) order_.push_back(&e);
  endpoints_.push_back(std::move(endpoint));
}

void Endpoints::place(Endpoint& e, const api::Catalogue& catalogue) {
  const schema::Resource& row = *e.resource;
  if (row.key_prefix.empty()) return;
  e.stored_api_version = group_version(row.stored_group, row.stored_version);
  e.stored_kind = row.stored_kind;
  e.stored = message_of(row.stored_group, row.stored_version, row.stored_kind);
  CHECK(e.stored != nullptr && e.served != nullptr && e.served->ops != nullptr);
  e.conversion = catalogue.conversion(*e.served);
  e.version_defaults = catalogue.version_defaults(*e.served);
  if (!e.conversion && e.stored->ops != e.served->ops) {
    // Compat: upstream keeps definitions in a version that nobody serves any more; here the served one is stored.
    e.stored = e.served;
    e.stored_api_version = e.api_version;
    e.stored_kind = e.kind;
  }
  e.rules = catalogue.rules(row.stored_group, *e.stored);
  if (e.rules) e.stored = &e.rules->message();
  if (!e.rules) {
    plain_rules_.push_back(std::make_unique<PlainRules>(*e.stored, row));
    e.rules = plain_rules_.back().get();
  }
}

Endpoints::~Endpoints() = default;

const Endpoint* Endpoints::find(std::string_view group, std::string_view version, std::string_view resource,
                                std::string_view subresource) const {
  const Endpoint* found = find_any(group, version, resource, subresource);
  return found && found->switched_on ? found : nullptr;
}

const Endpoint* Endpoints::find_any(std::string_view group, std::string_view version, std::string_view resource,
                                    std::string_view subresource) const {
  auto found = by_path_.find(path_key(group, version, resource, subresource));
  return found == by_path_.end() ? nullptr : found->second;
}

EndpointPtr Endpoints::lookup(std::string_view group, std::string_view version, std::string_view resource,
                              std::string_view subresource) const {
  if (const Endpoint* built_in = find(group, version, resource, subresource)) return {EndpointPtr(), built_in};
  return group.empty() ? nullptr : custom_->find(group, version, resource, subresource);
}

EndpointPtr Endpoints::lookup_any(std::string_view group, std::string_view version, std::string_view resource,
                                  std::string_view subresource) const {
  if (const Endpoint* built_in = find_any(group, version, resource, subresource)) return {EndpointPtr(), built_in};
  return group.empty() ? nullptr : custom_->find(group, version, resource, subresource);
}

bool Endpoints::serves(std::string_view group, std::string_view version) const {
  return has_group_version(group, version) || custom_->serves(group, version);
}

bool Endpoints::has_group(std::string_view group) const {
  return std::ranges::any_of(served_, [&](const auto& gv) { return gv.first == group; });
}
bool Endpoints::has_group_version(std::string_view group, std::string_view version) const {
  return served_.contains({group, version});
}

}  // namespace apiserver
