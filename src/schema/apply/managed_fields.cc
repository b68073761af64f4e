#include "schema/apply/managed_fields.h"

#include "base/check.h"
#include "schema/apply/new_fields.h"
#include "schema/apply/ownership.h"
#include "schema/proto_difference.h"
#include "schema/proto_value.h"

namespace schema {
namespace {

using base::Result;
using object::Value;

// Of changes in the request's version: takes from the others what changed, and gives it to the manager.
Result<ManagedEntries> hand_over(Arena& arena, const ManageContext& context, Ownership ownership,
                                 const Comparison& changes, const UpdateRequest& request) {
  TRY(ownership.take_over(arena, context, request.live, request.updated, changes, nullptr));
  const FieldSet touched = unite(arena, changes.modified, changes.added);
  if (!touched.empty()) {
    ManagedEntry entry;
    entry.manager = request.manager.empty() ? "unknown" : std::string(request.manager);
    entry.operation = ManageOperation::kUpdate;
    entry.api_version = std::string(context.api_version);
    entry.subresource = std::string(context.subresource);
    Owner* owner = ownership.find(entry);
    if (owner) {
      if (owner->unread) TRY(Ownership::read_set(arena, *owner));
      owner->set = unite(arena, owner->set, touched);
    } else {
      owner = &ownership.add(std::move(entry), touched);
    }
    owner->entry.time = std::string(request.now);
  }
  TRY(ownership.cap_update_managers(arena));
  return std::move(ownership).write();
}

Result<Ownership> owners_before(Arena& arena, const ManageContext& context, ManagedEntries entries,
                                const Comparison& changes) {
  if (context.history == SchemaHistory::kFixed) {
    return Ownership::read_for(arena, context, std::move(entries), changes);
  }
  return Ownership::read(arena, context, std::move(entries));
}

// The trees that a comparison views, and the comparison.
struct EncodedChanges {
  Difference trees;
  Comparison changes;
};

Result<void> read_changes(Arena& arena, const ManageContext& context, const EncodedUpdate& update,
                          EncodedChanges& out) {
  if (update.live.empty()) {
    std::optional<FieldSet> fields;
    if (update.created) fields = new_fields(arena, update.message, update.created);
    if (!fields) fields = new_fields(arena, update.message, update.updated());
    if (fields) {
      out.changes.added = strip_metadata(arena, filter(arena, *fields, context.reset_fields));
      return {};
    }
    TRY_ASSIGN(out.trees.after, decode_value(update.message, update.updated()));
    remove_managed_fields(out.trees.after);
  } else {
    TRY_ASSIGN(out.trees, decode_difference(update.message, update.live, update.updated()));
  }
  TRY_ASSIGN(out.changes, ownable_changes(arena, context, out.trees.before, out.trees.after));
  return {};
}

}  // namespace

ManagedEntries entries_for_update(const ReadEntries& live, ReadEntries updated, std::string_view subresource) {
  if (subresource.empty()) {
    if (updated.state == ManagedState::kReset) return {};
    if (updated.state == ManagedState::kEntries) return std::move(updated.entries);
  }
  return live.entries;
}

ManagedEntries entries_for_update(const Value& live, const Value& updated, std::string_view subresource) {
  return entries_for_update(read_managed_fields(live), read_managed_fields(updated), subresource);
}

Result<ManagedEntries> manage_changes(Arena& arena, const ManageContext& context, ManagedEntries entries,
                                      const Comparison& changes, std::string_view manager, std::string_view now) {
  CHECK(context.converter == nullptr);
  const Value none;
  TRY_ASSIGN(Ownership ownership, owners_before(arena, context, std::move(entries), changes));
  return hand_over(arena, context, std::move(ownership), changes, {none, none, manager, now});
}

Result<ManagedEntries> manage_update(const ManageContext& context, ManagedEntries entries,
                                     const UpdateRequest& request) {
  // Compat: managed fields that somebody reset, or that were never there, stay away until the first apply.
  if (entries.empty() && !request.live.string_at({"metadata", "uid"}).empty()) return entries;
  Arena arena;
  TRY_ASSIGN(const Comparison changes, ownable_changes(arena, context, request.live, request.updated));
  TRY_ASSIGN(Ownership ownership, owners_before(arena, context, std::move(entries), changes));
  return hand_over(arena, context, std::move(ownership), changes, request);
}

ManagedEntries manage_encoded(const ManageContext& context, EncodedUpdate update) {
  ManagedEntries entries = entries_for_update(update.live_entries, std::move(update.sent_entries), context.subresource);
  // Compat: as in manage_update.
  const bool unmanaged = !update.live_uid.empty();
  if (entries.empty() && unmanaged) return {};
  Arena arena;
  EncodedChanges encoded;
  if (!read_changes(arena, context, update, encoded)) return {};
  auto manage = [&](ManagedEntries from) -> Result<ManagedEntries> {
    if (from.empty() && unmanaged) return from;
    return manage_changes(arena, context, std::move(from), encoded.changes, update.manager, update.now);
  };
  auto managed = manage(std::move(entries));
  if (!managed && managed.error().reason == base::Reason::kBadRequest) {  // a field set that is none
    managed = manage(std::move(update.live_entries.entries));
    if (!managed) managed = manage({});
  }
  return managed ? *std::move(managed) : ManagedEntries();
}

void update_managed_fields(const ManageContext& context, const Value& live, Value& updated, std::string_view manager,
                           std::string_view now, FieldsForm form) {
  ManagedEntries entries = entries_for_update(live, updated, context.subresource);
  remove_managed_fields(updated);
  const UpdateRequest request{live, updated, manager, now};
  auto managed = manage_update(context, std::move(entries), request);
  if (!managed && managed.error().reason == base::Reason::kBadRequest) {  // a field set that is none
    managed = manage_update(context, read_managed_fields(live).entries, request);
    if (!managed) managed = manage_update(context, {}, request);
  }
  if (managed) write_managed_fields(updated, *managed, form);
}

}  // namespace schema
