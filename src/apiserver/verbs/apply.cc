// Server-side apply: PATCH with application/apply-patch+yaml, or +cbor.
#include "apiserver/body.h"
#include "apiserver/core.h"
#include "apiserver/manage_fields.h"
#include "apiserver/verbs/verbs.h"
#include "apiserver/write.h"
#include "object/cbor.h"
#include "object/json.h"
#include "object/status.h"
#include "object/yaml.h"

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

struct Config {
  object::Value tree;
  std::vector<std::string> duplicates;  // keys that the text has twice
};

constexpr std::string_view kError = "error decoding YAML: ";  // Compat: whatever it is

// Compat: a config in CBOR cannot have a key twice; it is no CBOR then.
base::Result<Config> parse_cbor_config(std::string_view body) {
  Config config;
  auto tree = object::parse_cbor(body);
  if (!tree) return base::fail(base::Reason::kBadRequest, std::string(kError) + tree.error().message);
  if (tree->is_null()) *tree = object::Object();
  if (!tree->is_object()) {
    return base::fail(base::Reason::kBadRequest, std::string(kError) + "cbor: cannot unmarshal " +
                                                     std::string(object::cbor_type_name(*tree)) +
                                                     " into Go value of type map[string]interface {}");
  }
  config.tree = std::move(*tree);
  return config;
}

base::Result<Config> parse_config(const RequestContext& context) {
  if (context.body_type == MediaType::kCbor) return parse_cbor_config(context.body);
  Config config;
  auto tree = parse_json_config(context.body);
  if (!tree) tree = object::parse_yaml(context.body, {.duplicate_keys = &config.duplicates});
  if (!tree) return base::fail(base::Reason::kBadRequest, std::string(kError) + tree.error().message);
  if (tree->is_null()) *tree = object::Object();
  if (!tree->is_object()) {
    return base::fail(base::Reason::kBadRequest,
                      std::string(kError) + "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal " +
                          std::string(object::json_type_name(*tree)) +
                          " into Go value of type map[string]interface {}");
  }
  config.tree = std::move(*tree);
  return config;
}

// Compat: what does not fit the schema is an error of the application itself; this is about the text alone.
base::Result<void> report_duplicates(RequestContext& context, const Config& config, FieldValidation validation) {
  if (config.duplicates.empty() || validation == FieldValidation::kIgnore) return {};
  const std::string issue = yaml_issue(config.duplicates);
  if (validation == FieldValidation::kStrict)
    return base::fail(base::Reason::kBadRequest, "error strict decoding YAML: error converting YAML to JSON: " + issue);
  warn_of_issues(context, {issue});
  return {};
}

}  // namespace

base::Result<Answer> apply_verb(RequestContext& context, const WriteOptions& options) {
  const Endpoint& endpoint = *context.endpoint;
  if (context.query.get("fieldManager").empty() && context.origin == Origin::kNetwork) {
    object::FieldErrors errors;
    errors.required(object::FieldPath("fieldManager"), "is required for apply patch");
    return base::fail(object::invalid_error("meta.k8s.io", "PatchOptions", "", errors));
  }
  TRY_ASSIGN(const Config config, parse_config(context));
  if (std::string_view name = config.tree.string_at({"metadata", "name"}); !name.empty()) {
    TRY(check_name(name, context.info.name));
  }
  UpdateRequest request{
      context.info.name, std::string(endpoint.resource->subresource), options, {}, FieldOwnership::kDone};
  if (!endpoint.is_subresource()) {
    request.create = [&]() -> base::Result<api::AnyObject> {
      TRY_ASSIGN(api::AnyObject object, apply_config(context, endpoint, config.tree, nullptr, options));
      TRY(report_duplicates(context, config, options.field_validation));
      auto& meta = api::meta_of(object.message(), object.get());
      if (!meta.uid.empty()) {
        return base::fail(object::conflict(
            endpoint.group_resource, context.info.name,
            "uid mismatch: the provided object specified uid " + meta.uid + ", and no existing object was found"));
      }
      meta.name = context.info.name;
      return object;
    };
  }
  return update_object(context, endpoint, request, [&](const Live& live) -> base::Result<api::AnyObject> {
    TRY_ASSIGN(api::AnyObject object, apply_config(context, endpoint, config.tree, &live, options));
    TRY(report_duplicates(context, config, options.field_validation));
    return object;
  });
}

}  // namespace apiserver
