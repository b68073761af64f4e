// What a StatefulSet needs next: Pods made, deleted or waited for, in the order of their ordinals, and its status.
// Pure. Compat: upstream's stateful set control. Example, OrderedReady, three replicas wanted, web-0 running and ready,
// web-1 pending: nothing is made until web-1 is ready; then web-2 is.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "gen/apps/v1.h"
#include "gen/core/v1.h"

namespace controllers::statefulset {

inline constexpr const char* kRevisionLabel = "controller-revision-hash";
inline constexpr const char* kHashLabel = "controller.kubernetes.io/hash";  // of revisions
inline constexpr const char* kPodNameLabel = "statefulset.kubernetes.io/pod-name";
inline constexpr const char* kPodIndexLabel = "apps.kubernetes.io/pod-index";

struct Observed {
  const api::apps::v1::StatefulSet* set = nullptr;
  std::string current_revision, update_revision;  // names
  std::vector<api::core::v1::Pod> pods;           // that it controls
  base::WallTime now;
};

enum class Template : uint8_t { kCurrent, kUpdate };
struct Step {
  enum class Kind : uint8_t { kCreate, kDelete, kClaims } kind = Kind::kCreate;
  int32_t ordinal = 0;                   // kCreate, kClaims (only what is missing of its claims)
  Template from = Template::kUpdate;     // kCreate
  size_t pod = 0;                        // kDelete: position in Observed::pods
  std::string event_reason, event_text;  // kDelete: said before, "" = nothing
};
struct Plan {
  std::vector<Step> steps;  // in order; a failed one ends the reconcile
  api::apps::v1::StatefulSetStatus status;
  std::optional<base::Duration> look_again;
};
Plan plan(const Observed& observed);

// -1 when the name is not <set>-<number>.
int32_t ordinal_of(std::string_view set_name, std::string_view pod_name);
std::string claim_name(const api::apps::v1::StatefulSet& set, const api::core::v1::PersistentVolumeClaim& claim,
                       int32_t ordinal);
api::core::v1::Pod make_pod(const api::apps::v1::StatefulSet& set, const api::core::v1::PodTemplateSpec& pod_template,
                            const std::string& revision, int32_t ordinal);
std::vector<api::core::v1::PersistentVolumeClaim> make_claims(const api::apps::v1::StatefulSet& set, int32_t ordinal);

}  // namespace controllers::statefulset
