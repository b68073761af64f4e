// The scale subresource: autoscaling/v1 Scale over a workload's replicas.
#include <algorithm>

#include "apiserver/body.h"
#include "apiserver/core.h"
#include "apiserver/crd/custom_kind.h"
#include "apiserver/patched_text.h"
#include "apiserver/verbs/verbs.h"
#include "apiserver/write.h"
#include "gen/autoscaling/v1.h"
#include "object/cbor.h"
#include "object/json.h"
#include "object/status.h"
#include "schema/patch/json_patch.h"
#include "schema/patch/merge_patch.h"
#include "schema/patch/strategic_merge.h"
#include "schema/proto_struct.h"
#include "schema/proto_value.h"

namespace apiserver {
namespace {

using Scale = ::api::autoscaling::v1::Scale;

base::Result<Scale> scale_of(const Endpoint& endpoint, const api::AnyObject& object) {
  const auto rules_scale = endpoint.rules->scale_any(object.get());
  if (!rules_scale) return base::fail(object::method_not_supported(endpoint.group_resource, "get"));
  const auto& meta = api::meta_of(object.message(), object.get());
  Scale scale;
  scale.metadata.name = meta.name;
  scale.metadata.namespace_ = meta.namespace_;
  scale.metadata.uid = meta.uid;
  scale.metadata.resource_version = meta.resource_version;
  scale.metadata.creation_timestamp = meta.creation_timestamp;
  scale.spec.replicas = rules_scale->spec_replicas;
  scale.status.replicas = rules_scale->status_replicas;
  scale.status.selector = rules_scale->selector;
  return scale;
}

Answer answer_scale(Scale scale, int64_t revision) {
  scale.metadata.resource_version.clear();
  Answer answer;
  answer.message = &gen::message_of<Scale>();
  answer.api_version = "autoscaling/v1";
  answer.kind = "Scale";
  answer.revision = revision;
  schema::encode_struct(*answer.message, &scale, answer.raw);
  return answer;
}

using ManagedEntry = ::api::meta::v1::ManagedFieldsEntry;

// What an owner of a Scale's replicas owns of it.
constexpr const char* kOwnsReplicas = R"({"f:spec":{"f:replicas":{}}})";

// Where the replicas are, as a field set has it: "f:spec", "f:replicas".
std::vector<std::string> replicas_steps(const Endpoint& endpoint) {
  std::string_view path = endpoint.custom ? endpoint.custom->replicas_path() : ".spec.replicas";
  if (path.starts_with('.')) path.remove_prefix(1);
  std::vector<std::string> steps;
  for (size_t at = 0; at <= path.size();) {
    const size_t dot = std::min(path.find('.', at), path.size());
    steps.push_back("f:" + std::string(path.substr(at, dot - at)));
    at = dot + 1;
  }
  return steps;
}

// Takes the field at the steps out of a field set. False: it is not in there.
bool disown_replicas(object::Value& fields, std::span<const std::string> steps) {
  object::Object* all = fields.object_if();
  object::Value* found = all ? all->find(steps.front()) : nullptr;
  if (!found) return false;
  if (steps.size() == 1) {
    all->erase(steps.front());
    return true;
  }
  if (!disown_replicas(*found, steps.subspan(1))) return false;
  const object::Object& members = *found->object_if();
  if (members.empty()) {
    all->erase(steps.front());
  } else if (members.size() == 1 && members.find(".")) {
    *found = object::Object();
  }
  return true;
}

auto entry_order(const ManagedEntry& entry) {
  return std::tuple(std::string_view(entry.operation), entry.time ? entry.time->seconds : 0,
                    std::string_view(entry.manager), std::string_view(entry.api_version),
                    std::string_view(entry.subresource));
}

// The owners of the workload's spec.replicas, as owners of the Scale's: what patches of a Scale see.
std::vector<ManagedEntry> owners_of_replicas(const Endpoint& endpoint, const std::vector<ManagedEntry>& entries) {
  const std::vector<std::string> steps = replicas_steps(endpoint);
  std::vector<ManagedEntry> owners;
  for (const ManagedEntry& entry : entries) {
    auto fields = object::parse_json(entry.fields_v1 ? entry.fields_v1->raw.value_or("{}") : std::string("{}"));
    if (!fields || !disown_replicas(*fields, steps)) continue;
    ManagedEntry& owner = owners.emplace_back(entry);
    owner.api_version = "autoscaling/v1";
    owner.fields_v1->raw = kOwnsReplicas;
  }
  return owners;
}

// Compat: who scales owns spec.replicas of the workload under the subresource "scale", and nobody else does. Such an
// entry has no time.
void own_replicas(const Endpoint& endpoint, std::string_view manager, std::vector<ManagedEntry>& entries) {
  const bool tracked = !entries.empty();
  const std::vector<std::string> steps = replicas_steps(endpoint);
  bool owned = false;
  std::erase_if(entries, [&](ManagedEntry& entry) {
    auto fields = object::parse_json(entry.fields_v1 ? entry.fields_v1->raw.value_or("{}") : std::string("{}"));
    if (!fields || !disown_replicas(*fields, steps)) return false;
    if (entry.manager == manager && entry.operation == "Update" && entry.subresource == "scale") {
      owned = true;
      return false;
    }
    entry.fields_v1.ensure().raw = object::to_json(*fields);
    return fields->object_if()->empty();
  });
  if (owned || !tracked) return;
  ManagedEntry entry;
  entry.manager = manager;
  entry.operation = "Update";
  entry.api_version = endpoint.api_version;
  entry.fields_type = "FieldsV1";
  object::Value fields{object::Object()};
  for (size_t i = steps.size(); i-- > 0;) {
    object::Object outer;
    outer.set(steps[i], std::move(fields));
    fields = std::move(outer);
  }
  entry.fields_v1.ensure().raw = object::to_json(fields);
  entry.subresource = "scale";
  entries.push_back(std::move(entry));
  std::ranges::sort(entries, {}, entry_order);
}

using ScaleChange = std::function<base::Result<Scale>(const Scale& live)>;

base::Result<Answer> write_scale(RequestContext& context, const WriteOptions& options, const ScaleChange& change) {
  const Endpoint& endpoint = *context.endpoint->main;
  Scale result;
  const UpdateRequest request{context.info.name, "", options, {}, FieldOwnership::kDone};
  auto written = update_object(context, endpoint, request, [&](const Live& live) -> base::Result<api::AnyObject> {
    TRY_ASSIGN(Scale current, scale_of(endpoint, live.object));
    const auto& owners = api::meta_of(live.object.message(), live.object.get()).managed_fields;
    current.metadata.managed_fields = owners_of_replicas(endpoint, owners);
    TRY_ASSIGN(Scale wanted, change(current));
    current.metadata.managed_fields.clear();
    object::FieldErrors errors;
    if (wanted.spec.replicas < 0) {
      errors.invalid(object::FieldPath("spec").child("replicas"), wanted.spec.replicas,
                     "must be greater than or equal to 0");
      return base::fail(object::invalid_error("autoscaling", "Scale", current.metadata.name, errors));
    }
    TRY_ASSIGN(api::AnyObject object, decode_stored(endpoint, live.raw));
    auto& meta = api::meta_of(object.message(), object.get());
    if (!wanted.metadata.uid.empty()) meta.uid = wanted.metadata.uid;
    meta.resource_version = wanted.metadata.resource_version;
    // Compat: a Scale without a version changes whatever is there, also where the kind itself asks for one.
    if (meta.resource_version.empty()) meta.resource_version = current.metadata.resource_version;
    endpoint.rules->set_scale_any(object.get(), wanted.spec.replicas);
    if (wanted.spec.replicas != current.spec.replicas) {
      own_replicas(endpoint, options.field_manager, meta.managed_fields);
    }
    result = std::move(current);
    result.spec.replicas = wanted.spec.replicas;
    return object;
  });
  if (!written) return written;
  Answer answer = answer_scale(std::move(result), written->revision);
  answer.ticket = written->ticket;
  return answer;
}

}  // namespace

base::Result<Answer> get_scale(RequestContext& context) {
  kv::KeyValueRef kv;
  std::string_view raw;
  TRY_ASSIGN(api::AnyObject live, read_live(context, *context.endpoint->main, context.info.name, kv, raw));
  TRY_ASSIGN(Scale scale, scale_of(*context.endpoint->main, live));
  return answer_scale(std::move(scale), kv->mod_revision);
}

base::Result<Answer> update_scale(RequestContext& context) {
  TRY_ASSIGN(WriteOptions options, parse_write_options("UpdateOptions", context.query, context.header("user-agent")));
  const schema::Message& message = gen::message_of<Scale>();
  TRY_ASSIGN(std::string raw, decode_body(context, message, "autoscaling/v1", "Scale", options.field_validation));
  Scale wanted;
  TRY(schema::decode_struct(message, raw, &wanted));
  TRY(check_name(wanted.metadata.name, context.info.name));
  return write_scale(context, options, [&](const Scale&) -> base::Result<Scale> { return wanted; });
}

namespace {

// The patched Scale. Compat: a document that is no Scale is an invalid patch, not a bad request.
base::Result<Scale> patched_scale(RequestContext& context, const object::Value& patch, const Scale& live,
                                  FieldValidation validation) {
  const schema::Message& message = gen::message_of<Scale>();
  std::string raw;
  schema::encode_struct(message, &live, raw);
  TRY_ASSIGN(object::Value document, schema::decode_value(message, raw, {"autoscaling/v1", "Scale"}));
  object::Value reached = patch;
  if (context.patch_type == client::PatchType::kJson) {
    TRY_ASSIGN(schema::JsonPatch operations, schema::decode_json_patch(patch));
    TRY_ASSIGN(document, schema::apply_json_patch(std::move(document), operations));
    reached = reached_by(operations);
  } else if (context.patch_type == client::PatchType::kStrategicMerge) {
    TRY_ASSIGN(document, schema::apply_strategic_merge_patch(std::move(document), patch, message));
  } else {
    TRY_ASSIGN(document, schema::apply_merge_patch(std::move(document), patch));
  }
  std::string ignored;
  if (auto encoded = schema::encode_value(message, document, ignored); !encoded) {
    object::FieldErrors errors;
    errors.invalid(object::FieldPath("patch"), patched_text(document, reached), encoded.error().message);
    return base::fail(object::invalid_error("", "", "", errors));
  }
  TRY_ASSIGN(std::string patched, encode_tree(context, document, message, "autoscaling/v1", "Scale", validation));
  Scale wanted;
  TRY(schema::decode_struct(message, patched, &wanted));
  return wanted;
}

}  // namespace

base::Result<Answer> patch_scale(RequestContext& context) {
  TRY_ASSIGN(WriteOptions options, parse_write_options("PatchOptions", context.query, context.header("user-agent")));
  const bool cbor = context.body_type == MediaType::kCbor;
  TRY_ASSIGN(const object::Value patch, cbor ? object::parse_cbor(context.body) : object::parse_json(context.body));
  return write_scale(context, options, [&](const Scale& live) -> base::Result<Scale> {
    return patched_scale(context, patch, live, options.field_validation);
  });
}

}  // namespace apiserver
