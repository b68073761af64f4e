// Resources that keep nothing: reviews are answered from what the server knows of the request's user.
#include <algorithm>

#include "apiserver/body.h"
#include "apiserver/core.h"
#include "apiserver/verbs/verbs.h"
#include "gen/authentication/v1.h"
#include "gen/authorization/v1.h"
#include "object/status.h"
#include "object/time.h"
#include "schema/proto_struct.h"

namespace apiserver {
namespace {

namespace authorization = ::api::authorization::v1;
namespace authentication = ::api::authentication::v1;

// The one rule of authorization so far (stages/authorize.cc).
bool may_do_everything(const std::vector<std::string>& groups) {
  return std::ranges::find(groups, "system:masters") != groups.end();
}

template <typename T>
base::Result<T> decode_review(RequestContext& context) {
  const Endpoint& endpoint = *context.endpoint;
  TRY_ASSIGN(WriteOptions options, parse_write_options("CreateOptions", context.query, context.header("user-agent")));
  TRY_ASSIGN(std::string raw, decode_body(context, *endpoint.body, endpoint.body_api_version, endpoint.body_kind,
                                          options.field_validation));
  T review;
  TRY(schema::decode_struct(gen::message_of<T>(), raw, &review));
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

template <typename Review>
base::Result<Answer> review_access(RequestContext& context, const std::vector<std::string>& groups, Review review) {
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
    const std::vector<std::string> groups = review.spec.groups;
    return review_access(context, groups, std::move(review));
  }
  return base::fail(object::method_not_supported(context.endpoint->group_resource, "create"));
}

}  // namespace apiserver
