// Claims for devices are not allocated yet; the plugin has its place and says what upstream's says of pods without
// claims.
#include "scheduler/plugins/plugins.h"

namespace scheduler {
namespace {

class DynamicResources final : public Plugin, public PostFilterPlugin {
 public:
  std::string_view name() const override { return "DynamicResources"; }
  PostFilterResult post_filter(const PodRef&, const Diagnosis&, Algorithm&) override {
    return {"no new claims to deallocate", kNoNode, EarlierPromise::kWithdraw, {}};
  }
};

}  // namespace

PluginRef dynamic_resources() { return std::make_unique<DynamicResources>(); }

}  // namespace scheduler
