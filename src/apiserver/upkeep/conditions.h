// The conditions that the API server gives to FlowSchemas and APIServices. Pure; thread: any.
#pragma once

#include <optional>

#include "base/clock.h"
#include "gen/apiregistration/v1.h"
#include "gen/flowcontrol/v1.h"

namespace apiserver::upkeep {

enum class Found : uint8_t { kNo, kYes };

// The condition Dangling that the schema should have; nothing when it has it. `level`: is its priority level there?
std::optional<::api::flowcontrol::v1::FlowSchemaCondition> dangling(const ::api::flowcontrol::v1::FlowSchema& schema,
                                                                    Found level, base::WallTime now);
// The condition Available; nothing when it has it or the API is this server's own. `service`: is its Service there?
std::optional<::api::apiregistration::v1::APIServiceCondition> available(
    const ::api::apiregistration::v1::APIService& api_service, Found service, base::WallTime now);

}  // namespace apiserver::upkeep
