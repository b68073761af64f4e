// The rules of every kind, for catalogue.cc.
#pragma once

#include <memory>

#include "api/rules.h"

namespace api {

// core
std::unique_ptr<const KindRules> namespace_rules();
std::unique_ptr<const KindRules> node_rules();
std::unique_ptr<const KindRules> pod_rules();
std::unique_ptr<const KindRules> pod_template_rules();

}  // namespace api
