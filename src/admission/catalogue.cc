// The admission plugins, in running order.
#include "admission/admission.h"

namespace admission {

std::vector<std::unique_ptr<Plugin>> default_plugins() {
  std::vector<std::unique_ptr<Plugin>> plugins;
  return plugins;
}

}  // namespace admission
