#include "apiserver/core.h"
#include "apiserver/stages/stages.h"

namespace apiserver {

// Compat: a client may name its own audit id.
base::Result<void> audit(RequestContext& context) {
  constexpr size_t kMaxAuditId = 64;
  const std::string_view given = context.header("audit-id");
  context.audit_id =
      !given.empty() && given.size() <= kMaxAuditId ? std::string(given) : base::new_uuid(context.core->rng());
  return {};
}

}  // namespace apiserver
