#include "apiserver/manage_fields.h"

namespace apiserver {

base::Result<void> manage_fields(RequestContext&, const Endpoint&, const api::AnyObject*, api::AnyObject&, const WriteOptions&,
                                 std::string_view) {
  return {};
}

}  // namespace apiserver
