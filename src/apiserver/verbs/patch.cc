#include <algorithm>

#include "apiserver/body.h"
#include "apiserver/core.h"
#include "apiserver/manage_fields.h"
#include "apiserver/verbs/verbs.h"
#include "apiserver/write.h"
#include "codec/json_text.h"
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

// A document as upstream's patch library writes it: objects that the patch reached sorted by key, the others as they
// were.
void append_patched(std::string& out, const object::Value& value, const object::Value* merged);

void append_members(std::string& out, const object::Object& object, const object::Value* merged) {
  std::vector<const object::Member*> members;
  for (const object::Member& member : object) members.push_back(&member);
  if (merged)
    std::ranges::sort(members, {}, [](const object::Member* member) -> const std::string& { return member->key; });
  out += '{';
  for (const object::Member* member : members) {
    if (out.back() != '{') out += ',';
    codec::append_json_string(out, member->key);
    out += ':';
    append_patched(out, member->value, merged ? merged->find(member->key) : nullptr);
  }
  out += '}';
}

void append_patched(std::string& out, const object::Value& value, const object::Value* merged) {
  if (merged && !merged->is_object()) merged = nullptr;
  if (const object::Object* object = value.object_if()) return append_members(out, *object, merged);
  object::append_json(out, value);
}

// The containers that JSON patch operations walk through, as the merge patch that would reach them.
object::Value reached_by(const schema::JsonPatch& patch) {
  object::Value root{object::Object()};
  for (const schema::JsonPatchOperation& operation : patch.operations) {
    for (const auto* path : {&operation.path, &operation.from}) {
      if (!*path || (*path)->empty()) continue;
      object::Value* here = &root;
      for (size_t at = 1, slash; (slash = (*path)->find('/', at)) != std::string::npos; at = slash + 1) {
        std::string name = (*path)->substr(at, slash - at);
        for (auto [from, to] : {std::pair<std::string_view, char>{"~1", '/'}, {"~0", '~'}}) {
          for (size_t i; (i = name.find(from)) != std::string::npos;) name.replace(i, 2, 1, to);
        }
        here = &(*here->object_if())[name];
        if (!here->is_object()) *here = object::Object();
      }
    }
  }
  return root;
}

// How upstream shows the patch, or what it made, when the outcome is no object.
base::Result<std::string> shown_patch(const PatchDocument& patch, const Endpoint& endpoint, const Live& live) {
  if (patch.type == PatchType::kStrategicMerge) return schema::go_text(patch.tree);
  TRY_ASSIGN(std::string served, to_served(endpoint, encode_struct(live.object)));
  TRY_ASSIGN(object::Value document, schema::decode_value(*endpoint.served, served, endpoint.type()));
  TRY_ASSIGN(object::Value patched, apply_patch(patch, std::move(document), *endpoint.served));
  const bool json = patch.type == PatchType::kJson;
  const object::Value reached = json ? reached_by(patch.operations) : object::Value();
  std::string text;
  append_patched(text, patched, json ? &reached : &patch.tree);
  return text;
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
    if (sees_managed_fields) keep_reset(patched);
    TRY_ASSIGN(std::string raw, encode_patched(context, patch, live, patched, options.field_validation));
    TRY_ASSIGN(api::AnyObject object, to_stored(endpoint, raw));
    auto& meta = api::meta_of(object.message(), object.get());
    TRY(check_name(meta.name, context.info.name));
    if (!sees_managed_fields) {
      meta.managed_fields = api::meta_of(live.object.message(), live.object.get()).managed_fields;
    }
    return object;
  });
}

}  // namespace apiserver
