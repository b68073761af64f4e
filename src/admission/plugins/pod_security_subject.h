// What the Pod Security checks look at, and the phrases of their messages. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "gen/core/v1.h"

namespace admission::pod_security {

// One container of any sort; points into the spec.
struct ContainerView {
  std::string name;
  const api::core::v1::SecurityContext* security = nullptr;
  const std::vector<api::core::v1::ContainerPort>* ports = nullptr;
  const api::core::v1::Probe* probes[3] = {};
  const api::core::v1::Lifecycle* lifecycle = nullptr;
};

struct Subject {
  const api::meta::v1::ObjectMeta& metadata;
  const api::core::v1::PodSpec& spec;
  int minor;  // of the policy, at most kNewestMinor
  std::vector<ContainerView> containers;
};
Subject make_subject(const api::meta::v1::ObjectMeta& metadata, const api::core::v1::PodSpec& spec, int minor);

// The type's JSON name when the restricted level forbids it; "" when it is allowed.
std::string_view restricted_volume_type(const api::core::v1::VolumeSource& source);

// `"a", "b"`.
template <typename Strings>
std::string quoted(const Strings& items) {
  std::string out;
  for (const std::string& item : items) out += (out.empty() ? "\"" : ", \"") + item + "\"";
  return out;
}
template <typename Strings>
std::string joined(const Strings& items, const char* separator) {
  std::string out;
  for (const std::string& item : items) out += (out.empty() ? "" : separator) + item;
  return out;
}
inline std::string plural(std::string_view word, size_t count) { return std::string(word) + (count == 1 ? "" : "s"); }
// `containers "a", "b"`.
inline std::string named_containers(const std::vector<std::string>& names) {
  return plural("container", names.size()) + " " + quoted(names);
}

// Who sets something: `pod and containers "a", "b"`.
struct Setters {
  bool pod = false;
  std::vector<std::string> containers;
  bool empty() const { return !pod && containers.empty(); }
  std::string to_string() const {
    if (containers.empty()) return pod ? "pod" : "";
    return (pod ? "pod and " : "") + named_containers(containers);
  }
};

}  // namespace admission::pod_security
