#include <algorithm>

#include "apiserver/body.h"
#include "apiserver/core.h"
#include "apiserver/partial_document.h"
#include "apiserver/verbs/verbs.h"
#include "apiserver/write.h"
#include "object/json.h"
#include "object/status.h"
#include "object/yaml.h"
#include "schema/patch/json_patch.h"
#include "schema/patch/merge_patch.h"
#include "schema/patch/strategic_merge.h"

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

void add_name(MemberNames& names, std::string_view name) {
  if (std::ranges::find(names, name) == names.end()) names.push_back(name);
}

// The members of the object that the patch reads or writes; nullopt: any.
std::optional<MemberNames> touched_members(const PatchDocument& patch) {
  MemberNames names;
  if (patch.type != PatchType::kJson) {
    if (!patch.tree.object_if()) return std::nullopt;
    for (const object::Member& member : *patch.tree.object_if()) {
      if (member.key.starts_with('$')) return std::nullopt;  // a directive for the whole
      add_name(names, member.key);
    }
    return names;
  }
  for (const schema::JsonPatchOperation& operation : patch.operations.operations) {
    if (!operation.path) return std::nullopt;
    for (const std::optional<std::string>* pointer : {&operation.path, &operation.from}) {
      if (!*pointer) continue;
      const std::string_view text = **pointer;
      const std::string_view name = text.substr(0, text.find('/', 1));
      if (name.size() < 2 || name[0] != '/' || name.find('~') != std::string_view::npos) return std::nullopt;
      add_name(names, name.substr(1));
    }
  }
  return names;
}

// The live object, patched.
base::Result<api::AnyObject> patched_object(RequestContext& context, const WriteOptions& options,
                                            const PatchDocument& patch, const Live& live) {
  const Endpoint& endpoint = *context.endpoint;
  // A patch that does not speak of managed fields does not see them: they stay out of its document, and the new object
  // has those of the live one.
  const bool sees_managed_fields = context.body.find("managedFields") != std::string_view::npos;
  const std::optional<MemberNames> names = touched_members(patch);
  std::string converted;
  TRY_ASSIGN(const std::string_view served, served_view(endpoint, live.raw, converted));
  TRY_ASSIGN(PartialDocument document,
             partial_document(*endpoint.served, served, endpoint.type(), names,
                              sees_managed_fields ? ManagedFields::kKept : ManagedFields::kLeftOut,
                              std::to_string(live.revision)));
  TRY_ASSIGN(object::Value patched, apply_patch(patch, std::move(document.tree), *endpoint.served));
  TRY_ASSIGN(std::string raw, encode_tree(context, patched, *endpoint.served, endpoint.api_version, endpoint.kind,
                                          options.field_validation, patch.issues));
  raw += document.rest;
  TRY_ASSIGN(api::AnyObject object, to_stored(endpoint, raw));
  auto& meta = api::meta_of(object.message(), object.get());
  if (meta.name != context.info.name) return base::fail(object::name_mismatch(meta.name, context.info.name));
  const bool sees_metadata = !names || std::ranges::find(*names, "metadata") != names->end();
  if (!sees_metadata) meta.resource_version = std::to_string(live.revision);
  return object;
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
  const UpdateRequest request{context.info.name, std::string(endpoint.resource->subresource), options, {}};
  return update_object(context, endpoint, request,
                       [&](const Live& live) { return patched_object(context, options, patch, live); });
}

}  // namespace apiserver
