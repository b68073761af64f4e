// Every plugin of the scheduler, made by name; catalogue.cc lists them in running order. Names, reasons and formulas
// are upstream's. Thread: the scheduler's strand.
#pragma once

#include <memory>

#include "scheduler/framework/framework.h"

namespace scheduler {

using PluginRef = std::unique_ptr<Plugin>;

PluginRef scheduling_gates();
PluginRef node_unschedulable(Cache* cache);
PluginRef node_name(Cache* cache);
PluginRef taint_toleration(Cache* cache);
PluginRef node_affinity(Cache* cache);
PluginRef node_ports(Cache* cache);
PluginRef node_resources_fit(Cache* cache);
PluginRef node_resources_balanced_allocation(Cache* cache);
PluginRef volume_restrictions(Cache* cache);
PluginRef node_volume_limits(Cache* cache);
PluginRef volume_binding(Cache* cache);
PluginRef volume_zone(Cache* cache);
PluginRef pod_topology_spread(Cache* cache);
PluginRef inter_pod_affinity(Cache* cache);
PluginRef dynamic_resources();
PluginRef default_preemption();
PluginRef image_locality(Cache* cache);

}  // namespace scheduler
