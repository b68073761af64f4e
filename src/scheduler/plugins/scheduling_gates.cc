// The queue keeps gated pods out (pod.gated); this plugin is what rejects them by name.
#include "scheduler/plugins/plugins.h"

namespace scheduler {
namespace {

class SchedulingGates final : public Plugin {
 public:
  std::string_view name() const override { return "SchedulingGates"; }
};

}  // namespace

PluginRef scheduling_gates() { return std::make_unique<SchedulingGates>(); }

}  // namespace scheduler
