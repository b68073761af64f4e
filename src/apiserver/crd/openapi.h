// What OpenAPI says of the custom resources of one group version. Made when a document is asked for. Pure but for what
// it reads of the endpoints; thread: any.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "apiserver/crd/custom_endpoints.h"
#include "apiserver/openapi/paths_model.h"
#include "object/value.h"
#include "schema/structural/openapi.h"

namespace apiserver::openapi {

class CustomKinds {
 public:
  CustomKinds(const CustomEndpoints& endpoints, std::string_view group, std::string_view version);
  bool empty() const { return resources_.empty(); }
  // Changes when the document would; cheap: no document is made.
  std::string digest() const;
  Section section() const;
  // The kinds, their lists, and of version 3 what they refer to beyond the messages of operations.
  void each_definition(schema::OpenApiVersion version,
                       const std::function<void(const std::string& name, const object::Value& value)>& each) const;

 private:
  std::string group_, version_;
  std::vector<CustomResourcePtr> resources_;
};

}  // namespace apiserver::openapi
