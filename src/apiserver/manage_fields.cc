#include "apiserver/manage_fields.h"

#include "apiserver/body.h"
#include "apiserver/core.h"
#include "apiserver/crd/custom_kind.h"
#include "apiserver/partial_document.h"
#include "apiserver/version_converter.h"
#include "gen/meta/v1.h"
#include "object/time.h"
#include "schema/apply/managed_entry.h"
#include "schema/apply/managed_fields.h"
#include "schema/apply/server_side_apply.h"
#include "schema/fieldpath/fields_v1.h"

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

// What an apply sees of the live object: members that neither the config speaks of, nor what the manager applied
// before, stay as they are. `arena` keeps the names. nullopt: all of it.
std::optional<MemberNames> applied_members(schema::Arena& arena, const object::Value& config,
                                           const std::vector<Entry>& entries, std::string_view manager) {
  const object::Object* members = config.object_if();
  // The last-applied annotation of kubectl speaks of anything, as does an object that nobody has managed so far.
  if (manager == "kubectl" || entries.empty() || !members) return std::nullopt;
  MemberNames names{"metadata"};
  for (const object::Member& member : *members) add_name(names, member.key);
  for (const Entry& entry : entries) {
    if (entry.manager != manager || entry.operation != "Apply" || !entry.fields_v1) continue;
    auto last = schema::parse_fields_v1(arena, entry.fields_v1->raw ? *entry.fields_v1->raw : std::string_view());
    if (!last) return std::nullopt;
    for (const schema::SetEntry& path : last->entries()) {
      if (path.element.kind == schema::Element::Kind::kField) add_name(names, path.element.field_name());
    }
  }
  return names;
}

const std::vector<Entry>& entries_in(const AnyObject& object) {
  return api::meta_of(object.message(), object.get()).managed_fields;
}

// A stored object as clients of the endpoint's version see it, or what of it has these names; field sets are text.
base::Result<PartialDocument> document_of(const Endpoint& endpoint, std::string_view stored_raw,
                                          const std::vector<Entry>& entries, const std::optional<MemberNames>& names,
                                          const std::string& resource_version) {
  std::string converted;
  TRY_ASSIGN(const std::string_view raw, served_view(endpoint, stored_raw, converted));
  TRY_ASSIGN(PartialDocument document, partial_document(*endpoint.served, raw, endpoint.type(), names,
                                                        ManagedFields::kLeftOut, resource_version));
  if (!entries.empty()) (*(*document.tree.object_if())["metadata"].object_if())["managedFields"] = entries_of(entries);
  return document;
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

// The slower way, by trees, which can tell an empty list from none, and serves custom objects, whose type is
// their schema's and not that of a message.
base::Result<void> manage_trees(RequestContext& context, const Endpoint& endpoint, const Live* live, AnyObject& object,
                                const WriteOptions& options, std::string_view subresource,
                                const std::optional<schema::VersionConverter>& converter) {
  PartialDocument before{object::Value(object::Object()), {}};
  if (live) {
    TRY_ASSIGN(before, document_of(endpoint, live->raw, entries_in(live->object), std::nullopt, ""));
  }
  TRY_ASSIGN(PartialDocument after, document_of(endpoint, encode_struct(object), entries_in(object), std::nullopt, ""));
  if (!endpoint.custom) show_empty_lists(context, after.tree);
  const Resets resets = reset_fields(endpoint, subresource);
  schema::ManageContext manage = manage_context(endpoint, subresource, resets);
  if (converter) manage.converter = &*converter;
  schema::update_managed_fields(manage, before.tree, after.tree, options.field_manager, now_text(context),
                                schema::FieldsForm::kText);
  auto& entries = api::meta_of(object.message(), object.get()).managed_fields;
  return set_entries(schema::read_managed_fields(after.tree).entries, entries);
}

}  // namespace

base::Result<void> manage_fields(RequestContext& context, const Endpoint& endpoint, const Live* live, AnyObject& object,
                                 const WriteOptions& options, std::string_view subresource) {
  if (endpoint.custom) return manage_trees(context, endpoint, live, object, options, subresource, std::nullopt);
  auto& entries = api::meta_of(object.message(), object.get()).managed_fields;
  schema::ReadEntries sent = read_entries(entries), before;
  if (live) before = read_entries(entries_in(live->object));
  const auto converter = version_converter(context.core->endpoints(), endpoint, before, sent);
  if (converter || !context.empty_lists.empty())
    return manage_trees(context, endpoint, live, object, options, subresource, converter);
  entries.clear();  // no part of what is compared
  base::Result<std::string> after;
  const auto encoded = [&]() -> std::string_view {
    if (after && after->empty()) after = to_served(endpoint, encode_struct(object));
    return after ? std::string_view(*after) : std::string_view();
  };
  const std::string now = now_text(context);
  const Resets resets = reset_fields(endpoint, subresource);
  schema::EncodedUpdate update{*endpoint.served, {}, encoded, {}, std::move(sent), {}, options.field_manager, now};
  if (!live && !endpoint.conversion) update.created = object.get();
  std::string converted;
  if (live) {
    TRY_ASSIGN(update.live, served_view(endpoint, live->raw, converted));
    update.live_entries = std::move(before);
    update.live_uid = api::meta_of(live->object.message(), live->object.get()).uid;
  }
  auto managed = schema::manage_encoded(manage_context(endpoint, subresource, resets), std::move(update));
  if (!after) return base::fail(std::move(after).error());
  return set_entries(std::move(managed), entries);
}

base::Result<AnyObject> apply_config(RequestContext& context, const Endpoint& endpoint, const object::Value& config,
                                     const Live* live, const WriteOptions& options) {
  schema::Arena arena;
  PartialDocument before;
  std::optional<schema::VersionConverter> converter;
  if (live) {
    const auto& entries = entries_in(live->object);
    converter = version_converter(context.core->endpoints(), endpoint, read_entries(entries), {});
    // The schema of a custom object cleans it as a whole, and only a whole object can be converted.
    const bool whole = endpoint.custom || converter;
    const std::optional<MemberNames> names =
        whole ? std::nullopt : applied_members(arena, config, entries, options.field_manager);
    TRY_ASSIGN(before, document_of(endpoint, live->raw, entries, names, std::to_string(live->revision)));
  }
  const std::string now = now_text(context);
  const std::string_view subresource = endpoint.resource->subresource;
  const Resets resets = reset_fields(endpoint, subresource);
  const schema::ApplyRequest request{
      config, live ? &before.tree : nullptr, options.field_manager, now,
      options.force.value_or(false) ? schema::OnConflict::kForce : schema::OnConflict::kFail};
  schema::ManageContext manage = manage_context(endpoint, subresource, resets);
  if (converter) manage.converter = &*converter;
  TRY_ASSIGN(schema::Applied applied, schema::server_side_apply(manage, request));
  if (applied.effect == schema::ApplyEffect::kUnchanged) {
    // Compat: a config that changes no field may still make its manager an owner of some, or of fewer.
    TRY_ASSIGN(AnyObject result, decode_stored(endpoint, live->raw));
    auto& meta = api::meta_of(result.message(), result.get());
    meta.resource_version = std::to_string(live->revision);
    if (applied.entries != read_entries(meta.managed_fields).entries) {
      TRY(set_entries(std::move(applied.entries), meta.managed_fields));
    }
    return result;
  }
  schema::remove_managed_fields(applied.object);
  TRY_ASSIGN(std::string raw, encode_tree(context, applied.object, *endpoint.served, endpoint.api_version,
                                          endpoint.kind, FieldValidation::kIgnore));
  raw += before.rest;
  TRY_ASSIGN(AnyObject result, to_stored(endpoint, raw));
  auto& entries = api::meta_of(result.message(), result.get()).managed_fields;
  TRY(set_entries(std::move(applied.entries), entries));
  return result;
}

}  // namespace apiserver
