// Warnings that several kinds share. Pure; thread: any.
#pragma once

#include "api/rules.h"

namespace api {

// Compat: names that end up in Pod names and host names should be DNS labels.
void warn_of_name(const meta::v1::ObjectMeta& metadata, RuleContext& context);

}  // namespace api
