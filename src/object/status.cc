#include "object/status.h"

#include "codec/json_text.h"
#include "object/json.h"

namespace object {
namespace {

using base::Error;
using base::ErrorDetails;
using base::Reason;

// The cause in which an Error carries what goes out as metadata.continue of the Status, and not as a cause.
constexpr const char* kContinueCause = "Continue";

void set_if(Object& object, std::string_view key, const std::string& text) {
  if (!text.empty()) object.append(std::string(key), text);
}

Object status_head(const char* status, const std::string& continue_token = {}) {
  Object object, metadata;
  object.append("kind", "Status");
  object.append("apiVersion", "v1");
  set_if(metadata, "continue", continue_token);
  object.append("metadata", std::move(metadata));
  object.append("status", status);
  return object;
}

Value details_value(const ErrorDetails& details) {
  Object object;
  set_if(object, "name", details.name);
  set_if(object, "group", details.group);
  set_if(object, "kind", details.kind);
  set_if(object, "uid", details.uid);
  if (!details.causes.empty()) {
    Array causes;
    for (const base::Cause& cause : details.causes) {
      Object entry;
      set_if(entry, "reason", cause.reason);
      set_if(entry, "message", cause.message);
      set_if(entry, "field", cause.field);
      causes.emplace_back(std::move(entry));
    }
    object.append("causes", std::move(causes));
  }
  if (details.retry_after_seconds != 0) {
    object.append("retryAfterSeconds", static_cast<int64_t>(details.retry_after_seconds));
  }
  return object;
}

ErrorDetails details_of(const GroupResource& resource, std::string_view name) {
  return {.name = std::string(name), .group = resource.group, .kind = resource.resource};
}

// Where a list that expired goes on; "" for any other error.
std::string continue_of(const Error& error) {
  if (error.reason != Reason::kExpired || !error.details) return "";
  for (const base::Cause& cause : error.details->causes) {
    if (cause.reason == kContinueCause) return cause.message;
  }
  return "";
}

// `<resource> "<name>"`
std::string subject(const GroupResource& resource, std::string_view name) {
  return resource.to_string() + ' ' + codec::go_quoted(name);
}

std::string joined(const std::vector<std::string>& parts) {
  std::string out;
  for (const std::string& part : parts) out.append(out.empty() ? "" : ", ").append(part);
  return out;
}

std::string text_of(const Value& value, std::string_view key) { return std::string(value.string_at({key})); }

}  // namespace

Value status_value(const Error& error, int code) {
  const std::string continues = continue_of(error);
  Object object = status_head("Failure", continues);
  set_if(object, "message", error.message);
  set_if(object, "reason", std::string(base::reason_name(error.reason)));
  // Compat: a list that expired has a token to go on with, and no details.
  if (error.details && continues.empty()) object.append("details", details_value(*error.details));
  object.append("code", code);
  return object;
}

void append_status_json(std::string& out, const Error& error, int code) { append_json(out, status_value(error, code)); }

Error error_from_status(const Value& status) {
  Error error(base::reason_from_name(status.string_at({"reason"})), text_of(status, "message"));
  const Value* found = status.find("details");
  if (!found || !found->is_object()) return error;
  ErrorDetails details{.name = text_of(*found, "name"),
                       .group = text_of(*found, "group"),
                       .kind = text_of(*found, "kind"),
                       .uid = text_of(*found, "uid")};
  if (const Value* causes = found->find("causes"); causes && causes->array_if()) {
    for (const Value& cause : *causes->array_if()) {
      details.causes.push_back({text_of(cause, "reason"), text_of(cause, "message"), text_of(cause, "field")});
    }
  }
  const Value* retry = found->find("retryAfterSeconds");
  if (retry && retry->int_if()) details.retry_after_seconds = static_cast<int32_t>(*retry->int_if());
  error.details = std::make_shared<const ErrorDetails>(std::move(details));
  return error;
}

Value success_status_value(const ErrorDetails& details) {
  Object object = status_head("Success");
  object.append("details", details_value(details));
  return object;
}

Value success_status_value(int code) {
  Object object = status_head("Success");
  object.append("code", code);
  return object;
}

Error not_found(const GroupResource& resource, std::string_view name) {
  return {Reason::kNotFound, subject(resource, name) + " not found", details_of(resource, name)};
}

Error already_exists(const GroupResource& resource, std::string_view name) {
  return {Reason::kAlreadyExists, subject(resource, name) + " already exists", details_of(resource, name)};
}

Error generate_name_exhausted(const GroupResource& resource, std::string_view name) {
  ErrorDetails details = details_of(resource, name);
  details.retry_after_seconds = 1;
  return {Reason::kAlreadyExists,
          subject(resource, name) + " already exists, the server was not able to generate a unique name for the object",
          std::move(details)};
}

Error conflict(const GroupResource& resource, std::string_view name, std::string_view detail) {
  std::string message = "Operation cannot be fulfilled on " + subject(resource, name) + ": ";
  message += detail;
  return {Reason::kConflict, std::move(message), details_of(resource, name)};
}

Error object_modified(const GroupResource& resource, std::string_view name) {
  return conflict(resource, name,
                  "the object has been modified; please apply your changes to the latest version and try again");
}

// Compat: upstream shows the words of its storage layer.
static Error precondition_failed(const GroupResource& resource, std::string_view name, std::string_view what,
                                 const Precondition& p) {
  std::string detail = "StorageError: invalid object, Code: 4, Key: ";
  detail.append(p.key).append(", ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: ").append(what);
  detail.append(" in precondition: ").append(p.wanted).append(", ").append(what);
  detail.append(" in object meta: ").append(p.found);
  return conflict(resource, name, detail);
}

Error uid_precondition_failed(const GroupResource& resource, std::string_view name, const Precondition& p) {
  return precondition_failed(resource, name, "UID", p);
}

Error resource_version_precondition_failed(const GroupResource& resource, std::string_view name,
                                           const Precondition& p) {
  return precondition_failed(resource, name, "ResourceVersion", p);
}

Error forbidden(const GroupResource& resource, std::string_view name, std::string_view detail) {
  std::string message;
  if (resource.resource.empty() && resource.group.empty()) {
    message = "forbidden: ";
  } else {
    message = (name.empty() ? resource.to_string() : subject(resource, name)) + " is forbidden: ";
  }
  message += detail;
  return {Reason::kForbidden, std::move(message), details_of(resource, name)};
}

Error namespace_terminating(const GroupResource& resource, std::string_view name, std::string_view ns) {
  const std::string text(ns);
  ErrorDetails details = details_of(resource, name);
  details.causes.push_back(
      {"NamespaceTerminating", "namespace " + text + " is being terminated", "metadata.namespace"});
  return {
      Reason::kForbidden,
      forbidden(resource, name, "unable to create new content in namespace " + text + " because it is being terminated")
          .message,
      std::move(details)};
}

Error bad_request(std::string message) { return {Reason::kBadRequest, std::move(message)}; }
Error unauthorized() { return {Reason::kUnauthorized, "Unauthorized"}; }

Error method_not_supported(const GroupResource& resource, std::string_view verb) {
  return {Reason::kMethodNotAllowed,
          std::string(verb) + " is not supported on resources of kind " + codec::go_quoted(resource.to_string()),
          details_of(resource, "")};
}

Error resource_expired(std::string message) { return {Reason::kExpired, std::move(message)}; }
Error too_old_resource_version(uint64_t wanted, uint64_t oldest) {
  return resource_expired("too old resource version: " + std::to_string(wanted) + " (" + std::to_string(oldest) + ")");
}
Error watch_expired() { return resource_expired("The resourceVersion for the provided watch is too old."); }
Error list_expired() { return resource_expired("The resourceVersion for the provided list is too old."); }
Error continue_expired(std::string continue_token) {
  ErrorDetails details;
  details.causes.push_back({kContinueCause, std::move(continue_token), ""});
  return {Reason::kExpired,
          "The provided continue parameter is too old to display a consistent list result. You can start a new list "
          "without the continue parameter, or use the continue token in this response to retrieve the remainder of the "
          "results. Continuing with the provided token results in an inconsistent list - objects that were created, "
          "modified, or deleted between the time the first chunk was returned and now may show up in the list.",
          std::move(details)};
}
Error gone(std::string message) { return {Reason::kGone, std::move(message)}; }

Error too_large_resource_version(uint64_t wanted, uint64_t current) {
  ErrorDetails details;
  details.causes.push_back({"ResourceVersionTooLarge", "Too large resource version", ""});
  details.retry_after_seconds = 1;
  return {Reason::kTimeout,
          "Timeout: Too large resource version: " + std::to_string(wanted) + ", current: " + std::to_string(current),
          std::move(details)};
}

Error timeout(std::string_view message, int32_t retry_after_seconds) {
  ErrorDetails details;
  details.retry_after_seconds = retry_after_seconds;
  return {Reason::kTimeout, "Timeout: " + std::string(message), std::move(details)};
}

Error server_timeout(const GroupResource& resource, std::string_view operation, int32_t retry_after_seconds) {
  ErrorDetails details = details_of(resource, operation);
  details.retry_after_seconds = retry_after_seconds;
  return {Reason::kServerTimeout,
          "The " + std::string(operation) + " operation against " + resource.to_string() +
              " could not be completed at this time, please try again.",
          std::move(details)};
}

Error too_many_requests(std::string message, int32_t retry_after_seconds) {
  ErrorDetails details;
  details.retry_after_seconds = retry_after_seconds;
  return {Reason::kTooManyRequests, std::move(message), std::move(details)};
}

Error service_unavailable(std::string message) { return {Reason::kServiceUnavailable, std::move(message)}; }

Error internal_error(std::string_view message) {
  ErrorDetails details;
  details.causes.push_back({"", std::string(message), ""});
  return {Reason::kInternalError, "Internal error occurred: " + std::string(message), std::move(details)};
}

Error request_entity_too_large(std::string_view detail) {
  return {Reason::kRequestEntityTooLarge, "Request entity too large: " + std::string(detail)};
}

Error not_acceptable(const std::vector<std::string>& accepted) {
  return {Reason::kNotAcceptable, "only the following media types are accepted: " + joined(accepted)};
}

Error unsupported_media_type(const std::vector<std::string>& accepted) {
  return {Reason::kUnsupportedMediaType,
          "the body of the request was in an unknown format - accepted media types include: " + joined(accepted)};
}

Error name_mismatch(std::string_view in_object, std::string_view in_url) {
  std::string message = "the name of the object (";
  message.append(in_object).append(") does not match the name on the URL (").append(in_url).append(")");
  return bad_request(std::move(message));
}

Error namespace_mismatch() {
  return bad_request("the namespace of the provided object does not match the namespace sent on the request");
}

Error api_version_mismatch(std::string_view in_object, std::string_view expected) {
  std::string message = "the API version in the data (";
  message.append(in_object).append(") does not match the expected API version (").append(expected).append(")");
  return bad_request(std::move(message));
}

}  // namespace object
