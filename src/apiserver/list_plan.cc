#include "apiserver/list_plan.h"

#include <algorithm>

#include "apiserver/core.h"
#include "apiserver/selection.h"
#include "object/status.h"
#include "storage/continue_token.h"
#include "storage/keys.h"
#include "storage/stored_object.h"

namespace apiserver {
namespace {

struct Position {
  kv::SnapshotPtr snapshot;
  std::string start;  // the first key
};

base::Result<Position> position_of(Core& core, const std::string& prefix, const ListOptions& options) {
  kv::Store& store = core.store();
  if (!options.continue_token.empty()) {
    if (!options.resource_version.empty() && options.resource_version != "0") {
      return base::fail(base::Reason::kBadRequest, "specifying resource version is not allowed when using continue");
    }
    TRY_ASSIGN(storage::ContinueToken token, storage::decode_continue(options.continue_token));
    if (token.revision < 0) return Position{store.snapshot(), prefix + token.start};
    auto snapshot = store.snapshot_at(token.revision);
    if (!snapshot) return base::fail(object::continue_expired(storage::encode_continue({-1, token.start})));
    return Position{*snapshot, prefix + token.start};
  }
  auto wanted = parse_resource_version(options.resource_version);
  if (!wanted) {
    base::Error error = wanted.error();
    return base::fail(base::Reason::kBadRequest, "invalid resource version: " + error.message);
  }
  const bool legacy_exact = options.match == VersionMatch::kUnset && options.limit > 0 && *wanted > 0;
  kv::SnapshotPtr newest = store.snapshot();
  if (*wanted > static_cast<uint64_t>(newest->revision())) {
    return base::fail(object::too_large_resource_version(*wanted, static_cast<uint64_t>(newest->revision())));
  }
  if (options.match == VersionMatch::kExact || legacy_exact) {
    auto snapshot = store.snapshot_at(static_cast<int64_t>(*wanted));
    if (!snapshot) return base::fail(object::list_expired());
    return Position{*snapshot, prefix};
  }
  return Position{std::move(newest), prefix};
}

struct KeyRange {
  std::string_view start, end;
};

// What is selected of the range, in order, until there are `limit` (0: all). What signatures rule out is not looked at.
base::Result<void> select(const kv::Snapshot& snapshot, KeyRange keys, const Selection& selection, size_t limit,
                          std::vector<kv::KeyValueRef>& items) {
  base::Result<void> damaged;
  const auto visit = [&](const kv::KeyValueRef& kv) {
    if (!selection.everything()) {
      auto stored = storage::open_stored(kv);
      if (!stored) {
        damaged = base::fail(stored.error());
        return kv::Visit::kStop;
      }
      if (!selection.matches(stored->raw)) return kv::Visit::kContinue;
    }
    items.push_back(kv);
    return items.size() == limit ? kv::Visit::kStop : kv::Visit::kContinue;
  };
  if (selection.everything())
    items.reserve(std::min(snapshot.count(keys.start, keys.end), limit > 0 ? limit : SIZE_MAX));
  if (selection.signatures().empty()) {
    snapshot.range(keys.start, keys.end, visit);
  } else {
    snapshot.range_covering(keys.start, keys.end, selection.signatures(), visit);
  }
  return damaged;
}

}  // namespace

base::Result<ListPlan> plan_list(Core& core, const Endpoint& endpoint, std::string_view ns,
                                 const ListOptions& options) {
  ListPlan plan;
  if (!endpoint.is_stored()) {  // a resource that keeps nothing has an empty list
    plan.revision = core.store().snapshot()->revision();
    return plan;
  }
  TRY_ASSIGN(Selection selection, Selection::compile(endpoint, options));
  std::string prefix = storage::range_start(endpoint.prefix(), ns);
  TRY_ASSIGN(Position at, position_of(core, prefix, options));
  plan.revision = at.snapshot->revision();
  const std::string end = kv::prefix_end(prefix);
  // Compat: a list at resourceVersion=0 is answered from memory whole; its limit is a hint that is not taken.
  const int64_t limit = options.resource_version == "0" ? 0 : options.limit;
  if (auto name = selection.name(); name && endpoint.namespaced() == !ns.empty()) {
    if (kv::KeyValueRef kv = at.snapshot->get_ref(prefix + *name)) {
      TRY_ASSIGN(storage::StoredObject stored, storage::open_stored(kv));
      if (selection.matches(stored.raw)) plan.items.push_back(std::move(kv));
    }
    return plan;
  }
  TRY(select(*at.snapshot, {at.start, end}, selection, static_cast<size_t>(limit), plan.items));
  std::string next;
  if (limit > 0 && plan.items.size() == static_cast<size_t>(limit)) {
    next = std::string(plan.items.back()->key.view()) + '\0';
  }
  // Compat: a page that is full continues when any key follows, whether it will be selected or not.
  if (!next.empty() && at.snapshot->count(next, end) > 0) {
    plan.continue_token = storage::encode_continue({plan.revision, next.substr(prefix.size())});
    if (selection.everything()) plan.remaining = static_cast<int64_t>(at.snapshot->count(next, end));
  }
  return plan;
}

}  // namespace apiserver
