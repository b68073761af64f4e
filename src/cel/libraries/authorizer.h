// The authorizer library's port: what `authorizer` in an expression asks. Thread: that of the evaluation.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cel/value.h"

namespace cel {

// What is asked of the port. A path check has `path`; a resource check has the others.
struct AuthorizationQuestion {
  std::string path;
  std::string group, resource, subresource, namespace_name, name, verb;
  // Set when the expression speaks for a service account instead of the request's user.
  std::optional<std::pair<std::string, std::string>> service_account;  // namespace, name
  std::optional<std::string> field_selector, label_selector;           // as written
};

struct AuthorizationAnswer {
  bool allowed = false;
  std::string reason;
  std::string error;  // "" when the authorizer could decide
};

class AuthorizerPort {
 public:
  virtual ~AuthorizerPort() = default;
  virtual AuthorizationAnswer check(const AuthorizationQuestion& question) const = 0;
};

// The types of the library: declare a variable `authorizer` of authorizer_type() and `authorizer.requestResource` of
// resource_check_type().
const Type* authorizer_type();
const Type* resource_check_type();
// The port must outlive the evaluation.
Value make_authorizer(Arena& arena, const AuthorizerPort& port);
// authorizer.requestResource: a resource check that already knows what the request is about.
Value make_request_resource(Arena& arena, const AuthorizerPort& port, const AuthorizationQuestion& question);

}  // namespace cel
