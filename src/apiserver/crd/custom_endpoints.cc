#include "apiserver/crd/custom_endpoints.h"

#include <algorithm>

#include "apiserver/crd/custom_resource.h"
#include "apiserver/crd/versions.h"
#include "apiserver/limits.h"

namespace apiserver {

CustomEndpoints::CustomEndpoints() = default;
CustomEndpoints::~CustomEndpoints() = default;

EndpointPtr CustomEndpoints::find(std::string_view group, std::string_view version, std::string_view resource,
                                  std::string_view subresource) const {
  CustomResourcePtr found;
  {
    base::MutexLock lock(mutex_);
    auto in = groups_.find(group);
    if (in == groups_.end()) return nullptr;
    auto at = in->second.resources.find(resource);
    if (at == in->second.resources.end()) return nullptr;
    found = at->second;
  }
  const Endpoint* endpoint = found->endpoint(version, subresource);
  if (!endpoint) return nullptr;
  return {std::move(found), endpoint};
}

bool CustomEndpoints::serves(std::string_view group, std::string_view version) const {
  base::MutexLock lock(mutex_);
  auto in = groups_.find(group);
  if (in == groups_.end()) return false;
  return std::ranges::any_of(in->second.resources,
                             [&](const auto& each) { return each.second->endpoint(version, "") != nullptr; });
}

void CustomEndpoints::publish(CustomResourcePtr resource) {
  CustomResourcePtr old;  // destroyed outside of the lock
  base::MutexLock lock(mutex_);
  Group& group = groups_[resource->group()];
  CustomResourcePtr& slot = group.resources[resource->plural()];
  old = std::move(slot);
  if (!old) ++size_;
  slot = std::move(resource);
  group.generation = ++generation_;
}

void CustomEndpoints::withdraw(std::string_view group, std::string_view plural) {
  CustomResourcePtr old;
  base::MutexLock lock(mutex_);
  auto in = groups_.find(group);
  if (in == groups_.end()) return;
  auto at = in->second.resources.find(plural);
  if (at == in->second.resources.end()) return;
  old = std::move(at->second);
  in->second.resources.erase(at);
  --size_;
  in->second.generation = ++generation_;
  if (in->second.resources.empty()) groups_.erase(in);
}

std::vector<std::string> CustomEndpoints::groups() const {
  std::vector<std::string> names;
  {
    base::MutexLock lock(mutex_);
    for (const auto& [name, group] : groups_) names.push_back(name);
  }
  std::ranges::sort(names);
  return names;
}

std::vector<CustomResourcePtr> CustomEndpoints::resources(std::string_view group) const {
  std::vector<CustomResourcePtr> found;
  base::MutexLock lock(mutex_);
  auto in = groups_.find(group);
  if (in == groups_.end()) return found;
  for (const auto& [plural, resource] : in->second.resources) found.push_back(resource);
  return found;
}

std::vector<std::string> CustomEndpoints::versions(std::string_view group) const {
  std::vector<std::string> found;
  for (const CustomResourcePtr& resource : resources(group)) {
    for (const std::string& version : resource->served_versions()) {
      if (std::ranges::find(found, version) == found.end()) found.push_back(version);
    }
  }
  std::ranges::sort(found, version_precedes);
  return found;
}

uint64_t CustomEndpoints::generation(std::string_view group) const {
  base::MutexLock lock(mutex_);
  auto in = groups_.find(group);
  return in == groups_.end() ? 0 : in->second.generation;
}

uint64_t CustomEndpoints::generation() const {
  base::MutexLock lock(mutex_);
  return generation_;
}

size_t CustomEndpoints::size() const {
  base::MutexLock lock(mutex_);
  return size_;
}

base::Executor& CustomEndpoints::lane() {
  base::MutexLock lock(mutex_);
  if (!lane_) lane_ = std::make_unique<base::ThreadPool>("crd-conversion", kConversionLanes);
  return *lane_;
}

void CustomEndpoints::stop() {
  base::ThreadPool* lane = nullptr;
  {
    base::MutexLock lock(mutex_);
    lane = lane_.get();
  }
  if (lane) lane->stop();
}

}  // namespace apiserver
