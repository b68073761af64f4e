// The verbs on resources: one file each. Those that answer with one object return it; list and watch write their
// answers themselves. A verb runs on a loop or in the calling component's thread and never blocks.
#pragma once

#include "apiserver/context.h"
#include "apiserver/options.h"
#include "base/result.h"

namespace apiserver {

base::Result<Answer> get_verb(RequestContext& context);
base::Result<Answer> create_verb(RequestContext& context);
base::Result<Answer> update_verb(RequestContext& context);
base::Result<Answer> patch_verb(RequestContext& context);
// The apply form of patch.
base::Result<Answer> apply_verb(RequestContext& context, const WriteOptions& options);
base::Result<Answer> delete_verb(RequestContext& context);

// Is the deletion itself put to admission, or was what asks for it (an eviction)?
enum class DeleteAdmission : uint8_t { kRun, kDone };
// Deletes one object; what delete_verb, deletecollection and eviction share.
base::Result<Answer> delete_object(RequestContext& context, const Endpoint& endpoint, const std::string& name,
                                   const DeleteOptions& options, DeleteAdmission admission = DeleteAdmission::kRun);
// Compat: deleting Jobs without saying what becomes of their Pods earns a warning.
void warn_of_deletion(RequestContext& context, const DeleteOptions& options);

// Streams: they answer through the context's writer, errors included.
void list_verb(const std::shared_ptr<RequestContext>& context);
void delete_collection_verb(const std::shared_ptr<RequestContext>& context);
void watch_verb(const std::shared_ptr<RequestContext>& context);

// log, exec, attach, portforward, proxy, with any method.
bool leads_to_a_node(const Endpoint& endpoint);
void connect_verb(const std::shared_ptr<RequestContext>& context);

// Resources that keep nothing: access and identity reviews.
base::Result<Answer> create_review(RequestContext& context);
// POST to subresources whose body is of another kind: binding, eviction, token.
base::Result<Answer> create_subresource(RequestContext& context);
// deployments/scale and its like.
base::Result<Answer> get_scale(RequestContext& context);
base::Result<Answer> update_scale(RequestContext& context);
base::Result<Answer> patch_scale(RequestContext& context);

}  // namespace apiserver
