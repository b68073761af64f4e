// The endpoints of custom resources, by group and resource. A definition's endpoints are one immutable CustomResource;
// publishing another one replaces it, and requests that hold the old one finish with it. Publishing and looking up cost
// the same however many there are. Thread: any.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "apiserver/endpoint.h"
#include "base/executor.h"
#include "base/mutex.h"

namespace apiserver {

class CustomResource;
using CustomResourcePtr = std::shared_ptr<const CustomResource>;

class CustomEndpoints {
 public:
  CustomEndpoints();
  ~CustomEndpoints();

  // Null when there is none.
  EndpointPtr find(std::string_view group, std::string_view version, std::string_view resource,
                   std::string_view subresource) const;
  bool serves(std::string_view group, std::string_view version) const;

  // In place of what the resource had so far.
  void publish(CustomResourcePtr resource);
  void withdraw(std::string_view group, std::string_view plural);

  // For discovery and OpenAPI. Groups by name; resources of a group by name; versions in discovery order.
  std::vector<std::string> groups() const;
  std::vector<CustomResourcePtr> resources(std::string_view group) const;
  std::vector<std::string> versions(std::string_view group) const;
  // Grows with every change: of the group (0 = it has nothing), and of all.
  uint64_t generation(std::string_view group) const;
  uint64_t generation() const;
  size_t size() const;

  // Where requests run that may wait for a conversion webhook. Made when first asked for.
  base::Executor& lane();
  // Waits for what runs there.
  void stop();

 private:
  struct Group {
    std::map<std::string, CustomResourcePtr, std::less<>> resources;
    uint64_t generation = 0;
  };
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  mutable base::Mutex mutex_;
  std::unordered_map<std::string, Group, Hash, std::equal_to<>> groups_ GUARDED_BY(mutex_);
  uint64_t generation_ GUARDED_BY(mutex_) = 0;
  size_t size_ GUARDED_BY(mutex_) = 0;
  std::unique_ptr<base::ThreadPool> lane_ GUARDED_BY(mutex_);
};

}  // namespace apiserver
