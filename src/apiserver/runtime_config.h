// --runtime-config: which group versions and resources are switched on. Immutable once parsed. Thread: any.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "api/feature_gates.h"
#include "base/result.h"
#include "schema/tables.h"

namespace apiserver {

class RuntimeConfig {
 public:
  // What is on by default.
  RuntimeConfig() = default;
  // "api/all=false,batch/v1=true,apps/v1/deployments": the classes api/all, api/ga, api/beta and api/alpha first, in
  // this order, then group versions, then resources; a key without a value is true. "/v1" is the core group. kInvalid
  // with upstream's words for what it cannot mean.
  static base::Result<RuntimeConfig> parse(std::string_view flag);

  // The resource, or the one that a subresource belongs to. Compat: some need their feature gate too.
  bool enabled(const schema::GroupVersion& gv, std::string_view resource, const api::FeatureGates& features) const;

 private:
  base::Result<void> check_groups() const;
  base::Result<void> check_key(const std::string& key, const std::string& value) const;

  std::map<std::string, std::string, std::less<>> set_;  // as the flag has them
};

}  // namespace apiserver
