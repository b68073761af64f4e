// What a path and a method ask for. Compat: upstream's RequestInfo resolver, for /api and /apis. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace apiserver {

// The query of a URL, decoded; repeated names keep their order.
class Query {
 public:
  Query() = default;
  explicit Query(std::string_view raw);
  // The first value; "" when absent.
  std::string_view get(std::string_view name) const;
  bool has(std::string_view name) const;
  std::vector<std::string_view> all(std::string_view name) const;
  void set(std::string_view name, std::string value);

 private:
  std::vector<std::pair<std::string, std::string>> values_;
};
std::string percent_decode(std::string_view text);

struct RequestInfo {
  bool is_resource = false;  // /api/v1/<resource>…, /apis/<group>/<version>/<resource>…
  std::string path;          // decoded
  // get, list, watch, create, update, patch, delete, deletecollection; of other paths the lower-case method
  std::string verb;
  std::string group;
  std::string version;
  std::string ns;
  std::string resource;
  std::string subresource;
  std::string name;
  std::vector<std::string> rest;  // what follows the subresource
};

RequestInfo parse_request(std::string_view method, std::string_view path, const Query& query);

}  // namespace apiserver
