// Every library of functions, one line each in catalogue.cc. Private to src/cel.
#pragma once

#include <memory>
#include <span>

#include "cel/cel.h"
#include "cel/functions.h"

namespace cel {

// Each call builds a table; environments that are copied share theirs.
std::shared_ptr<const FunctionTable> kubernetes_functions(Version version);
std::shared_ptr<const FunctionTable> all_functions();

}  // namespace cel
