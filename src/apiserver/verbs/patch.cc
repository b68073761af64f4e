#include <algorithm>

#include "apiserver/body.h"
#include "apiserver/core.h"
#include "apiserver/partial_document.h"
#include "apiserver/patched_text.h"
#include "apiserver/verbs/verbs.h"
#include "apiserver/write.h"
#include "object/json.h"
#include "object/status.h"
#include "object/yaml.h"
#include "schema/patch/conversion_problem.h"
#include "schema/patch/go_text.h"
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
    return base::fail(base::Reason::kBadRequest, "error decoding patch: " + tree.error().message);
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

// How upstream shows the patch, or what it made, when the outcome is no object.
base::Result<std::string> shown_patch(const PatchDocument& patch, const Endpoint& endpoint, const Live& live) {
  if (patch.type == PatchType::kStrategicMerge) return schema::go_text(patch.tree);
  TRY_ASSIGN(std::string served, to_served(endpoint, encode_struct(live.object)));
  TRY_ASSIGN(object::Value document, schema::decode_value(*endpoint.served, served, endpoint.type()));
  TRY_ASSIGN(object::Value patched, apply_patch(patch, std::move(document), *endpoint.served));
  const bool json = patch.type == PatchType::kJson;
  const object::Value reached = json ? reached_by(patch.operations) : object::Value();
  return patched_text(patched, json ? reached : patch.tree);
}

base::Result<std::string> bad_outcome(const PatchDocument& patch, const Endpoint& endpoint, const Live& live,
                                      std::string_view why) {
  TRY_ASSIGN(const std::string shown, shown_patch(patch, endpoint, live));
  object::FieldErrors errors;
  errors.invalid(object::FieldPath("patch"), shown, why);
  return base::fail(object::invalid_error("", "", "", errors));
}

// The patched document as message bytes. Compat: what makes no object is an invalid patch, not a bad request.
base::Result<std::string> encode_patched(RequestContext& context, const PatchDocument& patch, const Live& live,
                                         const object::Value& patched, FieldValidation validation) {
  const Endpoint& endpoint = *context.endpoint;
  if (endpoint.custom) {
    return encode_tree(context, patched, *endpoint.served, endpoint.api_version, endpoint.kind, validation,
                       patch.issues);
  }
  const bool strategic = patch.type == PatchType::kStrategicMerge;
  if (!strategic) {
    if (auto same = check_patched_type(endpoint, patched); !same)
      return bad_outcome(patch, endpoint, live, same.error().message);
  }
  std::string raw;
  std::vector<std::string> issues = patch.issues;
  schema::ValueEncodeOptions options;
  if (validation != FieldValidation::kIgnore) options.strict_issues = &issues;
  if (auto encoded = schema::encode_value(*endpoint.served, patched, raw, options); !encoded) {
    std::string why = encoded.error().message;
    if (strategic) why = schema::conversion_problem(*endpoint.served, patched).value_or(std::move(why));
    return bad_outcome(patch, endpoint, live, why);
  }
  note_empty_lists(context, patched);
  if (issues.empty() || validation == FieldValidation::kIgnore) return raw;
  if (validation == FieldValidation::kStrict) return bad_outcome(patch, endpoint, live, strict_error(issues));
  warn_of_issues(context, issues);
  return raw;
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

// Compat: a patch writes raw extensions anew, without the white space that their client gave them.
bool holds_raw_extension(const schema::Message& message) {
  return std::ranges::any_of(message.fields, [](const schema::Field& field) {
    return field.message && field.message->special == schema::Special::kRawExtension;
  });
}

// The live object, patched.
base::Result<api::AnyObject> patched_object(RequestContext& context, const WriteOptions& options,
                                            const PatchDocument& patch, const Live& live) {
  const Endpoint& endpoint = *context.endpoint;
  // A patch that does not speak of managed fields does not see them: they stay out of its document, and the new object
  // has those of the live one.
  const bool sees_managed_fields = context.body.find("managedFields") != std::string_view::npos;
  // The schema of a custom object cleans it as a whole.
  const bool whole = endpoint.custom || holds_raw_extension(*endpoint.served);
  const std::optional<MemberNames> names = whole ? std::nullopt : touched_members(patch);
  std::string converted;
  TRY_ASSIGN(const std::string_view served, served_view(endpoint, live.raw, converted));
  TRY_ASSIGN(PartialDocument document,
             partial_document(*endpoint.served, served, endpoint.type(), names,
                              sees_managed_fields ? ManagedFields::kKept : ManagedFields::kLeftOut,
                              std::to_string(live.revision)));
  TRY_ASSIGN(object::Value patched, apply_patch(patch, std::move(document.tree), *endpoint.served));
  if (sees_managed_fields) keep_reset(patched);
  TRY_ASSIGN(std::string raw, encode_patched(context, patch, live, patched, options.field_validation));
  raw += document.rest;
  TRY_ASSIGN(api::AnyObject object, to_stored(endpoint, raw));
  auto& meta = api::meta_of(object.message(), object.get());
  TRY(check_name(meta.name, context.info.name));
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
