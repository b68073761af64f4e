#include "auth/authenticator.h"

#include <algorithm>

namespace auth {
namespace {

constexpr std::string_view kAuthenticated = "system:authenticated";

std::string_view trim(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t\r");
  return begin == std::string_view::npos ? std::string_view()
                                         : text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1);
}

// Fields of one CSV line; a quoted field may contain commas, and "" inside it is a quote.
std::vector<std::string> split_csv(std::string_view line) {
  std::vector<std::string> fields(1);
  bool quoted = false;
  for (size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (quoted && c == '"' && i + 1 < line.size() && line[i + 1] == '"') {
      fields.back() += '"';
      ++i;
    } else if (c == '"') {
      quoted = !quoted;
    } else if (c == ',' && !quoted) {
      fields.emplace_back();
    } else {
      fields.back() += c;
    }
  }
  for (std::string& field : fields) field = trim(field);
  return fields;
}

template <typename Each>
void each_part(std::string_view text, char separator, Each each) {
  size_t at = 0;
  while (at <= text.size()) {
    const size_t end = std::min(text.find(separator, at), text.size());
    each(text.substr(at, end - at));
    at = end + 1;
  }
}

}  // namespace

base::Result<void> Authenticator::load_tokens(std::string_view csv) {
  int number = 0;
  base::Result<void> result;
  each_part(csv, '\n', [&](std::string_view line) {
    ++number;
    if (!result || trim(line).empty()) return;
    std::vector<std::string> fields = split_csv(trim(line));
    if (fields.size() < 3 || fields[0].empty() || fields[1].empty()) {
      result = base::fail(base::Reason::kInvalid,
                          "token file line " + std::to_string(number) + ": expected token,user,uid[,\"groups\"]");
      return;
    }
    UserInfo user{fields[1], fields[2], {}};
    if (fields.size() > 3) {
      each_part(fields[3], ',', [&](std::string_view group) {
        if (!trim(group).empty()) user.groups.emplace_back(trim(group));
      });
    }
    add_token(std::move(fields[0]), std::move(user));
  });
  return result;
}

void Authenticator::add_token(std::string token, UserInfo user) { tokens_[std::move(token)] = std::move(user); }

base::Result<UserInfo> Authenticator::authenticate(const net::Request& request) const {
  if (request.peer && clock_->wall_now() < request.peer->not_after) {
    UserInfo user{request.peer->common_name, request.peer->uid, request.peer->organizations};
    user.groups.emplace_back(kAuthenticated);
    return user;
  }
  const std::string_view authorization = request.header("authorization");
  const size_t space = authorization.find(' ');
  if (space != std::string_view::npos && net::equal_ignore_case(authorization.substr(0, space), "bearer")) {
    auto found = tokens_.find(trim(authorization.substr(space + 1)));
    if (found == tokens_.end()) return base::fail(base::Reason::kUnauthorized, "Unauthorized");
    UserInfo user = found->second;
    user.groups.emplace_back(kAuthenticated);
    return user;
  }
  return UserInfo{"system:anonymous", "", {"system:unauthenticated"}};
}

}  // namespace auth
