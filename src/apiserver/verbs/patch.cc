#include "apiserver/body.h"
#include "apiserver/core.h"
#include "apiserver/manage_fields.h"
#include "apiserver/verbs/verbs.h"
#include "apiserver/write.h"
#include "object/json.h"
#include "object/status.h"
#include "object/yaml.h"
#include "schema/patch/json_patch.h"
#include "schema/patch/merge_patch.h"
#include "schema/patch/strategic_merge.h"
#include "schema/proto_value.h"

namespace apiserver {
namespace {

using client::PatchType;

// The patch's document, parsed once; retries use it again.
struct PatchDocument {
  PatchType type = PatchType::kMerge;
  object::Value tree;
  schema::JsonPatch operations;
  std::vector<std::string> issues;
};

base::Result<PatchDocument> parse_patch(RequestContext& context) {
  PatchDocument patch;
  patch.type = context.patch_type;
  std::vector<std::string> duplicates;
  auto tree =
      object::parse_json(context.body, {.duplicates = object::Duplicates::kReplace, .duplicate_fields = &duplicates});
  if (!tree) {
    // Compat: upstream wraps the decoder's words once per patch type.
    const bool json = patch.type == PatchType::kJson;
    return base::fail(base::Reason::kBadRequest,
                      (json ? "error decoding patch: " : "error decoding patch: ") + tree.error().message);
  }
  for (const std::string& path : duplicates) patch.issues.push_back("duplicate field \"" + path + "\"");
  if (patch.type == PatchType::kJson) {
    TRY_ASSIGN(patch.operations, schema::decode_json_patch(*tree, &patch.issues));
  } else {
    patch.tree = std::move(*tree);
  }
  return patch;
}

base::Result<object::Value> apply_patch(const PatchDocument& patch, object::Value document,
                                        const schema::Message& message) {
  switch (patch.type) {
    case PatchType::kJson:
      return schema::apply_json_patch(std::move(document), patch.operations);
    case PatchType::kStrategicMerge:
      return schema::apply_strategic_merge_patch(std::move(document), patch.tree, message);
    case PatchType::kMerge:
    case PatchType::kApply:
      break;
  }
  return schema::apply_merge_patch(std::move(document), patch.tree);
}

}  // namespace

base::Result<Answer> patch_verb(RequestContext& context) {
  const Endpoint& endpoint = *context.endpoint;
  if (endpoint.resource->subresource == "scale") return patch_scale(context);
  TRY_ASSIGN(WriteOptions options, parse_write_options("PatchOptions", context.query, context.header("user-agent")));
  if (options.force && context.patch_type != PatchType::kApply) {
    object::FieldErrors errors;
    errors.forbidden(object::FieldPath("force"), "may not be specified for non-apply patch");
    return base::fail(object::invalid_error("meta.k8s.io", "PatchOptions", "", errors));
  }
  if (context.patch_type == PatchType::kApply) return apply_verb(context, options);
  TRY_ASSIGN(PatchDocument patch, parse_patch(context));
  // A patch that does not speak of managed fields does not see them: they stay out of its document.
  const bool sees_managed_fields = context.body.find("managedFields") != std::string_view::npos;
  const UpdateRequest request{context.info.name, std::string(endpoint.resource->subresource), options, {}};
  return update_object(context, endpoint, request, [&](const Live& live) -> base::Result<api::AnyObject> {
    TRY_ASSIGN(std::string served, to_served(endpoint, encode_struct(live.object)));
    if (!sees_managed_fields) served = without_managed_fields(served);
    TRY_ASSIGN(object::Value document, schema::decode_value(*endpoint.served, served, endpoint.type()));
    TRY_ASSIGN(object::Value patched, apply_patch(patch, std::move(document), *endpoint.served));
    TRY_ASSIGN(std::string raw, encode_tree(context, patched, *endpoint.served, endpoint.api_version, endpoint.kind,
                                            options.field_validation, patch.issues));
    TRY_ASSIGN(api::AnyObject object, to_stored(endpoint, raw));
    auto& meta = api::meta_of(object.message(), object.get());
    if (meta.name != context.info.name) return base::fail(object::name_mismatch(meta.name, context.info.name));
    if (!sees_managed_fields) {
      meta.managed_fields = api::meta_of(live.object.message(), live.object.get()).managed_fields;
    }
    return object;
  });
}

}  // namespace apiserver
