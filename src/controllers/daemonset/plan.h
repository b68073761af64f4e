// What a DaemonSet needs on every node: Pods made or deleted, a rolling update, and its status. Pure.
// Compat: upstream's daemon controller.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "controllers/runtime/pod_view.h"
#include "gen/apps/v1.h"
#include "gen/core/v1.h"

namespace controllers::daemonset {

inline constexpr const char* kHashLabel = "controller-revision-hash";
inline constexpr const char* kTemplateGeneration = "deprecated.daemonset.template.generation";
inline constexpr const char* kGenerationLabel = "pod-template-generation";
inline constexpr size_t kBurst = 250;  // Pods made, and deleted, in one reconcile

struct DaemonPod {
  PodView view;
  std::string node;  // that it is, or will be, on
  // Of a failed one: how long it stays, so that a Pod that always fails is not made in a hot loop.
  std::optional<base::Duration> back_off;
};
struct Observed {
  const api::apps::v1::DaemonSet* set = nullptr;
  std::string hash;  // of the newest revision
  std::vector<api::core::v1::Node> nodes;
  std::vector<DaemonPod> pods;
  base::WallTime now;
};

struct Message {
  bool warning = false;
  std::string reason;
  std::string text;
};
struct Plan {
  std::vector<std::string> create;  // a Pod for each of these nodes
  std::vector<size_t> remove;       // positions in Observed::pods
  std::vector<Message> events;
  api::apps::v1::DaemonSetStatus status;
  std::optional<base::Duration> look_again;  // when a Pod becomes available, or may be replaced
};
Plan plan(const Observed& observed);

// Whether Pods of the set start, and stay, on the node.
struct Fit {
  bool run = false;
  bool stay = false;
};
Fit fit(const api::apps::v1::DaemonSet& set, const api::core::v1::Node& node);

// The node that a Pod is on or is bound to by its affinity to a node's name; "" = none.
std::string target_node(const api::core::v1::Pod& pod);
api::core::v1::Pod make_pod(const api::apps::v1::DaemonSet& set, const std::string& hash, const std::string& node);

}  // namespace controllers::daemonset
