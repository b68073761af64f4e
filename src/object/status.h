// metav1.Status: from and to base::Error, and the API's common errors with upstream's messages. The HTTP code of a
// reason is not known here (apiserver/respond.cc has that table): callers pass it. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "object/gvk.h"
#include "object/value.h"

namespace object {

// {"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure",…}. A reason without a name is left out.
Value status_value(const base::Error& error, int code);
// The same as compact JSON text without a newline.
void append_status_json(std::string& out, const base::Error& error, int code);
// What a client makes of a Status that it received.
base::Error error_from_status(const Value& status);
// {"status":"Success","details":{name, group, kind, uid}}: the answer to a delete that returns no object.
Value success_status_value(const base::ErrorDetails& details);
// {"status":"Success","code":201}: the answer of a binding.
Value success_status_value(int code);

// Common errors. GroupResource gives `pods` or `deployments.apps`.
base::Error not_found(const GroupResource& resource, std::string_view name);
base::Error already_exists(const GroupResource& resource, std::string_view name);
base::Error generate_name_exhausted(const GroupResource& resource, std::string_view name);
base::Error conflict(const GroupResource& resource, std::string_view name, std::string_view detail);
// conflict() with "the object has been modified; please apply your changes to the latest version and try again".
base::Error object_modified(const GroupResource& resource, std::string_view name);
// What the client expected of a stored object, and what it is. key: under which it is stored.
struct Precondition {
  std::string_view key, wanted, found;
};
base::Error uid_precondition_failed(const GroupResource& resource, std::string_view name, const Precondition& p);
base::Error resource_version_precondition_failed(const GroupResource& resource, std::string_view name,
                                                 const Precondition& p);
// `name` may be empty.
base::Error forbidden(const GroupResource& resource, std::string_view name, std::string_view detail);
base::Error namespace_terminating(const GroupResource& resource, std::string_view name, std::string_view ns);
base::Error bad_request(std::string message);
base::Error unauthorized();
base::Error method_not_supported(const GroupResource& resource, std::string_view verb);
base::Error resource_expired(std::string message);
base::Error too_old_resource_version(uint64_t wanted, uint64_t oldest);
base::Error watch_expired();  // "The resourceVersion for the provided watch is too old."
base::Error list_expired();   // "The resourceVersion for the provided list is too old."
// "The provided continue parameter is too old to display a consistent list result. …"; the token goes on from the
// newest state.
base::Error continue_expired(std::string continue_token);
base::Error gone(std::string message);
base::Error too_large_resource_version(uint64_t wanted, uint64_t current);
base::Error timeout(std::string_view message, int32_t retry_after_seconds = 0);
base::Error server_timeout(const GroupResource& resource, std::string_view operation, int32_t retry_after_seconds);
base::Error too_many_requests(std::string message, int32_t retry_after_seconds);
base::Error service_unavailable(std::string message);
base::Error internal_error(std::string_view message);
base::Error request_entity_too_large(std::string_view detail);
base::Error not_acceptable(const std::vector<std::string>& accepted);
base::Error unsupported_media_type(const std::vector<std::string>& accepted);

base::Error name_mismatch(std::string_view in_object, std::string_view in_url);
base::Error namespace_mismatch();
base::Error api_version_mismatch(std::string_view in_object, std::string_view expected);

}  // namespace object
