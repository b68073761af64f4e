#include "apiserver/manage_fields.h"

#include "apiserver/body.h"
#include "apiserver/crd/custom_kind.h"
#include "codec/wire.h"
#include "gen/meta/v1.h"
#include "object/time.h"
#include "schema/apply/managed_entry.h"
#include "schema/apply/managed_fields.h"
#include "schema/apply/server_side_apply.h"
#include "schema/proto_struct.h"
#include "schema/proto_value.h"

namespace apiserver {
namespace {

using api::AnyObject;
using Entry = ::api::meta::v1::ManagedFieldsEntry;

// metadata.managedFields of a struct, field sets as text.
object::Value entries_of(const std::vector<Entry>& entries) {
  object::Array list;
  for (const Entry& entry : entries) {
    object::Object item;
    if (!entry.manager.empty()) item.append("manager", entry.manager);
    if (!entry.operation.empty()) item.append("operation", entry.operation);
    if (!entry.api_version.empty()) item.append("apiVersion", entry.api_version);
    if (entry.time) item.append("time", object::format_time(*entry.time));
    if (!entry.fields_type.empty()) item.append("fieldsType", entry.fields_type);
    if (entry.fields_v1) item.append("fieldsV1", entry.fields_v1->raw.value_or(std::string("{}")));
    if (!entry.subresource.empty()) item.append("subresource", entry.subresource);
    list.emplace_back(std::move(item));
  }
  return list;
}

// The entries of a struct. A live object's are copied.
schema::ReadEntries read_entries(const std::vector<Entry>& entries) {
  std::vector<schema::SaidEntry> said;
  said.reserve(entries.size());
  for (const Entry& entry : entries) {
    said.push_back({entry.manager, entry.operation, entry.api_version,
                    entry.time ? object::format_time(*entry.time) : std::string(), entry.fields_type, entry.subresource,
                    std::nullopt});
    if (entry.fields_v1) said.back().fields = entry.fields_v1->raw.value_or(std::string("{}"));
  }
  return schema::read_entries(std::move(said));
}

base::Result<void> set_entries(schema::ManagedEntries entries, std::vector<Entry>& target) {
  target.clear();
  target.reserve(entries.size());
  for (schema::ManagedEntry& from : entries) {
    Entry& entry = target.emplace_back();
    entry.manager = std::move(from.manager);
    entry.operation = from.operation == schema::ManageOperation::kApply ? "Apply" : "Update";
    entry.api_version = std::move(from.api_version);
    entry.fields_type = "FieldsV1";
    entry.subresource = std::move(from.subresource);
    if (!from.time.empty()) {
      TRY_ASSIGN(entry.time, object::parse_time(from.time));
    }
    entry.fields_v1.ensure().raw = std::move(from.fields);
  }
  return {};
}

// The object as clients of the endpoint's version see it, but for the field sets, which are text.
base::Result<object::Value> served_tree(const Endpoint& endpoint, const AnyObject& object) {
  TRY_ASSIGN(std::string raw, to_served(endpoint, encode_struct(object)));
  TRY_ASSIGN(object::Value tree, schema::decode_value(*endpoint.served, without_managed_fields(raw), endpoint.type()));
  const auto& entries = api::meta_of(object.message(), object.get()).managed_fields;
  if (!entries.empty()) (*(*tree.object_if())["metadata"].object_if())["managedFields"] = entries_of(entries);
  return tree;
}

// Compat: a list that is always written is null when it was not given, and owned when it was given empty.
void show_empty_lists(const RequestContext& context, object::Value& tree) {
  for (const std::vector<std::string>& path : context.empty_lists) {
    object::Value* at = &tree;
    for (const std::string& name : path) at = at ? at->find(name) : nullptr;
    if (at && at->is_null()) *at = object::Array();
  }
}

// ".status" of the rules is "status" to the field manager.
struct Resets {
  std::vector<std::string_view> paths;
  schema::ResetFields::Mode mode = schema::ResetFields::Mode::kExclude;
  schema::ResetFields fields() const { return {mode, paths}; }
};
Resets reset_fields(const Endpoint& endpoint, std::string_view subresource) {
  Resets resets;
  if (endpoint.custom && subresource == "status") {
    // Whatever a custom object has beside its status, a write of that does not own it.
    resets.mode = schema::ResetFields::Mode::kOnly;
    resets.paths = {"status"};
    return resets;
  }
  for (std::string_view path : endpoint.rules->reset_fields(subresource))
    resets.paths.push_back(path.starts_with('.') ? path.substr(1) : path);
  return resets;
}

// The entries of a tree, field sets as text, into the struct.
base::Result<void> take_entries(const object::Value& tree, AnyObject& object) {
  auto& target = api::meta_of(object.message(), object.get()).managed_fields;
  target.clear();
  const object::Value* list = tree.at_path({"metadata", "managedFields"});
  if (!list || !list->array_if()) return {};
  for (const object::Value& item : *list->array_if()) {
    Entry& entry = target.emplace_back();
    entry.manager = item.string_at({"manager"});
    entry.operation = item.string_at({"operation"});
    entry.api_version = item.string_at({"apiVersion"});
    entry.fields_type = item.string_at({"fieldsType"});
    entry.subresource = item.string_at({"subresource"});
    if (std::string_view time = item.string_at({"time"}); !time.empty()) {
      TRY_ASSIGN(entry.time, object::parse_time(time));
    }
    entry.fields_v1.ensure().raw = std::string(item.string_at({"fieldsV1"}));
  }
  return {};
}

schema::ManageContext manage_context(const Endpoint& endpoint, std::string_view subresource, const Resets& resets) {
  schema::ManageContext manage;
  manage.type = endpoint.custom ? endpoint.custom->apply_type() : schema::message_type(*endpoint.served);
  manage.api_version = endpoint.api_version;
  manage.kind = endpoint.kind;
  manage.subresource = subresource;
  manage.history = endpoint.custom ? schema::SchemaHistory::kMayChange : schema::SchemaHistory::kFixed;
  manage.reset_fields = resets.fields();
  return manage;
}

std::string now_text(const RequestContext& context) { return object::format_time(object::to_time(context.now)); }

}  // namespace

std::string without_managed_fields(std::string_view raw) {
  constexpr uint32_t kMetadata = 1, kManagedFields = 17;
  codec::WireReader reader(raw);
  uint32_t field = 0;
  codec::WireType type;
  std::string_view metadata;
  if (!reader.read_tag(field, type) || field != kMetadata || !reader.read_bytes(metadata)) return std::string(raw);
  std::string kept;
  kept.reserve(metadata.size());
  codec::WireReader members(metadata);
  while (!members.done()) {
    const char* begin = members.position();
    if (!members.read_tag(field, type) || !members.skip(field, type)) return std::string(raw);
    if (field != kManagedFields) kept.append(begin, static_cast<size_t>(members.position() - begin));
  }
  std::string out;
  out.reserve(raw.size());
  codec::append_bytes_field(out, kMetadata, kept);
  out.append(reader.position(), reader.remaining());
  return out;
}

namespace {

// The slower way, by trees, which can tell an empty list from none, and serves custom objects, whose type is
// their schema's and not that of a message.
base::Result<void> manage_trees(RequestContext& context, const Endpoint& endpoint, const AnyObject* live,
                                AnyObject& object, const WriteOptions& options, std::string_view subresource) {
  object::Value before{object::Object()};
  if (live) {
    TRY_ASSIGN(before, served_tree(endpoint, *live));
  }
  TRY_ASSIGN(object::Value after, served_tree(endpoint, object));
  if (!endpoint.custom) show_empty_lists(context, after);
  const Resets resets = reset_fields(endpoint, subresource);
  schema::update_managed_fields(manage_context(endpoint, subresource, resets), before, after, options.field_manager,
                                now_text(context), schema::FieldsForm::kText);
  return take_entries(after, object);
}

}  // namespace

base::Result<void> manage_fields(RequestContext& context, const Endpoint& endpoint, const AnyObject* live,
                                 AnyObject& object, const WriteOptions& options, std::string_view subresource) {
  if (endpoint.custom || !context.empty_lists.empty())
    return manage_trees(context, endpoint, live, object, options, subresource);
  auto& entries = api::meta_of(object.message(), object.get()).managed_fields;
  schema::ReadEntries sent = read_entries(entries);
  entries.clear();  // the encoding is the smaller without them
  TRY_ASSIGN(const std::string after, to_served(endpoint, encode_struct(object)));
  const std::string now = now_text(context);
  const Resets resets = reset_fields(endpoint, subresource);
  schema::EncodedUpdate update{*endpoint.served, {}, after, {}, std::move(sent), {}, options.field_manager, now};
  std::string before;
  if (live) {
    TRY_ASSIGN(before, to_served(endpoint, encode_struct(*live)));
    const auto& meta = api::meta_of(live->message(), live->get());
    update.live = before;
    update.live_entries = read_entries(meta.managed_fields);
    update.live_uid = meta.uid;
  }
  return set_entries(schema::manage_encoded(manage_context(endpoint, subresource, resets), std::move(update)), entries);
}

base::Result<AnyObject> apply_config(RequestContext& context, const Endpoint& endpoint, const object::Value& config,
                                     const AnyObject* live, const WriteOptions& options) {
  object::Value before;
  if (live) {
    TRY_ASSIGN(before, served_tree(endpoint, *live));
  }
  const std::string now = now_text(context);
  const std::string_view subresource = endpoint.resource->subresource;
  const Resets resets = reset_fields(endpoint, subresource);
  const schema::ApplyRequest request{
      config, live ? &before : nullptr, options.field_manager, now,
      options.force.value_or(false) ? schema::OnConflict::kForce : schema::OnConflict::kFail};
  TRY_ASSIGN(schema::Applied applied,
             schema::server_side_apply(manage_context(endpoint, subresource, resets), request));
  object::Value owned{object::Object()};
  schema::write_managed_fields(owned, applied.entries, schema::FieldsForm::kText);
  if (applied.effect == schema::ApplyEffect::kUnchanged) {
    TRY_ASSIGN(AnyObject same, decode_stored(endpoint, encode_struct(*live)));
    TRY(take_entries(owned, same));
    return same;
  }
  schema::remove_managed_fields(applied.object);
  TRY_ASSIGN(std::string raw, encode_tree(context, applied.object, *endpoint.served, endpoint.api_version,
                                          endpoint.kind, FieldValidation::kIgnore));
  TRY_ASSIGN(AnyObject result, to_stored(endpoint, raw));
  TRY(take_entries(owned, result));
  return result;
}

}  // namespace apiserver
