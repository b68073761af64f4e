// Field errors, Status and names of kinds.
#include <gtest/gtest.h>

#include "object/field_error.h"
#include "object/gvk.h"
#include "object/json.h"
#include "object/status.h"

namespace object {
namespace {

TEST(FieldPath, Prints) {
  const FieldPath root, spec("spec");
  EXPECT_EQ(root.to_string(), "<nil>");
  EXPECT_EQ(FieldPath("").to_string(), "[]");
  const FieldPath child = root.child("a");
  EXPECT_EQ(child.to_string(), "a");
  const FieldPath containers = spec.child("containers"), first = containers.index(0), name = first.child("name");
  EXPECT_EQ(name.to_string(), "spec.containers[0].name");
  const FieldPath data("data"), key = data.key("a.b/c");
  EXPECT_EQ(key.to_string(), "data[a.b/c]");
}

TEST(FieldErrors, Bodies) {
  const FieldPath path("spec");
  FieldErrors errors;
  errors.not_found(path, "none");
  errors.required(path);
  errors.required(path, "must be specified");
  errors.duplicate(path, "x");
  errors.invalid(path, "a\nb", "bad");
  errors.invalid(path, -1, "must be greater than or equal to 0");
  errors.invalid(path, true, "no");
  errors.invalid(path, 1.5, "no");
  errors.invalid(path, *parse_json(R"({"a":null})"), "field is immutable");
  errors.invalid(path, Value(), "must have at least one stored version");
  errors.invalid(path, BadValue::omitted(), "no value");
  errors.not_supported(path, "X", {"ByNamespace", "ByUser"});
  errors.not_supported(path, BadValue::verbatim("null"), std::vector<std::string>{"storage"});
  errors.forbidden(path, "may not be set");
  errors.too_long(path, 63);
  errors.too_many(path, 3, 2);
  errors.too_many(path, 2, 1);
  errors.internal(path, "oops");
  errors.type_invalid(path, "string", "spec.size in body must be of type integer: \"string\"");
  errors.invalid_each(path, "x", {"one", "two"});
  const std::pair<std::string_view, std::string_view> wanted[] = {
      {"FieldValueNotFound", R"(Not found: "none")"},
      {"FieldValueRequired", "Required value"},
      {"FieldValueRequired", "Required value: must be specified"},
      {"FieldValueDuplicate", R"(Duplicate value: "x")"},
      {"FieldValueInvalid", R"(Invalid value: "a\nb": bad)"},
      {"FieldValueInvalid", "Invalid value: -1: must be greater than or equal to 0"},
      {"FieldValueInvalid", "Invalid value: true: no"},
      {"FieldValueInvalid", "Invalid value: 1.5: no"},
      {"FieldValueInvalid", R"(Invalid value: {"a":null}: field is immutable)"},
      {"FieldValueInvalid", "Invalid value: null: must have at least one stored version"},
      {"FieldValueInvalid", "Invalid value: no value"},
      {"FieldValueNotSupported", R"(Unsupported value: "X": supported values: "ByNamespace", "ByUser")"},
      {"FieldValueNotSupported", R"(Unsupported value: null: supported values: "storage")"},
      {"FieldValueForbidden", "Forbidden: may not be set"},
      {"FieldValueTooLong", "Too long: may not be more than 63 bytes"},
      {"FieldValueTooMany", "Too many: 3: must have at most 2 items"},
      {"FieldValueTooMany", "Too many: 2: must have at most 1 item"},
      {"InternalError", "Internal error: oops"},
      {"FieldValueTypeInvalid", R"(Invalid value: "string": spec.size in body must be of type integer: "string")"},
      {"FieldValueInvalid", R"(Invalid value: "x": one)"},
      {"FieldValueInvalid", R"(Invalid value: "x": two)"},
  };
  ASSERT_EQ(errors.size(), std::size(wanted));
  for (size_t i = 0; i < errors.size(); ++i) {
    EXPECT_EQ(field_error_reason(errors.errors()[i].type), wanted[i].first);
    EXPECT_EQ(errors.errors()[i].body(), wanted[i].second);
  }
}

TEST(FieldErrors, InvalidError) {
  FieldErrors errors;
  const FieldPath metadata("metadata"), uid = metadata.child("uid");
  errors.invalid(uid, "wrong", "field is immutable");
  errors.invalid(uid, "wrong", "field is immutable");
  EXPECT_EQ(
      to_json(status_value(invalid_error("", "ConfigMap", "a", errors), 422)),
      R"({"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"ConfigMap \"a\" is invalid: )"
      R"(metadata.uid: Invalid value: \"wrong\": field is immutable","reason":"Invalid","details":{"name":"a",)"
      R"("kind":"ConfigMap","causes":[{"reason":"FieldValueInvalid","message":"Invalid value: \"wrong\": field is )"
      R"(immutable","field":"metadata.uid"},{"reason":"FieldValueInvalid","message":"Invalid value: \"wrong\": )"
      R"(field is immutable","field":"metadata.uid"}]},"code":422})");
  errors.required(FieldPath("spec"));
  EXPECT_EQ(invalid_error("apps", "Deployment", "d", errors).message,
            R"(Deployment.apps "d" is invalid: [metadata.uid: Invalid value: "wrong": field is immutable, )"
            R"(spec: Required value])");
}

TEST(Status, CommonErrors) {
  const GroupResource pods{"", "pods"}, leases{"coordination.k8s.io", "leases"};
  const struct {
    base::Error error;
    base::Reason reason;
    std::string message, details;  // details as JSON, "" when there are none
  } cases[] = {
      {not_found(pods, "a"), base::Reason::kNotFound, R"(pods "a" not found)", R"({"name":"a","kind":"pods"})"},
      {already_exists(leases, "l"), base::Reason::kAlreadyExists, R"(leases.coordination.k8s.io "l" already exists)",
       R"({"name":"l","group":"coordination.k8s.io","kind":"leases"})"},
      {generate_name_exhausted(pods, "a-x"), base::Reason::kAlreadyExists,
       R"(pods "a-x" already exists, the server was not able to generate a unique name for the object)",
       R"({"name":"a-x","kind":"pods","retryAfterSeconds":1})"},
      {object_modified(leases, "l"), base::Reason::kConflict,
       R"(Operation cannot be fulfilled on leases.coordination.k8s.io "l": the object has been modified; please apply )"
       R"(your changes to the latest version and try again)",
       R"({"name":"l","group":"coordination.k8s.io","kind":"leases"})"},
      {uid_precondition_failed(pods, "a", {"/registry/pods/n/a", "u1", "u2"}), base::Reason::kConflict,
       R"(Operation cannot be fulfilled on pods "a": StorageError: invalid object, Code: 4, Key: /registry/pods/n/a, )"
       R"(ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: u1, UID in object meta: u2)",
       R"({"name":"a","kind":"pods"})"},
      {forbidden(pods, "", R"(User "u" cannot list resource "pods" in API group "" at the cluster scope)"),
       base::Reason::kForbidden,
       R"(pods is forbidden: User "u" cannot list resource "pods" in API group "" at the cluster scope)",
       R"({"kind":"pods"})"},
      {forbidden({}, "", R"(User "u" cannot get path "/api")"), base::Reason::kForbidden,
       R"(forbidden: User "u" cannot get path "/api")", "{}"},
      {namespace_terminating({"", "configmaps"}, "late", "nsl-a"), base::Reason::kForbidden,
       R"(configmaps "late" is forbidden: unable to create new content in namespace nsl-a because it is being terminated)",
       R"({"name":"late","kind":"configmaps","causes":[{"reason":"NamespaceTerminating",)"
       R"("message":"namespace nsl-a is being terminated","field":"metadata.namespace"}]})"},
      {unauthorized(), base::Reason::kUnauthorized, "Unauthorized", ""},
      {method_not_supported(leases, "patch"), base::Reason::kMethodNotAllowed,
       R"(patch is not supported on resources of kind "leases.coordination.k8s.io")",
       R"({"group":"coordination.k8s.io","kind":"leases"})"},
      {too_old_resource_version(5, 9), base::Reason::kExpired, "too old resource version: 5 (9)", ""},
      {too_large_resource_version(9, 5), base::Reason::kTimeout, "Timeout: Too large resource version: 9, current: 5",
       R"({"causes":[{"reason":"ResourceVersionTooLarge","message":"Too large resource version"}],"retryAfterSeconds":1})"},
      {internal_error("boom"), base::Reason::kInternalError, "Internal error occurred: boom",
       R"({"causes":[{"message":"boom"}]})"},
      {request_entity_too_large("limit is 3145728"), base::Reason::kRequestEntityTooLarge,
       "Request entity too large: limit is 3145728", ""},
      {not_acceptable({"application/json", "application/yaml"}), base::Reason::kNotAcceptable,
       "only the following media types are accepted: application/json, application/yaml", ""},
      {too_many_requests("storage is (re)initializing", 1), base::Reason::kTooManyRequests,
       "storage is (re)initializing", R"({"retryAfterSeconds":1})"},
      {name_mismatch("b", "a"), base::Reason::kBadRequest,
       "the name of the object (b) does not match the name on the URL (a)", ""},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(c.error.message, c.message);
    EXPECT_EQ(c.error.reason, c.reason) << c.message;
    const Value status = status_value(c.error, 400);
    const Value* details = status.find("details");
    EXPECT_EQ(details ? to_json(*details) : "", c.details) << c.message;
    // What a client reads is what the server meant.
    const base::Error read = error_from_status(status);
    EXPECT_EQ(read.reason, c.reason);
    EXPECT_EQ(to_json(status_value(read, 400)), to_json(status));
  }
}

TEST(Status, TextAndSuccess) {
  std::string out;
  append_status_json(out, base::Error(base::Reason::kUnknown, "failed <x>"), 500);
  EXPECT_EQ(
      out,
      R"({"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"failed \u003cx\u003e","code":500})");
  EXPECT_EQ(
      to_json(success_status_value(base::ErrorDetails{.name = "a", .kind = "configmaps", .uid = "u"})),
      R"({"kind":"Status","apiVersion":"v1","metadata":{},"status":"Success","details":{"name":"a","kind":"configmaps","uid":"u"}})");
  EXPECT_EQ(to_json(success_status_value(201)),
            R"({"kind":"Status","apiVersion":"v1","metadata":{},"status":"Success","code":201})");
}

TEST(Gvk, ParsesAndPrints) {
  EXPECT_EQ(GroupVersion::parse("apps/v1")->to_string(), "apps/v1");
  EXPECT_EQ(*GroupVersion::parse("v1"), (GroupVersion{"", "v1"}));
  EXPECT_TRUE(GroupVersion::parse("")->empty());
  EXPECT_EQ(GroupVersion::parse("a/b/c").error().message, "unexpected GroupVersion string: a/b/c");
  const auto kind = GroupVersionKind::parse("apps/v1", "Deployment");
  EXPECT_EQ(kind->to_string(), "apps/v1, Kind=Deployment");
  EXPECT_EQ(kind->api_version(), "apps/v1");
  EXPECT_EQ(kind->group_kind().to_string(), "Deployment.apps");
  EXPECT_EQ((GroupVersionKind{"", "v1", "Pod"}).to_string(), "/v1, Kind=Pod");
  EXPECT_EQ((GroupVersionResource{"apps", "v1", "deployments"}).to_string(), "apps/v1, Resource=deployments");
  EXPECT_EQ(GroupResource::parse("leases.coordination.k8s.io"), (GroupResource{"coordination.k8s.io", "leases"}));
  EXPECT_EQ(GroupKind::parse("Pod"), (GroupKind{"", "Pod"}));
}

}  // namespace
}  // namespace object
