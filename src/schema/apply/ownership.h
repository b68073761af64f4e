// The entries of an object with their field sets read, while one operation works on them. Internal to schema/apply.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "schema/apply/managed_fields.h"
#include "schema/apply/typed.h"

namespace schema {

struct Owner {
  ManagedEntry entry;
  FieldSet set;
  FieldSet original;  // as entry.fields says: the text is written anew when `set` is another
  bool dropped = false;
  bool unread = false;  // the sets were not needed so far
};

class Ownership {
 public:
  // kBadRequest when a field set is no field set.
  static base::Result<Ownership> read(Arena& arena, const ManageContext& context, ManagedEntries entries);
  // The same where schemas are fixed: sets that cannot hold what changed stay unread.
  static base::Result<Ownership> read_for(Arena& arena, const ManageContext& context, ManagedEntries entries,
                                          const Comparison& changes);
  static base::Result<void> read_set(Arena& arena, Owner& owner);

  std::vector<Owner>& owners() { return owners_; }
  // Null when there is none; an identity of `entry`.
  Owner* find(const ManagedEntry& entry);
  Owner& add(ManagedEntry entry, FieldSet set);

  // Whose fields a change by `self` (null: by nobody who has an entry) touches. `changes`: ownable_changes of the two.
  struct Conflict {
    const Owner* owner;
    FieldSet fields;
  };
  base::Result<std::vector<Conflict>> conflicts_of(Arena& arena, const ManageContext& context,
                                                   const object::Value& before, const object::Value& after,
                                                   const Comparison& changes, const Owner* self) const;
  // Takes from all owners but `self` what changed, and drops owners of nothing.
  base::Result<void> take_over(Arena& arena, const ManageContext& context, const object::Value& before,
                               const object::Value& after, const Comparison& changes, const Owner* self);

  base::Result<void> cap_update_managers(Arena& arena);
  // The entries in their order, with their sets as text.
  ManagedEntries write() &&;

 private:
  static Ownership unread(ManagedEntries entries);

  std::vector<Owner> owners_;
};

// What changed, without the reset fields and what is never owned.
base::Result<Comparison> ownable_changes(Arena& arena, const ManageContext& context, const object::Value& before,
                                         const object::Value& after);

// The set without what is never owned: type, name, uid and the like.
FieldSet strip_metadata(Arena& arena, FieldSet set);

}  // namespace schema
