// No write may take a namespace over one of its ResourceQuotas. What is used is counted from the namespace's objects,
// not taken from quota.status.used, which a controller brings up to date later. A create that was let through holds its
// place until it has ended, so that creates at the same moment do not take the same room; updates do not. Counting
// costs as much as the namespace has objects of the kind, and only where a quota measures it.
#include <algorithm>
#include <functional>
#include <map>
#include <set>

#include "admission/plugins/common.h"
#include "admission/plugins/plugins.h"
#include "api/core/quota_usage.h"
#include "base/mutex.h"
#include "gen/codec.h"
#include "schema/metadata_view.h"
#include "schema/proto_struct.h"

namespace admission {
namespace {

using api::core::v1::PersistentVolumeClaim;
using api::core::v1::Pod;
using api::core::v1::ResourceQuota;
using api::core::v1::ResourceQuotaSpec;
using api::core::v1::Service;
namespace quota = api::quota;
using object::QuantityValue;
using quota::Usage;

constexpr uint32_t kPodStatus = 3, kStatusPhase = 1;

// The four ways in which objects are measured.
enum class Measure : uint8_t { kPod, kService, kClaim, kCount };

Measure measure_of(const Attributes& attributes) {
  if (!attributes.group.empty()) return Measure::kCount;
  if (attributes.resource == "pods") return Measure::kPod;
  if (attributes.resource == "services") return Measure::kService;
  return attributes.resource == "persistentvolumeclaims" ? Measure::kClaim : Measure::kCount;
}

// Can the request change what is used? Compat: Pods change theirs only by resize.
bool concerns(const Attributes& attributes) {
  if (attributes.ns.empty() || !attributes.object || !*attributes.object) return false;
  if (attributes.group.empty() && (attributes.resource == "namespaces" || attributes.resource == "events"))
    return false;
  const bool create = attributes.operation == Operation::kCreate && attributes.subresource.empty();
  if (create) return true;
  if (attributes.operation != Operation::kUpdate) return false;
  switch (measure_of(attributes)) {
    case Measure::kPod:
      return attributes.subresource == "resize";
    case Measure::kService:
    case Measure::kClaim:
      return attributes.subresource.empty();
    case Measure::kCount:
      return false;
  }
  return false;
}

// What `object` (its struct) uses.
Usage usage_of(const Attributes& attributes, const api::AnyObject& object) {
  switch (measure_of(attributes)) {
    case Measure::kPod:
      return quota::usage_of(object.as<Pod>(), attributes.now);
    case Measure::kService:
      return quota::usage_of(object.as<Service>());
    case Measure::kClaim:
      return quota::usage_of(object.as<PersistentVolumeClaim>());
    case Measure::kCount:
      break;
  }
  return quota::usage_of_other(attributes.group, attributes.resource);
}

bool in_scopes(const Attributes& attributes, const ResourceQuotaSpec& spec, const api::AnyObject& object) {
  if (!quota::has_scopes(spec)) return true;
  if (measure_of(attributes) == Measure::kPod) return quota::in_scopes(spec, object.as<Pod>());
  if (measure_of(attributes) == Measure::kClaim) return quota::in_scopes(spec, object.as<PersistentVolumeClaim>());
  return false;
}

void add(Usage& total, const Usage& more, const Usage& names) {
  for (const auto& [name, amount] : more) {
    if (names.contains(name)) total[name] += amount;
  }
}

// Pods and their count alone are told from the bytes.
bool only_counts(const Usage& hard, const ResourceQuotaSpec& spec) {
  if (quota::has_scopes(spec)) return false;
  return std::ranges::all_of(hard,
                             [](const auto& entry) { return entry.first == "pods" || entry.first == "count/pods"; });
}

Usage counted_pod(std::string_view raw) {
  Usage usage{{"count/pods", QuantityValue::from_int(1)}};
  const auto phase = schema::find_bytes(raw, {kPodStatus, kStatusPhase});
  if (phase != "Failed" && phase != "Succeeded") usage["pods"] = QuantityValue::from_int(1);
  return usage;
}

// What creates under way have been let through to take of each quota, in the order in which they came. Any thread.
class Reservations {
 public:
  struct Held {
    std::string uid;
    Usage usage;
  };

  // Holds a place; those of others that came before are returned.
  std::vector<Held> hold(const std::string& quota, Held held) {
    base::MutexLock lock(mutex_);
    std::vector<Held>& all = held_[quota];
    std::vector<Held> before = all;
    all.push_back(std::move(held));
    return before;
  }

  // Gives up the places of an object in every quota.
  void release(std::string_view uid) {
    base::MutexLock lock(mutex_);
    for (auto& [quota, all] : held_) std::erase_if(all, [&](const Held& held) { return held.uid == uid; });
    std::erase_if(held_, [](const auto& entry) { return entry.second.empty(); });
  }

 private:
  base::Mutex mutex_;
  std::map<std::string, std::vector<Held>> held_ GUARDED_BY(mutex_);
};

std::string uid_of(const api::AnyObject& object) {
  std::string raw;
  schema::encode_struct(object.message(), object.get(), raw);
  const auto view = schema::view_metadata(raw);
  return view ? std::string(view->uid) : "";
}

// What the namespace's objects use of `hard` now. Names of `hard` that nothing uses are there with zero. `seen`: told
// of every object.
Usage used_now(const Attributes& attributes, const Lookup& lookup, const ResourceQuotaSpec& spec, const Usage& hard,
               const std::function<void(std::string_view raw)>& seen) {
  Usage used;
  for (const auto& [name, amount] : hard) used[name] = QuantityValue::from_int(0, amount.form());
  const Measure measure = measure_of(attributes);
  const bool cheap = measure == Measure::kPod && only_counts(hard, spec);
  const schema::Message& message = attributes.object->message();
  lookup.each(attributes.group, attributes.resource, attributes.ns, [&](std::string_view, std::string_view raw) {
    seen(raw);
    if (measure == Measure::kCount)
      return add(used, quota::usage_of_other(attributes.group, attributes.resource), hard);
    if (cheap) {
      const auto deleted = schema::view_metadata(raw);
      if (deleted && !deleted->deletion_seconds) return add(used, counted_pod(raw), hard);
    }
    auto object = api::AnyObject::make(message);
    if (!schema::decode_struct(message, raw, object.get())) return;
    if (in_scopes(attributes, spec, object)) add(used, usage_of(attributes, object), hard);
  });
  return used;
}

std::string printed(const Usage& usage, const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) {
    auto found = usage.find(name);
    if (found == usage.end()) continue;
    if (!out.empty()) out += ",";
    out += name + "=" + found->second.to_string();
  }
  return out;
}

class ResourceQuotaPlugin final : public Plugin {
 public:
  std::string_view name() const override { return "ResourceQuota"; }

  base::Result<void> validate(const Attributes& attributes, const Lookup& lookup) override {
    if (!concerns(attributes)) return {};
    std::vector<ResourceQuota> quotas;
    lookup.each("", "resourcequotas", attributes.ns, [&](std::string_view, std::string_view raw) {
      if (auto quota = gen::decode<ResourceQuota>(raw)) quotas.push_back(std::move(*quota));
    });
    for (const ResourceQuota& quota : quotas) TRY(check(attributes, lookup, quota));
    return {};
  }

  void create_ended(std::string_view uid) override { reservations_.release(uid); }

 private:
  base::Result<void> check(const Attributes& attributes, const Lookup& lookup, const ResourceQuota& quota) {
    // What the quota's controller has confirmed; before it has seen the quota, what the quota asks for.
    const auto& limits = quota.status.hard.empty() ? quota.spec.hard : quota.status.hard;
    Usage hard;
    std::vector<std::string> names;
    for (const auto& [name, quantity] : limits) {
      if (!quota::measures(name, attributes.group, attributes.resource)) continue;
      hard[name] = QuantityValue::of(quantity);
      names.push_back(name);
    }
    if (hard.empty() || !in_scopes(attributes, quota.spec, *attributes.object)) return {};
    if (measure_of(attributes) == Measure::kPod) {
      const std::string missing = quota::missing_requirements(attributes.object->as<Pod>(), names);
      if (!missing.empty()) {
        return forbid(attributes, "failed quota: " + quota.metadata.name + ": must specify " + missing);
      }
    }
    const Usage requested = requested_of(attributes, quota.spec, hard);
    if (requested.empty()) return {};
    return take(attributes, lookup, quota, requested, hard);
  }

  // Takes the room for what is requested. Only what came before stands in the way: of two that came together and fit
  // one by one, the first is let through.
  base::Result<void> take(const Attributes& attributes, const Lookup& lookup, const ResourceQuota& quota,
                          const Usage& requested, const Usage& hard) {
    const std::string key = quota.metadata.namespace_ + "/" + quota.metadata.name;
    const std::string uid = uid_of(*attributes.object);
    std::vector<Reservations::Held> before;
    const bool holds = attributes.operation == Operation::kCreate && attributes.dry_run == DryRun::kNo && !uid.empty();
    if (holds) before = reservations_.hold(key, {uid, requested});
    std::set<std::string, std::less<>> visible;
    Usage used = used_now(attributes, lookup, quota.spec, hard, [&](std::string_view raw) {
      if (before.empty()) return;
      const auto view = schema::view_metadata(raw);
      if (!view) return;
      const auto found = std::ranges::find(before, view->uid, &Reservations::Held::uid);
      if (found != before.end()) visible.insert(found->uid);
    });
    for (const Reservations::Held& held : before) {
      if (!visible.contains(held.uid)) add(used, held.usage, hard);
    }
    return compare(attributes, quota.metadata.name, requested, used, hard);
  }

  // What the request adds; only what is more than nothing.
  static Usage requested_of(const Attributes& attributes, const ResourceQuotaSpec& spec, const Usage& hard) {
    Usage requested;
    add(requested, usage_of(attributes, *attributes.object), hard);
    const bool had = attributes.operation == Operation::kUpdate && attributes.old && *attributes.old &&
                     in_scopes(attributes, spec, *attributes.old);
    const Usage before = had ? usage_of(attributes, *attributes.old) : Usage();
    for (auto& [name, amount] : requested) {
      if (auto found = before.find(name); found != before.end()) amount -= found->second;
    }
    std::erase_if(requested, [](const auto& entry) { return entry.second.sign() <= 0; });
    return requested;
  }

  static base::Result<void> compare(const Attributes& attributes, const std::string& quota, const Usage& requested,
                                    const Usage& used, const Usage& hard) {
    std::vector<std::string> exceeded;
    for (const auto& [name, amount] : requested) {
      QuantityValue after = used.at(name);
      after += amount;
      if (after > hard.at(name)) exceeded.push_back(name);
    }
    if (exceeded.empty()) return {};
    return forbid(attributes, "exceeded quota: " + quota + ", requested: " + printed(requested, exceeded) +
                                  ", used: " + printed(used, exceeded) + ", limited: " + printed(hard, exceeded));
  }

  Reservations reservations_;
};

}  // namespace

std::unique_ptr<Plugin> make_resource_quota() { return std::make_unique<ResourceQuotaPlugin>(); }

}  // namespace admission
