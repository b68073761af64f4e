// Who sent a request: client certificates that verify, and static bearer tokens (--token-auth-file). Compat: upstream's
// union of authenticators: a bad token is refused; a request without credentials is system:anonymous.
// Immutable after construction. Thread: any.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "net/http.h"

namespace auth {

struct UserInfo {
  std::string name;
  std::string uid;
  std::vector<std::string> groups;
};

class Authenticator {
 public:
  explicit Authenticator(const base::Clock* clock) : clock_(clock) {}
  // Lines of upstream's CSV: token,user,uid[,"group1,group2"]. kInvalid names the line that is wrong.
  base::Result<void> load_tokens(std::string_view csv);
  void add_token(std::string token, UserInfo user);
  // kUnauthorized for credentials that are not good.
  base::Result<UserInfo> authenticate(const net::Request& request) const;

 private:
  const base::Clock* clock_;
  std::map<std::string, UserInfo, std::less<>> tokens_;
};

}  // namespace auth
