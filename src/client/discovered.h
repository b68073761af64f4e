// Resources that are not built in, as a server's discovery lists them. Pure.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "schema/tables.h"

namespace client {

using ResourceList = std::vector<std::shared_ptr<const schema::Resource>>;

// What to ask for: the aggregated document.
inline constexpr std::string_view kDiscoveryTarget = "/apis";
inline constexpr std::string_view kAcceptDiscovery =
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,"
    "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList";

// Each in the version that its group prefers; without subresources. An error when the server could not list all of
// them: what is missing is not known then.
base::Result<ResourceList> read_discovery(std::string_view body);

}  // namespace client
