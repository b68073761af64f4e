// Events are stored as core/v1; events.k8s.io/v1 is a view of the same objects with other names. Pure; thread: any.
#pragma once

#include <string_view>

#include "gen/core/v1.h"
#include "gen/events/v1.h"

namespace api {

void event_to_stored(const events::v1::Event& served, core::v1::Event& stored);
void event_from_stored(const core::v1::Event& stored, events::v1::Event& served);
// The stored name of a field that a field selector on events.k8s.io/v1 may use ("regarding.kind" →
// "involvedObject.kind"); "" when there is none.
std::string_view stored_event_field(std::string_view served_field);

}  // namespace api
