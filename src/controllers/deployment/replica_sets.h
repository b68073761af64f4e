// Arithmetic on a Deployment and its ReplicaSets: which is new, what annotations say, how many may be added or missing.
// Pure. Compat: upstream's deployment utilities.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "gen/apps/v1.h"

namespace controllers::deployment {

inline constexpr const char* kHashLabel = "pod-template-hash";
inline constexpr const char* kRevision = "deployment.kubernetes.io/revision";
inline constexpr const char* kRevisionHistory = "deployment.kubernetes.io/revision-history";
inline constexpr const char* kDesiredReplicas = "deployment.kubernetes.io/desired-replicas";
inline constexpr const char* kMaxReplicas = "deployment.kubernetes.io/max-replicas";

using api::apps::v1::Deployment;
using api::apps::v1::ReplicaSet;
using Sets = std::vector<ReplicaSet*>;

// A stable hash of the template and the collision count in upstream's safe alphabet.
// Compat: the value differs from upstream's, which hashes a dump of Go structs; clients treat it as opaque.
std::string template_hash(const api::core::v1::PodTemplateSpec& pod_template, std::optional<int32_t> collision_count);
// Equal but for the hash label.
bool same_template(const api::core::v1::PodTemplateSpec& a, const api::core::v1::PodTemplateSpec& b);
// The oldest of those with the Deployment's template; null when there is none.
ReplicaSet* find_new(const Deployment& deployment, const Sets& sets);

int32_t replicas_of(const ReplicaSet& set);
int32_t replicas_of(const Deployment& deployment);
int32_t sum_replicas(const Sets& sets);   // of the specs
int32_t sum_available(const Sets& sets);  // of the statuses
bool is_rolling(const Deployment& deployment);
int32_t max_surge(const Deployment& deployment);
int32_t max_unavailable(const Deployment& deployment);
// How many replicas the new set should have now.
int32_t new_set_replicas(const Deployment& deployment, const Sets& all, int32_t current);
// The new set has everything that the Deployment wants, and it is available.
bool is_saturated(const Deployment& deployment, const ReplicaSet* new_set);
// Replicas that a set gets of `to_add` (negative: loses), of which `added` are given away already.
int32_t proportion(const Deployment& deployment, const ReplicaSet& set, int32_t to_add, int32_t added);

int64_t annotated_number(const std::map<std::string, std::string>& annotations, const char* name, int64_t absent);
// Sets the two annotations that record a scaling. True when one changed.
bool annotate_replicas(ReplicaSet& set, int32_t desired, int32_t max);
// Carries the Deployment's annotations and the revision over to its new set. True when one changed.
bool annotate_new_set(const Deployment& deployment, ReplicaSet& set, int64_t revision);
int64_t revision_of(const ReplicaSet& set);

void sort_by_creation(Sets& sets);

}  // namespace controllers::deployment
