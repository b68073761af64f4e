#include "schema/apply/managed_fields.h"

#include "schema/apply/ownership.h"

namespace schema {

using base::Result;
using object::Value;

ManagedEntries entries_for_update(const Value& live, const Value& updated, std::string_view subresource) {
  if (subresource.empty()) {
    ReadEntries read = read_managed_fields(updated);
    if (read.state == ManagedState::kReset) return {};
    if (read.state == ManagedState::kEntries) return std::move(read.entries);
  }
  return read_managed_fields(live).entries;
}

Result<ManagedEntries> manage_update(const ManageContext& context, ManagedEntries entries,
                                     const UpdateRequest& request) {
  // Compat: managed fields that somebody reset, or that were never there, stay away until the first apply.
  if (entries.empty() && !request.live.string_at({"metadata", "uid"}).empty()) return entries;
  Arena arena;
  TRY_ASSIGN(const Comparison changes, ownable_changes(arena, context, request.live, request.updated));
  const bool fixed = context.history == SchemaHistory::kFixed;
  auto read = fixed ? Ownership::read_for(arena, context, std::move(entries), changes)
                    : Ownership::read(arena, context, std::move(entries));
  TRY_ASSIGN(Ownership ownership, std::move(read));
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
