#include "apiserver/upkeep/conditions.h"

#include <algorithm>

#include "object/time.h"

namespace apiserver::upkeep {
namespace {

// `wanted` with the time of its last transition; nothing when the object says the same already.
template <typename Condition>
std::optional<Condition> settle(const std::vector<Condition>& have, Condition wanted, base::WallTime now) {
  auto old = std::ranges::find(have, wanted.type, &Condition::type);
  wanted.last_transition_time = object::to_time(now);
  wanted.last_transition_time.nanos = 0;
  if (old == have.end()) return wanted;
  if (old->status == wanted.status) wanted.last_transition_time = old->last_transition_time;
  if (*old == wanted) return std::nullopt;
  return wanted;
}

}  // namespace

std::optional<::api::flowcontrol::v1::FlowSchemaCondition> dangling(const ::api::flowcontrol::v1::FlowSchema& schema,
                                                                    Found level, base::WallTime now) {
  ::api::flowcontrol::v1::FlowSchemaCondition wanted;
  wanted.type = "Dangling";
  wanted.status = level == Found::kYes ? "False" : "True";
  wanted.reason = level == Found::kYes ? "Found" : "NotFound";
  wanted.message = "This FlowSchema references the PriorityLevelConfiguration object named \"" +
                   schema.spec.priority_level_configuration.name + "\" " +
                   (level == Found::kYes ? "and it exists" : "but there is no such object");
  return settle(schema.status.conditions, std::move(wanted), now);
}

std::optional<::api::apiregistration::v1::APIServiceCondition> available(
    const ::api::apiregistration::v1::APIService& api_service, Found service, base::WallTime now) {
  if (!api_service.spec.service) return std::nullopt;
  ::api::apiregistration::v1::APIServiceCondition wanted;
  wanted.type = "Available";
  wanted.status = "False";
  if (service == Found::kNo) {
    wanted.reason = "ServiceNotFound";
    wanted.message = "service/" + api_service.spec.service->name + " in \"" + api_service.spec.service->namespace_ +
                     "\" is not present";
  } else {
    wanted.reason = "FailedDiscoveryCheck";
    wanted.message = "this server does not pass requests on to other API servers";
  }
  return settle(api_service.status.conditions, std::move(wanted), now);
}

}  // namespace apiserver::upkeep
