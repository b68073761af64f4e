// The rules of every kind, for catalogue.cc.
#pragma once

#include <memory>

#include "api/rules.h"

namespace api {

}  // namespace api
