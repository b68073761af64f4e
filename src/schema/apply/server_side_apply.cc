#include "schema/apply/server_side_apply.h"

#include <algorithm>
#include <map>

#include "codec/json_text.h"
#include "object/json.h"
#include "schema/apply/ownership.h"

namespace schema {
namespace {

using base::Reason;
using base::Result;
using object::Object;
using object::Value;

constexpr std::string_view kLastApplied = "kubectl.kubernetes.io/last-applied-configuration";
constexpr std::string_view kKubectl = "kubectl";
constexpr size_t kMaxAnnotationBytes = size_t{256} * 1024;

// Go's text of a group, version and kind: "apps/v1, Kind=Deployment", "/v1, Kind=ConfigMap".
std::string kind_text(std::string_view api_version, std::string_view kind) {
  std::string out;
  if (std::ranges::count(api_version, '/') > 1) return "/, Kind=";
  if (api_version.find('/') == std::string_view::npos) out += '/';
  out += api_version;
  return out + ", Kind=" + std::string(kind);
}

std::string described(const Value& object) {
  return std::string(object.string_at({"metadata", "namespace"})) + "/" +
         std::string(object.string_at({"metadata", "name"})) + "; " +
         kind_text(object.string_at({"apiVersion"}), object.string_at({"kind"}));
}

Result<void> check_config(const ManageContext& context, const Value& config) {
  const std::string said = kind_text(config.string_at({"apiVersion"}), config.string_at({"kind"}));
  if (said != kind_text(context.api_version, context.kind)) {
    return base::fail(Reason::kBadRequest, "invalid object type: " + said);
  }
  const Value* managed = config.at_path({"metadata", "managedFields"});
  if (managed && managed->is_array()) {
    return base::fail(Reason::kBadRequest, "metadata.managedFields must be nil");
  }
  if (auto valid = validate(context.type, config, Repeats::kForbidden); !valid) {
    return base::fail(Reason::kUnknown,
                      "failed to create typed patch object (" + described(config) + "): " + valid.error().message);
  }
  return {};
}

// --- conflicts -------------------------------------------------------------------------------------------------------

std::string manager_text(const ManagedEntry& entry) {
  std::string text = codec::go_quoted(entry.manager);
  if (!entry.subresource.empty()) text += " with subresource " + codec::go_quoted(entry.subresource);
  if (entry.operation == ManageOperation::kUpdate) text += " using " + entry.api_version;
  return text;
}

base::Error conflict_error(std::vector<Ownership::Conflict> conflicts) {
  std::ranges::sort(conflicts, [](const Ownership::Conflict& a, const Ownership::Conflict& b) {
    return manager_identifier(a.owner->entry) < manager_identifier(b.owner->entry);
  });
  base::ErrorDetails details;
  std::string lines;
  for (const Ownership::Conflict& conflict : conflicts) {
    const std::string manager = manager_text(conflict.owner->entry);
    if (!lines.empty()) lines += '\n';
    lines += "conflicts with " + manager + ":";
    std::vector<Element> path;
    for_each_path(conflict.fields, path, [&](std::span<const Element> at) {
      const std::string text = path_text(at);
      lines += "\n- " + text;
      details.causes.push_back({"FieldManagerConflict", "conflict with " + manager, text});
    });
  }
  std::string message = "Apply failed with ";
  if (details.causes.size() == 1) {
    message += "1 conflict: " + details.causes[0].message + ": " + details.causes[0].field;
  } else {
    message += std::to_string(details.causes.size()) + " conflicts: " + lines;
  }
  return base::Error(Reason::kConflict, std::move(message), std::move(details));
}

// --- the last-applied annotation
// ---------------------------------------------------------------------------------------

std::string_view last_applied(const Value& object) {
  return object.string_at({"metadata", "annotations", kLastApplied});
}

// What the annotation says and the live object still has: kubectl may take it over. Empty when there is no use in it.
FieldSet fields_of_last_applied(Arena& arena, const ManageContext& context, const Value& live, Value& config) {
  const std::string_view text = last_applied(live);
  if (text.empty()) return FieldSet();
  auto parsed = object::parse_json(text);
  if (!parsed || parsed->string_at({"apiVersion"}) != context.api_version) return FieldSet();
  config = std::move(*parsed);
  if (!validate(context.type, config, Repeats::kForbidden)) return FieldSet();
  auto set = to_field_set(arena, context.type, config);
  auto changes = compare(arena, context.type, config, live);
  if (!set || !changes) return FieldSet();
  FieldSet kept = subtract(arena, *set, changes->modified);
  kept = subtract(arena, kept, changes->added);
  return subtract(arena, kept, changes->removed);
}

// Compat: an annotation that would make the annotations too large is taken away instead.
void write_last_applied(Value& object, const Value& config) {
  Value applied = config;
  Value* metadata = applied.find("metadata");
  if (Value* annotations = metadata ? metadata->find("annotations") : nullptr) {
    if (annotations->is_object()) annotations->object_if()->erase(kLastApplied);
  }
  Value* kept = object.find("metadata")->find("annotations");
  kept->object_if()->set(kLastApplied, object::to_json(applied, object::KeyOrder::kSorted) + "\n");
  size_t bytes = 0;
  for (const auto& [name, value] : *kept->object_if()) {
    bytes += name.size() + (value.string_if() ? value.string_if()->size() : 0);
  }
  if (bytes > kMaxAnnotationBytes) kept->object_if()->erase(kLastApplied);
}

// --- one application
// ---------------------------------------------------------------------------------------------------

class Application {
 public:
  Application(const ManageContext& context, const ApplyRequest& request)
      : context_(context), request_(request), live_(request.live ? *request.live : nothing_) {}

  Result<Applied> run(OnConflict on_conflict) {
    TRY_ASSIGN(Ownership ownership, owners());
    TRY_ASSIGN(FieldSet set, to_field_set(arena_, context_.type, request_.config));
    set = filter(arena_, set, context_.reset_fields);
    Owner& self = own_entry(ownership);
    const FieldSet last = self.set;
    const std::string last_version = std::exchange(self.entry.api_version, std::string(context_.api_version));
    self.set = set;

    const Last before{last, last_version};
    const bool prunes = loses_fields(ownership, before);
    Applied applied;
    if (!prunes && request_.live && merge_is_idle(arena_, context_.type, live_, request_.config)) {
      applied.effect = ApplyEffect::kUnchanged;
      TRY(ownership.take_over(arena_, context_, live_, live_, Comparison(), &self));
    } else {
      TRY_ASSIGN(applied.object, merge(arena_, context_.type, live_, request_.config));
      if (prunes) {
        TRY_ASSIGN(applied.object, prune(std::move(applied.object), ownership, before));
      }
      TRY_ASSIGN(const Comparison changes, ownable_changes(arena_, context_, live_, applied.object));
      if (on_conflict == OnConflict::kFail) {
        TRY_ASSIGN(conflicts_, ownership.conflicts_of(arena_, context_, live_, applied.object, changes, &self));
        if (!conflicts_.empty()) {
          conflict_owners_ = std::make_unique<Ownership>(std::move(ownership));
          return base::fail(conflict_error(conflicts_));
        }
      }
      TRY(ownership.take_over(arena_, context_, live_, applied.object, changes, &self));
      if (applied.object == live_) applied = Applied{ApplyEffect::kUnchanged, {}, {}};
    }
    self.set = strip_metadata(arena_, self.set);
    self.dropped = self.dropped || self.set.empty();
    if (applied.effect == ApplyEffect::kChanged) self.entry.time = std::string(request_.now);
    remove_managed_fields(applied.object);
    applied.entries = std::move(ownership).write();
    return applied;
  }

  // After run() failed with a conflict: the error without the conflicts that the last-applied annotation excuses; or
  // nullopt when it excuses all of them.
  std::optional<base::Error> unexcused(base::Error error) {
    Value config;
    const FieldSet allowed = fields_of_last_applied(arena_, context_, live_, config);
    if (allowed.empty()) return error;
    std::vector<Ownership::Conflict> left;
    for (const Ownership::Conflict& conflict : conflicts_) {
      const FieldSet fields = subtract(arena_, conflict.fields, allowed);
      if (!fields.empty()) left.push_back({conflict.owner, fields});
    }
    if (left.empty()) return std::nullopt;
    return conflict_error(std::move(left));
  }
  bool has_conflicts() const { return !conflicts_.empty(); }

 private:
  // The live object's owners. Compat: an object without managed fields is owned by kBeforeFirstApply.
  Result<Ownership> owners() {
    ReadEntries read;
    if (request_.live) read = read_managed_fields(*request_.live);
    if (read.state == ManagedState::kInvalid) {
      return base::fail(Reason::kUnknown, "failed to decode managed fields: " + read.error);
    }
    if (read.entries.empty() && request_.live) {
      TRY_ASSIGN(read.entries, manage_update(context_, {}, {nothing_, live_, kBeforeFirstApply, request_.now}));
    }
    auto ownership = Ownership::read(arena_, context_, std::move(read.entries));
    if (!ownership) {
      return base::fail(Reason::kUnknown, "failed to decode managed fields: " + ownership.error().message);
    }
    return ownership;
  }

  Owner& own_entry(Ownership& ownership) {
    ManagedEntry entry;
    entry.manager = std::string(request_.manager);
    entry.operation = ManageOperation::kApply;
    entry.api_version = std::string(context_.api_version);
    entry.subresource = std::string(context_.subresource);
    Owner* owner = ownership.find(entry);
    return owner ? *owner : ownership.add(std::move(entry), FieldSet());
  }

  // An object in a version: itself, or what it was converted to.
  struct InVersion {
    const Value* object = nullptr;
    TypeRef type;
    std::unique_ptr<Value> converted;
  };
  // nullopt: the version is not known.
  std::optional<InVersion> in_version(const Value& object, const std::string& version) const {
    const bool same = version == context_.api_version && object.string_at({"apiVersion"}) == version;
    if (same || !context_.converter) return InVersion{&object, context_.type, nullptr};
    auto converted = (*context_.converter)(object, version);
    if (!converted) return std::nullopt;
    auto owned = std::make_unique<Value>(std::move(converted->object));
    return InVersion{owned.get(), converted->type, std::move(owned)};
  }

  // What the manager applied the last time, and in which version.
  struct Last {
    FieldSet set;
    const std::string& version;
  };

  // The sets of all owners, by version; in the last one's version when versions are alike.
  std::map<std::string, FieldSet> managed_by_version(Ownership& ownership, const Last& last) {
    std::map<std::string, FieldSet> managed;
    for (const Owner& owner : ownership.owners()) {
      if (owner.dropped) continue;
      const std::string& version = context_.converter ? owner.entry.api_version : last.version;
      managed[version] = unite(arena_, managed[version], owner.set);
    }
    return managed;
  }

  // True when something that was applied the last time has no owner now.
  bool loses_fields(Ownership& ownership, const Last& last) {
    if (last.set.empty()) return false;
    if (context_.converter && last.version != context_.api_version) return true;
    const FieldSet managed = managed_by_version(ownership, last)[last.version];
    if (subtract(arena_, last.set, managed).empty()) return false;
    return !subtract(arena_, with_named_members(arena_, context_.type, last.set),
                     with_named_members(arena_, context_.type, managed))
                .empty();
  }

  // Takes out what the manager applied last time, does not apply now, and no other owns.
  Result<Value> prune(Value merged, Ownership& ownership, const Last& last) {
    std::map<std::string, FieldSet> managed = managed_by_version(ownership, last);
    auto converted = in_version(merged, last.version);
    if (!converted) return merged;
    const Value& whole = *converted->object;
    const TypeRef type = converted->type;
    const FieldSet last_named = with_named_members(arena_, type, last.set);
    TRY_ASSIGN(FieldSet whole_set, to_field_set(arena_, type, whole));
    whole_set = with_named_members(arena_, type, whole_set);

    Value pruned = remove_items(arena_, type, whole, last_named);
    if (managed.contains(last.version)) {
      const FieldSet owned = with_named_members(arena_, type, managed[last.version]);
      TRY_ASSIGN(pruned, add_back(type, whole, whole_set, pruned, owned));
    }
    for (const auto& [version, set] : managed) {
      if (version == last.version) continue;
      auto other_whole = in_version(whole, version);
      auto other_part = in_version(pruned, version);
      if (!other_whole || !other_part) continue;
      const TypeRef other = other_whole->type;
      TRY_ASSIGN(FieldSet other_set, to_field_set(arena_, other, *other_whole->object));
      other_set = with_named_members(arena_, other, other_set);
      TRY_ASSIGN(const Value added, add_back(other, *other_whole->object, other_set, *other_part->object,
                                             with_named_members(arena_, other, set)));
      if (auto back = in_version(added, last.version)) pruned = Value(*back->object);
    }
    // Only what the manager itself applied may go: all else that is missing now comes back.
    TRY_ASSIGN(FieldSet pruned_set, to_field_set(arena_, type, pruned));
    pruned_set = with_named_members(arena_, type, pruned_set);
    const FieldSet gone = intersect(arena_, subtract(arena_, whole_set, pruned_set), last_named);
    Value result = remove_items(arena_, type, whole, gone);
    auto back = in_version(result, std::string(context_.api_version));
    if (!back) return merged;
    return back->converted ? std::move(*back->converted) : std::move(result);
  }

  // `pruned` with what of `whole` is in `managed`.
  Result<Value> add_back(const TypeRef& type, const Value& whole, FieldSet whole_set, const Value& pruned,
                         FieldSet managed) {
    TRY_ASSIGN(FieldSet pruned_set, to_field_set(arena_, type, pruned));
    pruned_set = with_named_members(arena_, type, pruned_set);
    return remove_items(arena_, type, whole, subtract(arena_, whole_set, unite(arena_, pruned_set, managed)));
  }

  const ManageContext& context_;
  const ApplyRequest& request_;
  const Value nothing_ = Object();
  const Value& live_;
  Arena arena_;
  std::vector<Ownership::Conflict> conflicts_;
  std::unique_ptr<Ownership> conflict_owners_;  // what the conflicts point into
};

}  // namespace

Result<Applied> server_side_apply(const ManageContext& context, const ApplyRequest& request) {
  TRY(check_config(context, request.config));
  Application application(context, request);
  Result<Applied> applied = application.run(request.on_conflict);
  if (!applied && application.has_conflicts() && request.manager == kKubectl) {
    if (auto error = application.unexcused(applied.error())) return base::fail(std::move(*error));
    applied = Application(context, request).run(OnConflict::kForce);
  }
  if (applied && request.manager == kKubectl) {
    const Value* result = applied->effect == ApplyEffect::kChanged ? &applied->object : request.live;
    if (last_applied(*result).empty()) return applied;
    if (applied->effect == ApplyEffect::kUnchanged) {
      applied->object = *request.live;
      remove_managed_fields(applied->object);
    }
    write_last_applied(applied->object, request.config);
    applied->effect = ApplyEffect::kChanged;
  }
  return applied;
}

}  // namespace schema
