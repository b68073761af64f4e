// An object's metadata alone: PartialObjectMetadata of meta.k8s.io, from any object's message bytes. Thread: any.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "apiserver/document.h"
#include "apiserver/endpoint.h"
#include "base/result.h"

namespace apiserver {

// Appends it as JSON. revision 0 = none is shown. endpoint: of the objects; null for bodies of another kind.
base::Result<void> append_partial_json(const Endpoint* endpoint, std::string_view raw, std::string_view form_version,
                                       int64_t revision, std::string& out);
// The same as JSON or CBOR.
struct DocumentForm {
  MediaType type = MediaType::kJson;
  Place place = Place::kWhole;
  std::string_view version;  // of meta.k8s.io
};
base::Result<void> append_partial(const Endpoint* endpoint, std::string_view raw, const DocumentForm& form,
                                  int64_t revision, std::string& out);
// As message bytes, without resourceVersion.
base::Result<std::string> partial_message(const Endpoint* endpoint, std::string_view raw);

}  // namespace apiserver
