// Managed fields of a write: which manager owns what afterwards. Compat: upstream's field manager.
#pragma once

#include <string>
#include <string_view>

#include "apiserver/context.h"
#include "apiserver/options.h"
#include "base/result.h"
#include "object/value.h"

namespace apiserver {

// An object's bytes without metadata.managedFields. The tree of a field set costs as much as the object's own, and
// field management wants the sets as text.
std::string without_managed_fields(std::string_view raw);

// Sets object's metadata.managedFields after an update or create. live null = create. subresource "" = the object
// itself.
base::Result<void> manage_fields(RequestContext& context, const Endpoint& endpoint, const api::AnyObject* live,
                                 api::AnyObject& object, const WriteOptions& options, std::string_view subresource);

// Server-side apply of `config` to the live object; live null = there is none. The outcome is in the stored version,
// defaulted, with its managed fields: those change even where nothing else does.
base::Result<api::AnyObject> apply_config(RequestContext& context, const Endpoint& endpoint,
                                          const object::Value& config, const api::AnyObject* live,
                                          const WriteOptions& options);

}  // namespace apiserver
