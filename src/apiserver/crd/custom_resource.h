// What one CustomResourceDefinition serves: the endpoints of its versions, and their subresources. Made from the
// definition whenever it changes; immutable but for schemas, which are compiled when first needed. Thread: any.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "apiserver/crd/custom_kind.h"
#include "apiserver/endpoint.h"
#include "base/bytes.h"
#include "gen/apiextensions/v1.h"

namespace apiserver {

class Core;

using CustomResourceDefinition = ::api::apiextensions::v1::CustomResourceDefinition;

class CustomResource {
 public:
  // `stored`: the definition's message bytes, kept for the schemas. `names`: as accepted.
  // `core` as for WebhookConversion; `born` as in Endpoint.
  CustomResource(const CustomResourceDefinition& definition, base::SharedBytes stored, const Core* core,
                 int64_t born = 0);
  int64_t born() const { return born_; }
  ~CustomResource();
  CustomResource(const CustomResource&) = delete;

  const std::string& group() const { return text_.front(); }
  const std::string& plural() const { return *plural_; }
  const std::string& uid() const { return uid_; }
  // Changes with all that the endpoints depend on. The same in every run.
  const std::string& fingerprint() const { return fingerprint_; }
  static std::string fingerprint_of(const CustomResourceDefinition& definition);
  // Made of the same uid, spec and accepted names?
  bool has_shape_of(const CustomResource& other) const;
  const std::string& key_prefix() const { return *key_prefix_; }
  // In the definition's order.
  std::vector<std::string> served_versions() const;
  // Null when it is not served.
  const Endpoint* endpoint(std::string_view version, std::string_view subresource) const;
  // The version that is stored, served or not: what deletes instances works on it.
  const Endpoint& storage_endpoint() const { return versions_[storage_].endpoints.front(); }
  // All served endpoints of a version: the resource, then status, then scale.
  std::vector<const Endpoint*> endpoints(std::string_view version) const;
  const CustomKind* kind(std::string_view version) const;

 private:
  struct Version {
    std::string_view name;
    bool served = false;
    std::unique_ptr<CustomKind> kind;
    std::deque<schema::Resource> rows;
    std::deque<Endpoint> endpoints;
    std::vector<schema::Column> columns;
  };
  std::string_view keep(std::string text);
  void add_version(const CustomResourceDefinition& definition, size_t index, const CustomSource& source);
  void add_endpoint(const CustomResourceDefinition& definition, Version& version, std::string_view subresource);

  std::deque<std::string> text_;  // what the rows view; the first is the group
  const std::string* plural_ = nullptr;
  const std::string* key_prefix_ = nullptr;
  std::vector<std::string_view> short_names_, categories_;
  std::string uid_, fingerprint_;
  int64_t born_ = 0;
  std::deque<Version> versions_;
  size_t storage_ = 0;
};

}  // namespace apiserver
