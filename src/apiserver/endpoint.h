// Endpoint: all that the server knows of one served resource or subresource: names, tables, rules, where it is stored.
// Immutable. Those of built-in resources are made once from the generated table and the catalogue; those of custom
// resources come and go with their definitions (crd/), and who uses one holds its EndpointPtr. Thread: any.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "api/rules.h"
#include "apiserver/negotiate.h"
#include "apiserver/runtime_config.h"
#include "object/gvk.h"
#include "schema/tables.h"
#include "schema/type_meta.h"

namespace apiserver {

class CustomEndpoints;
class CustomKind;
struct Endpoint;
// Keeps an endpoint alive; of a built-in resource it owns nothing.
using EndpointPtr = std::shared_ptr<const Endpoint>;

struct Endpoint {
  const schema::Resource* resource = nullptr;  // this row
  // The resource itself; for a subresource the endpoint of its parent, else this.
  const Endpoint* main = nullptr;

  object::GroupResource group_resource;     // as messages name it
  std::string api_version;                  // "apps/v1", of the served objects
  std::string kind;                         // of the parent's objects: "Deployment"
  std::string list_kind;                    // "DeploymentList"
  const schema::Message* served = nullptr;  // the parent's objects as clients of this version see them
  const schema::Message* stored = nullptr;  // and as the store holds them
  std::string stored_api_version;
  std::string stored_kind;
  const api::KindRules* rules = nullptr;                   // of the stored kind; null when nothing is stored
  const api::Conversion* conversion = nullptr;             // null when served == stored
  const api::VersionDefaults* version_defaults = nullptr;  // of the served version alone
  bool switched_on = true;                                 // for clients; components in the process see it anyway

  // What bodies of this (sub)resource are: the parent's kind, or Scale, Binding, Eviction, TokenRequest.
  const schema::Message* body = nullptr;
  std::string body_api_version;
  std::string body_kind;

  // Of custom resources.
  const CustomKind* custom = nullptr;  // null for built-in kinds
  uint64_t serial = 0;                 // tells apart endpoints that follow each other at one address
  std::string deprecation;             // sent as a warning with every answer
  int64_t born = 0;                    // the revision from which on it can be watched; 0 = from wherever history begins

  bool is_subresource() const { return !resource->subresource.empty(); }
  bool namespaced() const { return resource->namespaced; }
  std::string_view prefix() const { return main->resource->key_prefix; }
  bool is_stored() const { return !main->resource->key_prefix.empty(); }
  bool allows(std::string_view verb) const;
  // May stored bytes be shown as they are?
  bool shows_stored(std::string_view stored_raw) const;
  // Compat: items of a list have no type of their own, but for custom resources.
  schema::TypeMeta item_type() const { return custom ? type() : schema::TypeMeta{}; }
  schema::TypeMeta type() const { return {api_version, kind}; }
  schema::TypeMeta stored_type() const { return {stored_api_version, stored_kind}; }
  schema::TypeMeta list_type() const { return {api_version, list_kind}; }
};

class Endpoints {
 public:
  explicit Endpoints(const api::Catalogue& catalogue, const RuntimeConfig& config = {},
                     const api::FeatureGates& features = {});
  ~Endpoints();
  // A built-in resource that clients are served; null when there is none.
  const Endpoint* find(std::string_view group, std::string_view version, std::string_view resource,
                       std::string_view subresource) const;
  // Also one that is switched off: what is stored of it is still cleaned up, counted and looked into.
  const Endpoint* find_any(std::string_view group, std::string_view version, std::string_view resource,
                           std::string_view subresource) const;
  // As find and find_any, custom resources too.
  EndpointPtr lookup(std::string_view group, std::string_view version, std::string_view resource,
                     std::string_view subresource) const;
  EndpointPtr lookup_any(std::string_view group, std::string_view version, std::string_view resource,
                         std::string_view subresource) const;
  bool serves(std::string_view group, std::string_view version) const;
  CustomEndpoints& custom() const { return *custom_; }
  // --feature-gates=CBORServingAndStorage=true
  CborServing cbor() const { return cbor_; }

  // Of built-in resources that clients are served.
  bool has_group(std::string_view group) const;
  bool has_group_version(std::string_view group, std::string_view version) const;
  // Main resources, in discovery order, with those that are switched off.
  const std::vector<const Endpoint*>& all() const { return order_; }

 private:
  // Where a main resource is stored, and how it gets there.
  void place(Endpoint& e, const api::Catalogue& catalogue);
  void add(const schema::Resource& row, const api::Catalogue& catalogue);

  std::vector<std::unique_ptr<Endpoint>> endpoints_;
  std::vector<std::unique_ptr<api::KindRules>> plain_rules_;  // for kinds that the catalogue does not list
  std::vector<const Endpoint*> order_;
  std::map<std::string, Endpoint*, std::less<>> by_path_;
  std::set<std::pair<std::string_view, std::string_view>> served_;  // group versions
  std::unique_ptr<CustomEndpoints> custom_;
  const CborServing cbor_;
};

}  // namespace apiserver
