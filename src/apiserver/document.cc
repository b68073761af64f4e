#include "apiserver/document.h"

#include "codec/cbor.h"
#include "object/json_to_cbor.h"

namespace apiserver {

base::Result<void> append_document(MediaType type, Place place, const schema::Message& message, std::string_view raw,
                                   const schema::JsonOptions& options, std::string& out) {
  if (type != MediaType::kCbor) return schema::append_json(message, raw, options, out);
  if (place == Place::kWhole) out += codec::kCborSelfDescribed;
  return schema::append_cbor(message, raw, options, out);
}

base::Result<std::string> document_of_json(MediaType type, Place place, std::string json) {
  if (type != MediaType::kCbor) return json;
  std::string cbor = object::cbor_of_json(json);
  if (cbor.empty()) return base::fail(base::Reason::kInternalError, "an answer is no JSON");
  if (place == Place::kInside) cbor.erase(0, codec::kCborSelfDescribed.size());
  return cbor;
}

}  // namespace apiserver
