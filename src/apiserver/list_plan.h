// Which objects a list shows, at which revision: the rules of resourceVersion, resourceVersionMatch, limit and
// continue.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "apiserver/endpoint.h"
#include "apiserver/options.h"
#include "base/result.h"
#include "kv/store.h"

namespace apiserver {

class Core;

struct ListPlan {
  std::vector<kv::KeyValueRef> items;  // in key order
  int64_t revision = 0;
  std::string continue_token;  // "" = complete
  int64_t remaining = -1;      // items after these; -1 = not known (selectors) or none
};
// ns "" = all namespaces, or a cluster-scoped resource.
base::Result<ListPlan> plan_list(Core& core, const Endpoint& endpoint, std::string_view ns, const ListOptions& options);

}  // namespace apiserver
