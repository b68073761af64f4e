// Resources that keep nothing: reviews are answered from what the server knows of the request's user.
#include <algorithm>

#include "apiserver/body.h"
#include "apiserver/core.h"
#include "apiserver/verbs/verbs.h"
#include "gen/authentication/v1.h"
#include "gen/authorization/v1.h"
#include "gen/meta/v1.h"
#include "object/field_error.h"
#include "object/status.h"
#include "object/time.h"
#include "schema/apply/managed_fields.h"
#include "schema/proto_struct.h"
#include "schema/proto_value.h"
#include "schema/transcode.h"

namespace apiserver {
namespace {

namespace authorization = ::api::authorization::v1;
namespace authentication = ::api::authentication::v1;

// The one rule of authorization so far (stages/authorize.cc).
bool may_do_everything(const std::vector<std::string>& groups) {
  return std::ranges::find(groups, "system:masters") != groups.end();
}

// The body as a review, with the fields that its sender owns. Compat: upstream manages the fields of every create, also
// of what it does not keep.
template <typename T>
base::Result<T> decode_review(RequestContext& context) {
  const Endpoint& endpoint = *context.endpoint;
  const schema::Message& message = *endpoint.body;
  TRY_ASSIGN(WriteOptions options, parse_write_options("CreateOptions", context.query, context.header("user-agent")));
  TRY_ASSIGN(std::string raw,
             decode_body(context, message, endpoint.body_api_version, endpoint.body_kind, options.field_validation));
  TRY_ASSIGN(object::Value tree, schema::decode_value(message, raw, {endpoint.body_api_version, endpoint.body_kind}));
  schema::ManageContext manage;
  manage.type = schema::message_type(message);
  manage.api_version = endpoint.body_api_version;
  manage.kind = endpoint.body_kind;
  const std::string now = object::format_time(object::to_time(context.now));
  schema::update_managed_fields(manage, object::Value(object::Object()), tree, options.field_manager, now,
                                schema::FieldsForm::kObject);
  raw.clear();
  TRY(schema::encode_value(message, tree, raw));
  T review;
  TRY(schema::decode_struct(message, raw, &review));
  return review;
}

template <typename T>
Answer answer_review(RequestContext& context, const T& review) {
  Answer answer;
  answer.code = 201;
  answer.message = &gen::message_of<T>();
  answer.api_version = context.endpoint->body_api_version;
  answer.kind = context.endpoint->body_kind;
  schema::encode_struct(*answer.message, &review, answer.raw);
  return answer;
}

base::Result<Answer> review_self(RequestContext& context) {
  using Review = authentication::SelfSubjectReview;
  TRY_ASSIGN(Review review, decode_review<Review>(context));
  review.metadata.creation_timestamp = object::to_time(context.now);
  review.status.user_info.username = context.user.name;
  review.status.user_info.uid = context.user.uid;
  review.status.user_info.groups = context.user.groups;
  return answer_review(context, review);
}

object::BadValue shown(const base::Box<authorization::NonResourceAttributes>& attributes) {
  if (!attributes) return object::BadValue::verbatim("null");
  // Compat: upstream shows the struct that it has inside.
  object::Object members;
  members.append("Path", attributes->path);
  members.append("Verb", attributes->verb);
  return object::BadValue(object::Value(std::move(members)));
}

template <typename Selector>
void check_selector(const Selector& selector, const object::FieldPath& path, object::FieldErrors& errors) {
  if (!selector.raw_selector.empty() && !selector.requirements.empty()) {
    errors.invalid(path.child("rawSelector"), selector.raw_selector,
                   "may not specified at the same time as requirements");
  }
  if (selector.raw_selector.empty() && selector.requirements.empty()) {
    errors.required(path.child("requirements"),
                    "when " + path.to_string() + " is specified, requirements or rawSelector is required");
  }
}

// Exactly one of the two kinds of attributes.
template <typename Spec>
void check_attributes(const Spec& spec, object::FieldErrors& errors) {
  const object::FieldPath path("spec");
  if (spec.resource_attributes && spec.non_resource_attributes) {
    errors.invalid(path.child("nonResourceAttributes"), shown(spec.non_resource_attributes),
                   "cannot be specified in combination with resourceAttributes");
  }
  if (!spec.resource_attributes && !spec.non_resource_attributes) {
    errors.invalid(path.child("resourceAttributes"), shown(spec.non_resource_attributes),
                   "exactly one of nonResourceAttributes or resourceAttributes must be specified");
  }
}

template <typename Spec>
void check_selectors(const Spec& spec, object::FieldErrors& errors) {
  if (!spec.resource_attributes) return;
  const object::FieldPath path("spec.resourceAttributes");
  const auto& attributes = *spec.resource_attributes;
  if (attributes.field_selector) check_selector(*attributes.field_selector, path.child("fieldSelector"), errors);
  if (attributes.label_selector) check_selector(*attributes.label_selector, path.child("labelSelector"), errors);
}

// Who is asked about.
void check_subject(const authorization::SubjectAccessReviewSpec& spec, object::FieldErrors& errors) {
  if (!spec.user.empty() || !spec.groups.empty()) return;
  errors.invalid(object::FieldPath("spec").child("user"), spec.user, "at least one of user or group must be specified");
}

void check_metadata(const ::api::meta::v1::ObjectMeta& metadata, std::string_view allowed_namespace,
                    object::FieldErrors& errors) {
  ::api::meta::v1::ObjectMeta rest = metadata;
  rest.managed_fields.clear();
  if (!allowed_namespace.empty()) rest.namespace_.clear();
  if (rest == ::api::meta::v1::ObjectMeta()) return;
  const schema::Message& message = gen::message_of<::api::meta::v1::ObjectMeta>();
  std::string raw, json;
  schema::encode_struct(message, &metadata, raw);
  if (!schema::append_json(message, raw, {}, json)) json = "{}";
  errors.invalid(object::FieldPath("metadata"), object::BadValue::verbatim(std::move(json)),
                 allowed_namespace.empty() ? "must be empty" : "must be empty except for namespace");
}

// Compat: these errors name no kind.
base::Result<void> checked(const object::FieldErrors& errors) {
  if (errors.empty()) return {};
  return base::fail(object::invalid_error("authorization.k8s.io", "", "", errors));
}

base::Result<void> validate(const authorization::SelfSubjectAccessReview& review) {
  object::FieldErrors errors;
  check_attributes(review.spec, errors);
  check_selectors(review.spec, errors);
  check_metadata(review.metadata, "", errors);
  return checked(errors);
}
base::Result<void> validate(const authorization::SubjectAccessReview& review) {
  object::FieldErrors errors;
  check_attributes(review.spec, errors);
  check_subject(review.spec, errors);
  check_selectors(review.spec, errors);
  check_metadata(review.metadata, "", errors);
  return checked(errors);
}
base::Result<void> validate(const authorization::LocalSubjectAccessReview& review) {
  object::FieldErrors errors;
  check_attributes(review.spec, errors);
  check_subject(review.spec, errors);
  check_selectors(review.spec, errors);
  check_metadata(review.metadata, review.metadata.namespace_, errors);
  const auto& spec = review.spec;
  if (spec.resource_attributes && spec.resource_attributes->namespace_ != review.metadata.namespace_) {
    errors.invalid(object::FieldPath("spec.resourceAttributes.namespace"), spec.resource_attributes->namespace_,
                   "must match metadata.namespace");
  }
  if (spec.non_resource_attributes) {
    errors.invalid(object::FieldPath("spec.nonResourceAttributes"), shown(spec.non_resource_attributes),
                   "disallowed on this kind of request");
  }
  return checked(errors);
}

template <typename Review>
base::Result<Answer> review_access(RequestContext& context, const std::vector<std::string>& groups, Review review) {
  TRY(validate(review));
  review.status.allowed = may_do_everything(groups);
  return answer_review(context, review);
}

}  // namespace

base::Result<Answer> create_review(RequestContext& context) {
  const std::string_view kind = context.endpoint->body_kind;
  if (kind == "SelfSubjectReview") return review_self(context);
  if (kind == "SelfSubjectAccessReview") {
    TRY_ASSIGN(auto review, decode_review<authorization::SelfSubjectAccessReview>(context));
    return review_access(context, context.user.groups, std::move(review));
  }
  if (kind == "SubjectAccessReview") {
    TRY_ASSIGN(auto review, decode_review<authorization::SubjectAccessReview>(context));
    const std::vector<std::string> groups = review.spec.groups;
    return review_access(context, groups, std::move(review));
  }
  if (kind == "LocalSubjectAccessReview") {
    TRY_ASSIGN(auto review, decode_review<authorization::LocalSubjectAccessReview>(context));
    if (review.metadata.namespace_.empty()) review.metadata.namespace_ = context.info.ns;
    if (review.metadata.namespace_ != context.info.ns) return base::fail(object::namespace_mismatch());
    const std::vector<std::string> groups = review.spec.groups;
    return review_access(context, groups, std::move(review));
  }
  return base::fail(object::method_not_supported(context.endpoint->group_resource, "create"));
}

}  // namespace apiserver
