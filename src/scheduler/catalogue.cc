#include "scheduler/catalogue.h"

#include "scheduler/plugins/plugins.h"

namespace scheduler {

// One line a plugin, in upstream's order; the number is the weight of its score. Add yours here.
Profile default_profile(Cache* cache) {
  Profile profile;
  profile.add(scheduling_gates(), 0);
  profile.add(node_unschedulable(cache), 0);
  profile.add(node_name(cache), 0);
  profile.add(taint_toleration(cache), 3);
  profile.add(node_affinity(cache), 2);
  profile.add(node_ports(cache), 0);
  profile.add(node_resources_fit(cache), 1);
  profile.add(volume_restrictions(cache), 0);
  profile.add(node_volume_limits(cache), 0);
  profile.add(volume_binding(cache), 0);
  profile.add(volume_zone(cache), 0);
  profile.add(pod_topology_spread(cache), 2);
  profile.add(inter_pod_affinity(cache), 2);
  profile.add(dynamic_resources(), 0);
  profile.add(default_preemption(), 0);
  profile.add(node_resources_balanced_allocation(cache), 1);
  profile.add(image_locality(cache), 1);
  return profile;
}

}  // namespace scheduler
