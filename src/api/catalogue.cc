// Every kind with rules: one line each, groups in the order of discovery.
#include "api/rules.h"

namespace api {

Catalogue::Catalogue() {
}

}  // namespace api
