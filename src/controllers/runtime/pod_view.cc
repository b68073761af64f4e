#include "controllers/runtime/pod_view.h"

#include <algorithm>
#include <utility>

#include "controllers/runtime/pod_index.h"

namespace controllers {
namespace {

// Wire numbers of core/v1 Pod.
constexpr uint32_t kSpec = 2, kStatus = 3, kNodeName = 10;
constexpr uint32_t kPhase = 1, kConditions = 2, kContainerStatuses = 8;
constexpr uint32_t kConditionType = 1, kConditionStatus = 2, kConditionTransition = 4, kTimeSeconds = 1;
constexpr uint32_t kRestartCount = 5;

}  // namespace

std::optional<PodView> view_pod(client::RawObject raw) {
  PodView pod;
  pod.raw = std::move(raw);
  const std::string_view bytes = pod.raw.payload();
  auto metadata = schema::view_metadata(bytes);
  if (!metadata) return std::nullopt;
  pod.metadata = *metadata;
  pod.node = schema::find_bytes(bytes, {kSpec, kNodeName}).value_or("");
  const std::string_view status = schema::find_bytes(bytes, {kStatus}).value_or("");
  pod.phase = schema::find_bytes(status, {kPhase}).value_or("");
  for (const std::string_view condition : schema::Strings(status, kConditions)) {
    if (schema::find_bytes(condition, {kConditionType}).value_or("") != "Ready") continue;
    pod.ready = schema::find_bytes(condition, {kConditionStatus}).value_or("") == "True";
    pod.ready_since = schema::find_int(condition, {kConditionTransition, kTimeSeconds}).value_or(0);
  }
  for (const std::string_view container : schema::Strings(status, kContainerStatuses)) {
    const auto restarts = static_cast<int32_t>(schema::find_int(container, {kRestartCount}).value_or(0));
    pod.restarts = std::max(pod.restarts, restarts);
  }
  return pod;
}

std::vector<PodView> view_pods(std::vector<client::RawObject> raws) {
  std::vector<PodView> pods;
  pods.reserve(raws.size());
  for (client::RawObject& raw : raws) {
    if (auto pod = view_pod(std::move(raw))) pods.push_back(std::move(*pod));
  }
  return pods;
}

void index_by_node(client::Informer& pods) {
  pods.add_index(std::string(kNodeIndex), [](const client::RawObject& object, std::vector<std::string>& values) {
    const auto node = schema::find_bytes(object.payload(), {kSpec, kNodeName});
    if (node && !node->empty()) values.emplace_back(*node);
  });
}

}  // namespace controllers
