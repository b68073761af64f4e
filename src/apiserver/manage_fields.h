// Managed fields of a write: which manager owns what afterwards. Compat: upstream's field manager for updates; apply has
// its own path (verbs/apply.cc).
#pragma once

#include "apiserver/context.h"
#include "apiserver/options.h"
#include "base/result.h"

namespace apiserver {

// Sets object's metadata.managedFields. live null = create. subresource "" = the object itself.
base::Result<void> manage_fields(RequestContext& context, const Endpoint& endpoint, const api::AnyObject* live,
                                 api::AnyObject& object, const WriteOptions& options, std::string_view subresource);

}  // namespace apiserver
