#include <algorithm>
#include <charconv>

#include "api/custom/custom_object.h"
#include "apiserver/core.h"
#include "apiserver/crd/custom_kind.h"
#include "apiserver/respond.h"
#include "apiserver/stages/stages.h"
#include "apiserver/verbs/verbs.h"
#include "object/status.h"

namespace apiserver {
namespace {

void not_found_page(RequestContext& context) {
  net::Headers headers = answer_headers(context, "text/plain; charset=utf-8");
  headers.push_back({"x-content-type-options", "nosniff"});
  context.writer->send(404, std::move(headers), "404 page not found\n");
}

base::Error resource_not_found() {
  return {base::Reason::kNotFound, "the server could not find the requested resource", base::ErrorDetails{}};
}
base::Error method_not_allowed() {
  return {base::Reason::kMethodNotAllowed, "the server does not allow this method on the requested resource",
          base::ErrorDetails{}};
}

base::Error definition_terminating() {
  return {base::Reason::kMethodNotAllowed, "create not allowed while custom resource definition is terminating",
          base::ErrorDetails{}};
}

base::Result<void> read_patch_type(RequestContext& context) {
  const bool custom = context.endpoint->custom != nullptr;
  std::string_view type = context.header("content-type");
  type = type.substr(0, type.find(';'));
  context.body_type = MediaType::kJson;
  if (type == "application/json-patch+json") {
    context.patch_type = client::PatchType::kJson;
  } else if (type == "application/merge-patch+json") {
    context.patch_type = client::PatchType::kMerge;
  } else if (type == "application/strategic-merge-patch+json" && !custom) {
    context.patch_type = client::PatchType::kStrategicMerge;
  } else if (type == "application/apply-patch+yaml") {
    context.patch_type = client::PatchType::kApply;
    context.body_type = MediaType::kYaml;
  } else if (type == "application/apply-patch+cbor" && context.cbor == CborServing::kOn) {
    context.patch_type = client::PatchType::kApply;
    context.body_type = MediaType::kCbor;
  } else if (type == "application/strategic-merge-patch+json") {
    return base::fail(
        base::Reason::kUnsupportedMediaType,
        "the body of the request was in an unknown format - accepted media types include: application/json-patch+json, "
        "application/merge-patch+json, application/apply-patch+yaml" +
            std::string(context.cbor == CborServing::kOn ? ", application/apply-patch+cbor" : ""));
  } else {
    // Compat: the router refuses it; no route takes it.
    return base::fail(
        base::Error(base::Reason::kUnsupportedMediaType, "415: Unsupported Media Type", base::ErrorDetails{}));
  }
  return {};
}

// Compat: custom objects have no protobuf form; their metadata and scale have.
base::Result<void> refuse_protobuf(const RequestContext& context) {
  const Endpoint& endpoint = *context.endpoint;
  if (!endpoint.custom || context.accepted.type != MediaType::kProtobuf || context.accepted.form != Form::kObject ||
      !api::is_custom(*endpoint.body)) {
    return {};
  }
  return base::fail(base::Error(base::Reason::kNotAcceptable,
                                "object *unstructured.Unstructured" +
                                    std::string(context.info.verb == "list" ? "List" : "") +
                                    " does not implement the protobuf marshalling interface and cannot be encoded to a "
                                    "protobuf message",
                                base::ErrorDetails{}));
}

// Compat: what is created and not kept (reviews, tokens, bindings, evictions) has no rows to show.
base::Result<void> refuse_table(const RequestContext& context) {
  const Endpoint& endpoint = *context.endpoint;
  const bool kept = endpoint.is_stored() && (!endpoint.is_subresource() || endpoint.body == endpoint.served);
  if (context.accepted.form != Form::kTable || context.info.verb != "create" || kept) return {};
  return base::fail(not_acceptable_form(context.cbor));
}

base::Result<void> read_media_types(RequestContext& context) {
  TRY_ASSIGN(context.accepted, negotiate_answer(context.header("accept"), AnswerKind::kObject, context.cbor));
  TRY(refuse_table(context));
  TRY(refuse_protobuf(context));
  if (context.info.verb == "patch") return read_patch_type(context);
  // Compat: where a body must be, its type is looked at even when there is none.
  const bool wanted = context.info.verb == "create" || context.info.verb == "update";
  if (context.body.empty() && !wanted) return {};
  TRY_ASSIGN(context.body_type, body_media_type(context.header("content-type"), context.cbor));
  if (context.body_type == MediaType::kProtobuf && context.endpoint->custom &&
      api::is_custom(*context.endpoint->body)) {
    std::vector<std::string> types = served_media_types(context.cbor);
    std::erase(types, "application/vnd.kubernetes.protobuf");
    return base::fail(object::unsupported_media_type(types));
  }
  return {};
}

// Of "1.33"; 0 of what is no version.
int minor_of(std::string_view version) {
  int minor = 0;
  const size_t dot = version.find('.');
  if (dot != std::string_view::npos) std::from_chars(version.data() + dot + 1, version.data() + version.size(), minor);
  return minor;
}

// Compat: "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"; where the version goes too:
// "…+, unavailable in v1.38+". What a later version will deprecate is not yet.
void warn_of_deprecation(RequestContext& context) {
  if (context.endpoint->custom) {
    if (!context.endpoint->deprecation.empty()) context.warnings.push_back(context.endpoint->deprecation);
    return;
  }
  const schema::Kind* kind = gen::find_kind(context.info.group, context.info.version, context.endpoint->kind);
  constexpr int kServedMinor = 35;
  if (!kind || kind->deprecated.empty() || minor_of(kind->deprecated) > kServedMinor) return;
  std::string text = context.endpoint->api_version + " " + context.endpoint->kind + " is deprecated in v" +
                     std::string(kind->deprecated) + "+";
  if (!kind->removed.empty()) text += ", unavailable in v" + std::string(kind->removed) + "+";
  if (!kind->replacement.empty()) {
    std::string replacement(kind->replacement);  // "group,version,Kind"
    if (const size_t comma = replacement.find(','); comma != std::string::npos) replacement[comma] = '/';
    if (const size_t comma = replacement.find(','); comma != std::string::npos) replacement[comma] = ' ';
    text += "; use " + replacement;
  }
  context.warnings.push_back(std::move(text));
}

// Does the URL name what the verb needs? Compat: upstream has no route there and says 405.
bool fits(const RequestContext& context) {
  const RequestInfo& info = context.info;
  const bool named = !info.name.empty();
  if (!info.rest.empty()) return false;
  if (context.endpoint->is_subresource()) return named;
  const bool collection =
      info.verb == "list" || info.verb == "watch" || info.verb == "create" || info.verb == "deletecollection";
  if (info.verb == "create") return !named;
  return collection || named;
}

// Compat: where no method has a route, the path itself is unknown: 404, not 405.
bool has_route(const RequestContext& context) {
  const Endpoint& endpoint = *context.endpoint;
  if (endpoint.is_subresource() || context.info.name.empty()) return true;
  constexpr std::string_view kNamed[] = {"get", "update", "patch", "delete"};
  return std::ranges::any_of(kNamed, [&](std::string_view verb) { return endpoint.allows(verb); });
}

}  // namespace

base::Result<Answer> run_object_verb(RequestContext& context) {
  const std::string& verb = context.info.verb;
  if (verb == "get") return context.endpoint->resource->subresource == "scale" ? get_scale(context) : get_verb(context);
  if (verb == "create") return create_verb(context);
  if (verb == "update") return update_verb(context);
  if (verb == "patch") return patch_verb(context);
  if (verb == "delete") return delete_verb(context);
  return base::fail(method_not_allowed());
}

namespace {

void run_verb(const std::shared_ptr<RequestContext>& context) {
  const RequestInfo& info = context->info;
  if (info.verb == "watch") return watch_verb(context);
  if (auto types = read_media_types(*context); !types) return respond_error(*context, types.error());
  if (info.verb == "list") return list_verb(context);
  if (info.verb == "deletecollection") return delete_collection_verb(context);
  respond(*context, run_object_verb(*context));
}

}  // namespace

void dispatch(const std::shared_ptr<RequestContext>& context, const Paths& paths) {
  const RequestInfo& info = context->info;
  if (!info.is_resource) {
    if (const PathHandler* handler = paths.find(info.path)) return (*handler)(*context);
    return not_found_page(*context);
  }
  const Endpoints& endpoints = context->core->endpoints();
  // Compat: the router knows the groups by their roots; below one of them it answers with a Status, but not for custom
  // resources.
  const bool built_in = endpoints.has_group(info.group);
  if (!built_in && !context->endpoint) return not_found_page(*context);
  if ((!context->endpoint && !endpoints.has_group_version(info.group, info.version)) || info.verb == "proxy")
    return respond_error(*context, resource_not_found());
  if (!context->endpoint) return respond_error(*context, resource_not_found());
  if (context->endpoint->namespaced() && info.ns.empty() && info.verb != "list" && info.verb != "watch") {
    return respond_error(*context, info.name.empty() ? method_not_allowed() : resource_not_found());
  }
  if (!context->endpoint->namespaced() && !info.ns.empty() && info.resource != "namespaces")
    return respond_error(*context, resource_not_found());
  if (leads_to_a_node(*context->endpoint) && context->endpoint->allows(info.verb) && !info.name.empty()) {
    return connect_verb(context);
  }
  if (info.verb == "watch" && !context->endpoint->allows("watch") && context->endpoint->allows("list")) {
    warn_of_deprecation(*context);
    return respond_error(*context, object::method_not_supported(context->endpoint->group_resource, "watch"));
  }
  if (info.verb.empty() || !context->endpoint->allows(info.verb) || !fits(*context))
    return respond_error(*context, has_route(*context) ? method_not_allowed() : resource_not_found());
  warn_of_deprecation(*context);
  context->cbor = context->core->endpoints().cbor();
  if (context->endpoint->custom && info.verb == "create" && context->endpoint->custom->is_terminating())
    return respond_error(*context, definition_terminating());
  // What may wait for a conversion webhook leaves the loop.
  if (context->endpoint->custom && context->endpoint->custom->waits())
    return context->core->pool_for(*context->endpoint).post([context] { run_verb(context); });
  run_verb(context);
}

}  // namespace apiserver
