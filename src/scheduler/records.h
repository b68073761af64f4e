// What the scheduler writes: bindings, conditions of Pods, Events. Builds the requests; sends none. Pure; thread: any.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "client/transport.h"
#include "scheduler/volume_info.h"

namespace scheduler {

client::Call binding_call(const PodInfo& pod, std::string_view node);

enum class FailureReason : uint8_t { kUnschedulable, kSchedulerError };
// The patch of pods/status that says why the pod has no node, and promises it `nominated` ("" = leaves that). Nothing
// when the pod says the same already.
std::optional<client::Call> failure_patch(const PodInfo& pod, FailureReason reason, std::string_view message,
                                          std::string_view nominated, base::WallTime now);
// Takes the promise of a node back.
client::Call withdrawal_patch(const PodInfo& pod);
// A victim of preemption: its condition, then its end.
client::Call victim_patch(const PodInfo& victim, std::string_view scheduler_name, base::WallTime now);
client::Call victim_delete(const PodInfo& victim);

// Gives the volume to the claim: exactly this state of it.
client::Call volume_patch(const VolumeInfo& volume, const ClaimInfo& claim);
// Asks the claim's provisioner for a volume that the node reaches.
client::Call selected_node_patch(const ClaimInfo& claim, std::string_view node);

enum class EventType : uint8_t { kNormal, kWarning };
struct EventText {
  EventType type = EventType::kNormal;
  std::string_view reason;
  std::string_view action;
  std::string message;
  const PodInfo* related = nullptr;
};
// An Event about the pod, by `component` on `host`.
client::Call event_call(const PodInfo& pod, const EventText& text, std::string_view component, std::string_view host,
                        base::WallTime now);

}  // namespace scheduler
