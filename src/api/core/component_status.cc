#include "api/shared/cells.h"

namespace api {
namespace {

// Read-only: nothing is ever written.
class ComponentStatusRules final : public RulesFor<core::v1::ComponentStatus> {
 public:
  ComponentStatusRules() : RulesFor("", "v1", "ComponentStatus") {}

  void cells(const core::v1::ComponentStatus& object, base::WallTime, TableRow& row) const override {
    std::string status = "Unknown", message, error;
    for (const auto& condition : object.conditions) {
      if (condition.type != "Healthy") continue;
      status = condition.status == "True" ? "Healthy" : condition.status == "False" ? "Unhealthy" : "Unknown";
      message = condition.message;
      error = condition.error;
      break;
    }
    row.cells = {object.metadata.name, status, message, error};
  }
};

}  // namespace

std::unique_ptr<const KindRules> component_status_rules() { return std::make_unique<ComponentStatusRules>(); }

}  // namespace api
