// metadata.managedFields as apply works on it, and as the object's Value holds it. Pure; thread: as plain data.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "object/value.h"

namespace schema {

enum class ManageOperation : uint8_t { kApply, kUpdate };  // in the order of entries

struct ManagedEntry {
  std::string manager;
  ManageOperation operation = ManageOperation::kUpdate;
  std::string api_version;
  std::string time;         // RFC 3339, UTC, whole seconds; "" = none
  std::string subresource;  // "" = the object itself
  std::string fields;       // FieldsV1 as JSON text
  bool operator==(const ManagedEntry&) const = default;
};
using ManagedEntries = std::vector<ManagedEntry>;

// What an object's metadata says of its managed fields.
enum class ManagedState : uint8_t {
  kAbsent,   // no list
  kReset,    // an empty list or [{}]: the wish to forget them
  kInvalid,  // entries that mean nothing; `error` of ReadEntries says why
  kEntries,
};
struct ReadEntries {
  ManagedState state = ManagedState::kAbsent;
  ManagedEntries entries;
  std::string error;
};

// An entry as an object's struct says it, unchecked.
struct SaidEntry {
  std::string manager;
  std::string operation;
  std::string api_version;
  std::string time;
  std::string fields_type;
  std::string subresource;
  std::optional<std::string> fields;
};

// How a Value holds a fieldsV1: as the nested objects that JSON has there, or as a string of that JSON. The string
// saves the cost of the tree where nobody looks into it; both forms are read.
enum class FieldsForm : uint8_t { kObject, kText };

// Reads metadata.managedFields. Errors have upstream's text: "operation must be `Apply` or `Update`".
ReadEntries read_managed_fields(const object::Value& object);
// The same of a struct's entries. None: kAbsent, as structs do not tell an empty list from none.
ReadEntries read_entries(std::vector<SaidEntry> said);
// Takes metadata.managedFields out of the object.
void remove_managed_fields(object::Value& object);
// Writes the entries into the object's metadata; none: removes the member.
void write_managed_fields(object::Value& object, const ManagedEntries& entries, FieldsForm form = FieldsForm::kObject);

// The identity of an entry as upstream sorts and compares it: JSON of manager, operation, apiVersion (of an update) and
// subresource.
std::string manager_identifier(const ManagedEntry& entry);
void sort_entries(ManagedEntries& entries);

// True when the objects differ in nothing but the times of their managed fields: such a write changes nothing.
bool equal_but_for_times(const object::Value& a, const object::Value& b);

}  // namespace schema
