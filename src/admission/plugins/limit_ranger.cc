// LimitRanges of a namespace: default requests and limits of containers, then minimum, maximum and ratio of containers,
// Pods and claims.
#include <algorithm>
#include <cstdio>

#include "admission/plugins/common.h"
#include "admission/plugins/plugins.h"
#include "api/core/pod_resources.h"
#include "gen/codec.h"
#include "object/quantity.h"

namespace admission {
namespace {

using api::core::v1::Container;
using api::core::v1::LimitRange;
using api::core::v1::LimitRangeItem;
using api::core::v1::PersistentVolumeClaim;
using api::core::v1::Pod;
using object::Quantity;
using object::QuantityValue;
using Quantities = std::map<std::string, Quantity>;

std::vector<LimitRange> ranges_of(const Attributes& attributes, const Lookup& lookup) {
  std::vector<LimitRange> ranges;
  lookup.each("", "limitranges", attributes.ns, [&](std::string_view, std::string_view raw) {
    if (auto range = gen::decode<LimitRange>(raw)) ranges.push_back(std::move(*range));
  });
  return ranges;
}

// --- defaults

// The names of what was added, in order, as `cpu, memory`; "" = nothing.
std::string fill(Quantities& have, const Quantities& defaults) {
  std::string added;
  for (const auto& [name, quantity] : defaults) {
    if (!have.try_emplace(name, quantity).second) continue;
    if (!added.empty()) added += ", ";
    added += name;
  }
  return added;
}

void note(std::string& notes, const std::string& added, const std::string& what, const std::string& container) {
  if (added.empty()) return;
  if (!notes.empty()) notes += "; ";
  notes += added + " " + what + " " + container;
}

void fill_defaults(const LimitRange& range, Pod& pod) {
  Quantities limits, requests;
  for (const LimitRangeItem& item : range.spec.limits) {
    if (item.type != "Container") continue;
    for (const auto& [name, quantity] : item.default_) limits[name] = quantity;
    for (const auto& [name, quantity] : item.default_request) requests[name] = quantity;
  }
  std::string notes;
  auto fill_container = [&](Container& container, const std::string& title) {
    note(notes, fill(container.resources.requests, requests), "request for " + title, container.name);
    note(notes, fill(container.resources.limits, limits), "limit for " + title, container.name);
  };
  for (Container& container : pod.spec.containers) fill_container(container, "container");
  for (Container& container : pod.spec.init_containers) fill_container(container, "init container");
  if (!notes.empty()) pod.metadata.annotations["kubernetes.io/limit-ranger"] = "LimitRanger plugin set: " + notes;
}

// --- checks

// What one item of a LimitRange constrains, and what is there.
struct Subject {
  const std::string& type;  // "Container"
  const Quantities& requests;
  const Quantities& limits;
};

const Quantity* find(const Quantities& quantities, const std::string& name) {
  auto found = quantities.find(name);
  return found == quantities.end() ? nullptr : &found->second;
}

std::string text(const Quantity& quantity) { return quantity.string.empty() ? "0" : quantity.string; }

// Distinct messages, in order.
class Refusals {
 public:
  void add(std::string message) {
    if (std::ranges::find(messages_, message) == messages_.end()) messages_.push_back(std::move(message));
  }
  bool empty() const { return messages_.empty(); }
  // Compat: as upstream prints an aggregate of errors.
  std::string to_string() const {
    if (messages_.size() == 1) return messages_.front();
    std::string out = "[";
    for (const std::string& message : messages_) out += (out.size() > 1 ? ", " : "") + message;
    return out + "]";
  }

 private:
  std::vector<std::string> messages_;
};

void check_minimum(const Subject& subject, const std::string& name, const Quantity& least, Refusals& refusals) {
  const Quantity* request = find(subject.requests, name);
  const Quantity* limit = find(subject.limits, name);
  const std::string start = "minimum " + name + " usage per " + subject.type + " is " + text(least);
  if (!request) {
    refusals.add(start + ".  No request is specified");
  } else if (compare(*request, least) < 0) {
    refusals.add(start + ", but request is " + text(*request));
  } else if (limit && compare(*limit, least) < 0) {
    refusals.add(start + ", but limit is " + text(*limit));
  }
}

void check_maximum(const Subject& subject, const std::string& name, const Quantity& most, Refusals& refusals) {
  const Quantity* request = find(subject.requests, name);
  const Quantity* limit = find(subject.limits, name);
  const std::string start = "maximum " + name + " usage per " + subject.type + " is " + text(most);
  if (!limit) {
    refusals.add(start + ".  No limit is specified");
  } else if (compare(*limit, most) > 0) {
    refusals.add(start + ", but limit is " + text(*limit));
  } else if (request && compare(*request, most) > 0) {
    refusals.add(start + ", but request is " + text(*request));
  }
}

void check_ratio(const Subject& subject, const std::string& name, const Quantity& most, Refusals& refusals) {
  const Quantity* request = find(subject.requests, name);
  const Quantity* limit = find(subject.limits, name);
  const std::string start = name + " max limit to request ratio per " + subject.type + " is " + text(most) + ", but ";
  if (!request || QuantityValue::of(*request).zero()) {
    refusals.add(start + "no request is specified or request is 0");
  } else if (!limit || QuantityValue::of(*limit).zero()) {
    refusals.add(start + "no limit is specified or limit is 0");
  } else {
    const double ratio = QuantityValue::of(*limit).approximate() / QuantityValue::of(*request).approximate();
    if (ratio * 1000 <= static_cast<double>(QuantityValue::of(most).milli_value())) return;
    char digits[64];
    std::snprintf(digits, sizeof digits, "%f", ratio);
    refusals.add(start + "provided ratio is " + digits);
  }
}

void check_all(const LimitRangeItem& item, const Subject& subject, Refusals& refusals) {
  for (const auto& [name, quantity] : item.min) check_minimum(subject, name, quantity, refusals);
  for (const auto& [name, quantity] : item.max) check_maximum(subject, name, quantity, refusals);
  for (const auto& [name, quantity] : item.max_limit_request_ratio) check_ratio(subject, name, quantity, refusals);
}

// What the Pod states as a whole goes before the sum of its containers.
Quantities whole(Quantities sum, const Pod& pod, const Quantities& stated) {
  if (!api::pod_level_resources_set(pod.spec)) return sum;
  for (const auto& [name, quantity] : stated) {
    if (api::is_pod_level_resource(name)) sum[name] = quantity;
  }
  return sum;
}

void check_pod(const LimitRange& range, const Pod& pod, Refusals& refusals) {
  for (const LimitRangeItem& item : range.spec.limits) {
    if (item.type == "Container") {
      for (const auto* list : {&pod.spec.containers, &pod.spec.init_containers}) {
        for (const Container& c : *list)
          check_all(item, {item.type, c.resources.requests, c.resources.limits}, refusals);
      }
    } else if (item.type == "Pod") {
      const Quantities none;
      const auto* stated = pod.spec.resources.get();
      const Quantities requests =
          whole(api::aggregate_container_requests(pod.spec), pod, stated ? stated->requests : none);
      const Quantities limits = whole(api::aggregate_container_limits(pod.spec), pod, stated ? stated->limits : none);
      check_all(item, {item.type, requests, limits}, refusals);
    }
  }
}

// Compat: a claim's maximum is one of its request.
void check_claim(const LimitRange& range, const PersistentVolumeClaim& claim, Refusals& refusals) {
  const Quantities none;
  const Quantities& requests = claim.spec.resources.requests;
  for (const LimitRangeItem& item : range.spec.limits) {
    if (item.type != "PersistentVolumeClaim") continue;
    for (const auto& [name, least] : item.min) check_minimum({item.type, requests, none}, name, least, refusals);
    for (const auto& [name, most] : item.max) {
      const Quantity* request = find(requests, name);
      const std::string start = "maximum " + name + " usage per " + item.type + " is " + text(most);
      if (!request) {
        refusals.add(start + ".  No request is specified");
      } else if (compare(*request, most) > 0) {
        refusals.add(start + ", but request is " + text(*request));
      }
    }
  }
}

// Compat: Pods are looked at when they are created or resized, claims when they are created or changed; nothing that is
// being deleted is.
bool concerns(const Attributes& attributes) {
  if (attributes.operation != Operation::kCreate && attributes.operation != Operation::kUpdate) return false;
  if (attributes.old && *attributes.old) {
    const void* old = attributes.old->get();
    if (api::meta_of(attributes.old->message(), old).deletion_timestamp) return false;
  }
  if (attributes.is("", "pods", "resize")) return attributes.operation == Operation::kUpdate;
  if (attributes.is("", "pods")) return attributes.operation == Operation::kCreate;
  return attributes.is("", "persistentvolumeclaims");
}

class LimitRanger final : public Plugin {
 public:
  std::string_view name() const override { return "LimitRanger"; }

  base::Result<void> admit(Attributes& attributes, const Lookup& lookup) override {
    Pod* pod = concerns(attributes) ? object_as<Pod>(attributes) : nullptr;
    if (!pod) return {};
    for (const LimitRange& range : ranges_of(attributes, lookup)) fill_defaults(range, *pod);
    return {};
  }

  base::Result<void> validate(const Attributes& attributes, const Lookup& lookup) override {
    if (!concerns(attributes)) return {};
    for (const LimitRange& range : ranges_of(attributes, lookup)) {
      Refusals refusals;
      if (const Pod* pod = object_as<Pod>(attributes)) check_pod(range, *pod, refusals);
      if (const auto* claim = object_as<PersistentVolumeClaim>(attributes)) check_claim(range, *claim, refusals);
      if (!refusals.empty()) return forbid(attributes, refusals.to_string());
    }
    return {};
  }
};

}  // namespace

std::unique_ptr<Plugin> make_limit_ranger() { return std::make_unique<LimitRanger>(); }

}  // namespace admission
