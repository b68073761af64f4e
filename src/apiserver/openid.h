// /.well-known/openid-configuration and /openid/v1/jwks: how others check the tokens that this server signs. Thread:
// the handlers run on any loop.
#pragma once

#include "apiserver/core.h"
#include "apiserver/paths.h"

namespace apiserver {

void add_openid_paths(Paths& paths);

}  // namespace apiserver
