// The stages of the pipeline, one file each. A stage returns an error to end the request with it.
#pragma once

#include <memory>

#include "apiserver/context.h"
#include "apiserver/paths.h"
#include "auth/authenticator.h"
#include "base/result.h"

namespace apiserver {

// Path, verb, query, endpoint.
base::Result<void> request_info(RequestContext& context);
// Refuses a time limit that is none. Requests that run long have none.
base::Result<void> check_timeout(RequestContext& context);
// Refuses a body over the limit. Last: what is sent by those who may not is not looked at.
base::Result<void> limit_body(RequestContext& context);
base::Result<void> authenticate(RequestContext& context, const auth::Authenticator& authenticator);
// Gives the request its audit id.
base::Result<void> audit(RequestContext& context);
base::Result<void> impersonate(RequestContext& context);
base::Result<void> authorize(RequestContext& context);
// Hands the request to its verb or path; answers.
void dispatch(const std::shared_ptr<RequestContext>& context, const Paths& paths);
// The verb of a resource request that answers with one object.
base::Result<Answer> run_object_verb(RequestContext& context);

}  // namespace apiserver
