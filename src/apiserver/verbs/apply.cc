// Server-side apply: PATCH with application/apply-patch+yaml.
#include "apiserver/body.h"
#include "apiserver/core.h"
#include "apiserver/manage_fields.h"
#include "apiserver/verbs/verbs.h"
#include "apiserver/write.h"
#include "object/json.h"
#include "object/status.h"
#include "object/yaml.h"
#include "schema/proto_value.h"

namespace apiserver {
namespace {

// Most configs are JSON, which is YAML too, and much quicker to read as what it is. An error: read it as YAML, which
// has the words for what is wrong or repeated in it.
base::Result<object::Value> parse_json_config(std::string_view body) {
  std::vector<std::string> repeated;
  if (!body.starts_with('{')) return base::fail(base::Reason::kBadRequest, "no JSON object");
  auto config = object::parse_json(body, {.duplicate_fields = &repeated});
  if (config && !repeated.empty()) return base::fail(base::Reason::kBadRequest, "repeated members");
  return config;
}

// The config must fit the schema; unknown members are dropped, refused or warned of like those of any body.
base::Result<object::Value> parse_config(RequestContext& context, const Endpoint& endpoint,
                                         const WriteOptions& options) {
  std::vector<std::string> duplicates;
  auto config = parse_json_config(context.body);
  if (!config) config = object::parse_yaml(context.body, {.duplicate_keys = &duplicates});
  if (!config) return base::fail(base::Reason::kBadRequest, "error decoding YAML: " + config.error().message);
  std::vector<std::string> issues;
  if (!duplicates.empty()) {
    std::string text = "yaml: unmarshal errors:";
    for (const std::string& line : duplicates) text += "\n  " + line;
    issues.push_back(std::move(text));
  }
  TRY_ASSIGN([[maybe_unused]] std::string raw, encode_tree(context, *config, *endpoint.served, endpoint.api_version,
                                                           endpoint.kind, options.field_validation, std::move(issues)));
  return config;
}

}  // namespace

base::Result<Answer> apply_verb(RequestContext& context, const WriteOptions& options) {
  const Endpoint& endpoint = *context.endpoint;
  if (context.query.get("fieldManager").empty() && context.origin == Origin::kNetwork) {
    object::FieldErrors errors;
    errors.required(object::FieldPath("fieldManager"), "is required for apply patch");
    return base::fail(object::invalid_error("meta.k8s.io", "PatchOptions", "", errors));
  }
  TRY_ASSIGN(object::Value config, parse_config(context, endpoint, options));
  if (std::string_view name = config.string_at({"metadata", "name"}); !name.empty() && name != context.info.name) {
    return base::fail(object::name_mismatch(name, context.info.name));
  }
  UpdateRequest request{
      context.info.name, std::string(endpoint.resource->subresource), options, {}, FieldOwnership::kDone};
  if (!endpoint.is_subresource()) {
    request.create = [&]() -> base::Result<api::AnyObject> {
      TRY_ASSIGN(api::AnyObject applied, apply_config(context, endpoint, config, nullptr, options));
      api::meta_of(applied.message(), applied.get()).name = context.info.name;
      return applied;
    };
  }
  return update_object(context, endpoint, request,
                       [&](const Live& live) { return apply_config(context, endpoint, config, &live, options); });
}

}  // namespace apiserver
