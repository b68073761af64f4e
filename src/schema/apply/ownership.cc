#include "schema/apply/ownership.h"

#include <algorithm>
#include <cstring>
#include <map>

#include "schema/fieldpath/fields_v1.h"

namespace schema {
namespace {

using base::Result;
using object::Value;

// The comparisons of one change, by version, each made when an owner of that version asks for it.
class VersionedChanges {
 public:
  VersionedChanges(Arena& arena, const ManageContext& context, const Value& before, const Value& after,
                   const Comparison& own)
      : arena_(arena), context_(context), before_(before), after_(after), own_(own) {}

  // Null: the version is not known.
  Result<const Comparison*> of(const std::string& version) {
    if (version == context_.api_version || !context_.converter) return &own_;
    auto [found, is_new] = others_.try_emplace(version);
    if (is_new) {
      auto before = (*context_.converter)(before_, version);
      auto after = (*context_.converter)(after_, version);
      if (before && after) {
        Converted& converted = found->second;
        converted.before = std::move(before->object);
        converted.after = std::move(after->object);
        TRY_ASSIGN(converted.changes, compare(arena_, before->type, converted.before, converted.after));
        converted.known = true;
      }
    }
    return found->second.known ? &found->second.changes : nullptr;
  }

 private:
  struct Converted {
    Value before;
    Value after;
    Comparison changes;
    bool known = false;
  };

  Arena& arena_;
  const ManageContext& context_;
  const Value& before_;
  const Value& after_;
  const Comparison& own_;
  std::map<std::string, Converted> others_;
};

// The path patterns of reset fields, as a trie.
struct Pattern {
  std::map<std::string_view, Pattern> next;
  bool end = false;
};

Pattern parse_patterns(std::span<const std::string_view> paths) {
  Pattern root;
  for (std::string_view path : paths) {
    Pattern* here = &root;
    while (!path.empty()) {
      const size_t dot = std::min(path.find('.'), path.size());
      here = &here->next[path.substr(0, dot)];
      path.remove_prefix(std::min(dot + 1, path.size()));
    }
    here->end = true;
  }
  return root;
}

const Pattern* match(const Pattern& pattern, const Element& element) {
  auto found = pattern.next.end();
  if (element.kind == Element::Kind::kField) found = pattern.next.find(element.field_name());
  if (found == pattern.next.end()) found = pattern.next.find("*");
  return found == pattern.next.end() ? nullptr : &found->second;
}

FieldSet filter_node(Arena& arena, FieldSet set, const Pattern& pattern, ResetFields::Mode mode) {
  std::vector<SetEntry> entries;
  bool changed = false;
  for (const SetEntry& entry : set.entries()) {
    const Pattern* next = match(pattern, entry.element);
    if (mode == ResetFields::Mode::kExclude ? !next : next && next->end) {
      entries.push_back(entry);
      continue;
    }
    changed = true;
    if (!next || next->end) continue;
    SetEntry kept = entry;
    kept.child = filter_node(arena, FieldSet(entry.child), *next, mode).node();
    if (kept.member || kept.child) entries.push_back(kept);
  }
  return changed ? make_set(arena, entries) : set;
}

// False when a set of this text certainly has none of the changed paths: their first names are not in it.
bool may_touch(std::string_view fields, const Comparison& changes) {
  if (fields.size() <= std::string_view(R"({"f:a":{}})").size()) return true;  // empty sets are to be dropped
  for (const FieldSet set : {changes.added, changes.modified, changes.removed}) {
    for (const SetEntry& entry : set.entries()) {
      std::string name;
      append_member_name(name, entry.element);
      if (memmem(fields.data(), fields.size(), name.data(), name.size())) return true;
    }
  }
  return false;
}

// What a set is in today's schema; nullopt when its version is not known.
std::optional<FieldSet> reconciled(Arena& arena, const ManageContext& context, const std::string& version,
                                   FieldSet set) {
  if (version == context.api_version || !context.converter) return reconcile(arena, context.type, set);
  auto converted = (*context.converter)(Value(object::Object()), version);
  if (!converted) return std::nullopt;
  return reconcile(arena, converted->type, set);
}

}  // namespace

FieldSet filter(Arena& arena, FieldSet set, const ResetFields& fields) {
  if (fields.paths.empty() || set.empty()) return set;
  return filter_node(arena, set, parse_patterns(fields.paths), fields.mode);
}

FieldSet strip_metadata(Arena& arena, FieldSet set) {
  static constexpr std::string_view kMetadata[] = {
      "clusterName",     "creationTimestamp", "generation", "managedFields", "name", "namespace",
      "resourceVersion", "selfLink",          "uid"};
  SetEntry inner[std::size(kMetadata)];
  for (size_t i = 0; i < std::size(kMetadata); ++i) inner[i] = {Element::field(kMetadata[i]), nullptr, true};
  const SetNode metadata{inner, std::size(kMetadata)};
  const SetEntry outer[] = {{Element::field("apiVersion"), nullptr, true},
                            {Element::field("kind"), nullptr, true},
                            {Element::field("metadata"), &metadata, true}};
  const SetNode stripped{outer, std::size(outer)};
  return subtract(arena, set, FieldSet(&stripped));
}

Result<Comparison> ownable_changes(Arena& arena, const ManageContext& context, const Value& before,
                                   const Value& after) {
  TRY_ASSIGN(Comparison changes, compare(arena, context.type, before, after));
  for (FieldSet* set : {&changes.added, &changes.modified, &changes.removed}) {
    if (!set->empty()) *set = strip_metadata(arena, filter(arena, *set, context.reset_fields));
  }
  return changes;
}

Result<void> Ownership::read_set(Arena& arena, Owner& owner) {
  owner.unread = false;
  TRY_ASSIGN(owner.original, parse_fields_v1(arena, arena.copy(owner.entry.fields)));
  owner.set = owner.original;
  return {};
}

Result<Ownership> Ownership::read(Arena& arena, const ManageContext& context, ManagedEntries entries) {
  Ownership result = unread(std::move(entries));
  for (Owner& owner : result.owners_) {
    TRY(read_set(arena, owner));
    const auto set = reconciled(arena, context, owner.entry.api_version, owner.original);
    owner.dropped = !set;
    owner.set = set.value_or(FieldSet());
  }
  return result;
}

Result<Ownership> Ownership::read_for(Arena& arena, const ManageContext& context, ManagedEntries entries,
                                      const Comparison& changes) {
  Ownership result = unread(std::move(entries));
  for (Owner& owner : result.owners_) {
    const bool other_version = context.converter && owner.entry.api_version != context.api_version;
    if (other_version || may_touch(owner.entry.fields, changes)) TRY(read_set(arena, owner));
  }
  return result;
}

Ownership Ownership::unread(ManagedEntries entries) {
  Ownership result;
  result.owners_.reserve(entries.size() + 2);  // so that owners do not move when one is added
  for (ManagedEntry& entry : entries) {
    // Compat: of entries with one identity the last one counts.
    Owner* owner = result.find(entry);
    if (!owner) owner = &result.owners_.emplace_back();
    owner->entry = std::move(entry);
    owner->unread = true;
  }
  return result;
}

Owner* Ownership::find(const ManagedEntry& entry) {
  for (Owner& owner : owners_) {
    const ManagedEntry& other = owner.entry;
    if (!owner.dropped && other.manager == entry.manager && other.operation == entry.operation &&
        other.subresource == entry.subresource &&
        (entry.operation == ManageOperation::kApply || other.api_version == entry.api_version)) {
      return &owner;
    }
  }
  return nullptr;
}

Owner& Ownership::add(ManagedEntry entry, FieldSet set) {
  Owner& owner = owners_.emplace_back();
  owner.entry = std::move(entry);
  owner.set = set;
  return owner;
}

Result<std::vector<Ownership::Conflict>> Ownership::conflicts_of(Arena& arena, const ManageContext& context,
                                                                 const Value& before, const Value& after,
                                                                 const Comparison& changes, const Owner* self) const {
  std::vector<Conflict> conflicts;
  VersionedChanges versions(arena, context, before, after, changes);
  for (const Owner& owner : owners_) {
    if (&owner == self || owner.dropped) continue;
    TRY_ASSIGN(const Comparison* change, versions.of(owner.entry.api_version));
    if (!change) continue;
    const FieldSet fields = intersect(arena, owner.set, unite(arena, change->modified, change->added));
    if (!fields.empty()) conflicts.push_back({&owner, fields});
  }
  return conflicts;
}

Result<void> Ownership::take_over(Arena& arena, const ManageContext& context, const Value& before, const Value& after,
                                  const Comparison& changes, const Owner* self) {
  VersionedChanges versions(arena, context, before, after, changes);
  for (Owner& owner : owners_) {
    if (owner.dropped || owner.unread) continue;
    if (&owner != self) {
      TRY_ASSIGN(const Comparison* change, versions.of(owner.entry.api_version));
      if (!change) {
        owner.dropped = true;
        continue;
      }
      owner.set = subtract(arena, owner.set, change->modified);
      owner.set = subtract(arena, owner.set, change->added);
      owner.set = subtract(arena, owner.set, change->removed);
    }
    if (owner.set.empty()) owner.dropped = true;
  }
  return {};
}

Result<void> Ownership::cap_update_managers(Arena& arena) {
  std::vector<Owner*> updaters;
  for (Owner& owner : owners_) {
    if (!owner.dropped && owner.entry.operation == ManageOperation::kUpdate) updaters.push_back(&owner);
  }
  if (updaters.size() <= kMaxUpdateManagers) return {};
  // Oldest first.
  std::ranges::sort(updaters, [](const Owner* a, const Owner* b) {
    if (a->entry.time != b->entry.time) return a->entry.time < b->entry.time;
    return manager_identifier(a->entry) < manager_identifier(b->entry);
  });
  size_t count = updaters.size();
  std::map<std::string, Owner*> first_of_version;
  for (Owner* owner : updaters) {
    if (count <= kMaxUpdateManagers) break;
    const auto [first, is_new] = first_of_version.emplace(owner->entry.api_version, owner);
    if (is_new) continue;
    // The first one of the version becomes the bucket, unless there is one already.
    ManagedEntry bucket_entry;
    bucket_entry.manager = std::string(kAncientManager);
    bucket_entry.api_version = owner->entry.api_version;
    Owner* bucket = find(bucket_entry);
    if (!bucket) {
      bucket = first->second;
      bucket->entry.manager = bucket_entry.manager;
      bucket->entry.subresource.clear();
    }
    if (bucket == owner) continue;
    for (Owner* merged : {bucket, owner}) {
      if (merged->unread) TRY(read_set(arena, *merged));
    }
    bucket->set = unite(arena, bucket->set, owner->set);
    bucket->entry.time = owner->entry.time;
    owner->dropped = true;
    --count;
  }
  return {};
}

ManagedEntries Ownership::write() && {
  ManagedEntries entries;
  entries.reserve(owners_.size());
  for (Owner& owner : owners_) {
    if (owner.dropped) continue;
    const bool changed = !owner.unread && owner.set.node() != owner.original.node();
    if (owner.entry.fields.empty() || changed) {
      owner.entry.fields.clear();
      append_fields_v1(owner.entry.fields, owner.set);
    }
    entries.push_back(std::move(owner.entry));
  }
  sort_entries(entries);
  return entries;
}

}  // namespace schema
