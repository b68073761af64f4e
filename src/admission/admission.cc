#include "admission/admission.h"

namespace admission {

const std::string* Attributes::namespace_raw(const Lookup& lookup) const {
  if (!namespace_read_) {
    namespace_ = lookup.get("", "namespaces", "", ns);
    namespace_read_ = true;
  }
  return namespace_ ? &*namespace_ : nullptr;
}

}  // namespace admission
