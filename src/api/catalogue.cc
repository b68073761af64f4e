// Every kind with rules: one line each, groups in the order of discovery.
#include "api/kinds.h"

namespace api {

Catalogue::Catalogue() {
  // core
  rules_.push_back(namespace_rules());
  rules_.push_back(node_rules());
  rules_.push_back(pod_rules());
  rules_.push_back(pod_template_rules());
}

}  // namespace api
