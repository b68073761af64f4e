#include "apiserver/stages/stages.h"

namespace apiserver {

base::Result<void> authenticate(RequestContext& context, const auth::Authenticator& authenticator) {
  TRY_ASSIGN(auth::UserInfo user, authenticator.authenticate(*context.http));
  context.user = User{std::move(user.name), std::move(user.uid), std::move(user.groups)};
  return {};
}

}  // namespace apiserver
