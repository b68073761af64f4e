// The request pipeline: one function whose lines are the stages in running order.
#pragma once

#include <memory>

#include "apiserver/context.h"
#include "auth/authenticator.h"

namespace apiserver {

class Paths;

struct PipelineParts {
  Core* core = nullptr;
  const auth::Authenticator* authenticator = nullptr;
  const Paths* paths = nullptr;  // what is served outside of /api and /apis' resources
};

// A request from the network: runs every stage and answers through the writer. Called on a loop.
void serve(const PipelineParts& parts, std::shared_ptr<net::Request> request,
           std::shared_ptr<net::ResponseWriter> writer);

// A request of a component of this process, its context filled in up to authorization. The context's writer is null.
base::Result<Answer> serve_in_process(RequestContext& context);

}  // namespace apiserver
