// TokenRequest: tokens of service accounts, signed with the server's key.
#pragma once

#include "apiserver/context.h"
#include "apiserver/options.h"
#include "base/result.h"

namespace apiserver {

base::Result<Answer> create_token(RequestContext& context, const WriteOptions& options);

}  // namespace apiserver
