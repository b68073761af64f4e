// Who owns which field: the managed fields of an object after a write that is no apply. Pure; thread: any.
//
// Objects are Values in the form that decoding and defaulting give them, without null members that mean "unset"; what
// they say under metadata.managedFields is not looked at: it comes as entries.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "object/value.h"
#include "schema/apply/managed_entry.h"
#include "schema/apply/type.h"
#include "schema/apply/typed.h"
#include "schema/fieldpath/field_set.h"

namespace schema {

// Entries of updates that an object keeps; above it the oldest of a version are merged into one of kAncientManager.
inline constexpr size_t kMaxUpdateManagers = 10;
inline constexpr std::string_view kAncientManager = "ancient-changes";
inline constexpr std::string_view kBeforeFirstApply = "before-first-apply";

// Fields that a write through an endpoint does not touch, whatever it says: a strategy's reset fields. Paths are member
// names with dots between, "*" for any element: "status", "metadata.labels", "spec.containers.*.resources".
struct ResetFields {
  enum class Mode : uint8_t { kExclude, kOnly };  // the paths and all below: taken away, or all that is kept
  Mode mode = Mode::kExclude;
  std::span<const std::string_view> paths;
};
FieldSet filter(Arena& arena, FieldSet set, const ResetFields& fields);

// The object in another version of its API, with that version's type; nullopt when the version is not known (entries of
// it are dropped). Without a converter all versions of a kind are taken to be alike.
struct VersionedObject {
  object::Value object;
  TypeRef type;
};
using VersionConverter =
    std::function<std::optional<VersionedObject>(const object::Value&, std::string_view api_version)>;

// Whether a kind's schema may have changed between atomic and granular since entries were written: a custom resource's.
enum class SchemaHistory : uint8_t { kMayChange, kFixed };

// How a kind is managed at one endpoint.
struct ManageContext {
  TypeRef type;
  std::string_view api_version;  // of the request
  std::string_view kind;
  std::string_view subresource;  // "" = the object itself
  ResetFields reset_fields;
  const VersionConverter* converter = nullptr;
  SchemaHistory history = SchemaHistory::kMayChange;  // kFixed: updates leave old sets as they are; applies never do
};

// The entries of a create or update, from which the next ones are made. Compat: a reset wins; entries that are missing
// or broken fall back on those of the live object, which count as none when they are broken. A subresource's writes
// cannot set them.
ManagedEntries entries_for_update(const object::Value& live, const object::Value& updated,
                                  std::string_view subresource);
ManagedEntries entries_for_update(const ReadEntries& live, ReadEntries updated, std::string_view subresource);

// What the fields of an object are owned by after `manager` made `updated` of `live` (an empty object for a create).
// `now`: RFC 3339, as in entries. The times of entries that keep their fields stay.
struct UpdateRequest {
  const object::Value& live;
  const object::Value& updated;
  std::string_view manager;
  std::string_view now;
};
base::Result<ManagedEntries> manage_update(const ManageContext& context, ManagedEntries entries,
                                           const UpdateRequest& request);

// The same when the change is known already: `changes` are the ownable_changes, or what new_fields finds, of a write in
// the request's version. For contexts without a converter.
base::Result<ManagedEntries> manage_changes(Arena& arena, const ManageContext& context, ManagedEntries entries,
                                            const Comparison& changes, std::string_view manager, std::string_view now);

// The field management of a write of a built-in kind, from the two encodings of the object in the request's version;
// `live` empty = a create, for which the struct may do. `live_entries` and `sent_entries`: what the objects say of
// their managed fields; those of a subresource's body are of no account. The result is empty for an object that cannot
// be managed.
struct EncodedUpdate {
  const Message& message;
  std::string_view live;
  std::function<std::string_view()> updated;  // valid until the update is managed
  ReadEntries live_entries;
  ReadEntries sent_entries;
  std::string_view live_uid;
  std::string_view manager;
  std::string_view now;
  const void* created = nullptr;  // the struct of a new object, where there is one of the message
};
ManagedEntries manage_encoded(const ManageContext& context, EncodedUpdate update);

// The whole of an update's field management: takes the entries from both objects, and leaves the new ones in `updated`.
// An object that cannot be managed loses its managed fields. Compat: a live object with a uid and without managed
// fields stays so until it is first applied.
void update_managed_fields(const ManageContext& context, const object::Value& live, object::Value& updated,
                           std::string_view manager, std::string_view now, FieldsForm form = FieldsForm::kObject);

}  // namespace schema
