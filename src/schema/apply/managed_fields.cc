#include "schema/apply/managed_fields.h"

#include "schema/apply/ownership.h"

namespace schema {

using base::Result;
using object::Value;

ManagedEntries entries_for_update(const ReadEntries& live, const ReadEntries& updated, std::string_view subresource) {
  if (subresource.empty()) {
    if (updated.state == ManagedState::kReset) return {};
    if (updated.state == ManagedState::kEntries) return updated.entries;
  }
  return live.entries;
}

Result<ManagedEntries> manage_update(const ManageContext& context, ManagedEntries entries,
                                     const UpdateRequest& request) {
  // Compat: managed fields that somebody reset, or that were never there, stay away until the first apply.
  if (entries.empty() && !request.live.string_at({"metadata", "uid"}).empty()) return entries;
  if (request.live == request.updated) {
    sort_entries(entries);
    return entries;
  }
  Arena arena;
  TRY_ASSIGN(Ownership ownership, Ownership::read(arena, context, std::move(entries)));
  TRY_ASSIGN(const Comparison changes, ownership.take_over(arena, context, request.live, request.updated, nullptr));
  const FieldSet touched = strip_metadata(arena, unite(arena, changes.modified, changes.added));
  if (!touched.empty()) {
    ManagedEntry entry;
    entry.manager = request.manager.empty() ? "unknown" : std::string(request.manager);
    entry.operation = ManageOperation::kUpdate;
    entry.api_version = std::string(context.api_version);
    entry.subresource = std::string(context.subresource);
    Owner* owner = ownership.find(entry);
    if (owner) {
      owner->set = unite(arena, owner->set, touched);
    } else {
      owner = &ownership.add(std::move(entry), touched);
    }
    owner->entry.time = std::string(request.now);
  }
  ownership.cap_update_managers(arena);
  return std::move(ownership).write();
}

void update_managed_fields(const ManageContext& context, const Value& live, Value& updated, std::string_view manager,
                           std::string_view now) {
  ManagedEntries entries =
      entries_for_update(read_managed_fields(live), read_managed_fields(updated), context.subresource);
  remove_managed_fields(updated);
  Value bare_live;
  const Value* before = &live;
  if (live.at_path({"metadata", "managedFields"})) {
    bare_live = live;
    remove_managed_fields(bare_live);
    before = &bare_live;
  }
  auto managed = manage_update(context, std::move(entries), {*before, updated, manager, now});
  if (managed) write_managed_fields(updated, *managed);
}

}  // namespace schema
