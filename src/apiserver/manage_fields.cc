#include "apiserver/manage_fields.h"

#include "apiserver/body.h"
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

// The object as clients of the endpoint's version see it.
base::Result<object::Value> served_tree(const Endpoint& endpoint, const AnyObject& object) {
  TRY_ASSIGN(std::string raw, to_served(endpoint, encode_struct(object)));
  return schema::decode_value(*endpoint.served, raw, endpoint.type());
}

// ".status" of the rules is "status" to the field manager.
struct Resets {
  std::vector<std::string_view> paths;
  schema::ResetFields fields() const { return {schema::ResetFields::Mode::kExclude, paths}; }
};
Resets reset_fields(const Endpoint& endpoint, std::string_view subresource) {
  Resets resets;
  for (std::string_view path : endpoint.rules->reset_fields(subresource))
    resets.paths.push_back(path.starts_with('.') ? path.substr(1) : path);
  return resets;
}

base::Result<void> take_entries(const object::Value& tree, AnyObject& object) {
  auto& target = api::meta_of(object.message(), object.get()).managed_fields;
  target.clear();
  const object::Value* list = tree.at_path({"metadata", "managedFields"});
  if (!list || !list->array_if()) return {};
  const schema::Message& message = gen::message_of<Entry>();
  for (const object::Value& item : *list->array_if()) {
    std::string raw;
    TRY(schema::encode_value(message, item, raw));
    TRY(schema::decode_struct(message, raw, &target.emplace_back()));
  }
  return {};
}

schema::ManageContext manage_context(const Endpoint& endpoint, std::string_view subresource, const Resets& resets) {
  schema::ManageContext manage;
  manage.type = schema::message_type(*endpoint.served);
  manage.api_version = endpoint.api_version;
  manage.kind = endpoint.kind;
  manage.subresource = subresource;
  manage.history = schema::SchemaHistory::kFixed;
  manage.reset_fields = resets.fields();
  return manage;
}

std::string now_text(const RequestContext& context) { return object::format_time(object::to_time(context.now)); }

}  // namespace

base::Result<void> manage_fields(RequestContext& context, const Endpoint& endpoint, const AnyObject* live,
                                 AnyObject& object, const WriteOptions& options, std::string_view subresource) {
  object::Value before{object::Object()};
  if (live) {
    TRY_ASSIGN(before, served_tree(endpoint, *live));
  }
  TRY_ASSIGN(object::Value after, served_tree(endpoint, object));
  const Resets resets = reset_fields(endpoint, subresource);
  schema::update_managed_fields(manage_context(endpoint, subresource, resets), before, after, options.field_manager,
                                now_text(context));
  return take_entries(after, object);
}

base::Result<AppliedObject> apply_config(RequestContext& context, const Endpoint& endpoint, const object::Value& config,
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
  AppliedObject result;
  result.outcome =
      applied.effect == schema::ApplyEffect::kUnchanged ? ApplyOutcome::kUnchanged : ApplyOutcome::kChanged;
  if (result.outcome == ApplyOutcome::kUnchanged) return result;
  schema::write_managed_fields(applied.object, applied.entries);
  TRY_ASSIGN(std::string raw, encode_tree(context, applied.object, *endpoint.served, endpoint.api_version,
                                          endpoint.kind, FieldValidation::kIgnore));
  TRY_ASSIGN(result.object, to_stored(endpoint, raw));
  return result;
}

}  // namespace apiserver
