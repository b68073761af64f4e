// Managed fields of a write: which manager owns what afterwards. Compat: upstream's field manager.
#pragma once

#include <string>
#include <string_view>

#include "apiserver/context.h"
#include "apiserver/options.h"
#include "apiserver/write.h"
#include "base/result.h"
#include "object/value.h"

namespace apiserver {

// Sets object's metadata.managedFields after an update or create. live null = create. subresource "" = the object
// itself.
base::Result<void> manage_fields(RequestContext& context, const Endpoint& endpoint, const Live* live,
                                 api::AnyObject& object, const WriteOptions& options, std::string_view subresource);

// Server-side apply of `config` to the live object; live null = there is none. The object in the stored version,
// defaulted, with its managed fields: the live one when neither fields nor owners change.
base::Result<api::AnyObject> apply_config(RequestContext& context, const Endpoint& endpoint,
                                          const object::Value& config, const Live* live, const WriteOptions& options);

}  // namespace apiserver
