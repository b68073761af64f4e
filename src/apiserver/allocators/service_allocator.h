// The addresses and node ports of Services. State is rebuilt from the store when it is made; every Service write goes
// through allocate() and release() (core.h), so it stays true. Each cluster address has an IPAddress object.
// Thread: any; guarded inside.
#pragma once

#include <memory>
#include <string>

#include "apiserver/core.h"

namespace apiserver {

// `cidr`: of the cluster addresses. kBadRequest when it is none. `core` outlives the allocator.
base::Result<std::unique_ptr<Allocator>> make_service_allocator(Core& core, const std::string& cidr, int first_port,
                                                                int last_port);

}  // namespace apiserver
