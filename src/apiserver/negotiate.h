// What form an answer takes. Compat: upstream's two layers of content negotiation, and the transformed forms of
// meta.k8s.io (Table, PartialObjectMetadata, PartialObjectMetadataList). Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace apiserver {

enum class MediaType : uint8_t {
  kJson,
  kYaml,
  kProtobuf,
  kCbor,
  kRawProtobuf,  // the bare message, without envelope: only between components of one process
};
// Compat: CBOR is served behind the feature gate CBORServingAndStorage.
enum class CborServing : uint8_t { kOff, kOn };
enum class Form : uint8_t { kObject, kTable, kPartialMetadata, kPartialMetadataList };
enum class Pretty : uint8_t { kCompact, kIndented };

struct Accepted {
  MediaType type = MediaType::kJson;
  Form form = Form::kObject;
  std::string form_version = "v1";  // of meta.k8s.io
  Pretty pretty = Pretty::kCompact;
};

// The form that was asked for is none of this resource.
base::Error not_acceptable_form(CborServing cbor);
// Whether a route that offers one type alone answers such a request. Compat: the router takes any clause that names the
// type, or everything, whatever comes before it.
bool accepts_type(std::string_view accept, std::string_view type);
// What the request can be answered with. `accept`: the header's value, "" = anything. kNotAcceptable otherwise.
enum class AnswerKind : uint8_t { kObject, kWatch };
base::Result<Accepted> negotiate_answer(std::string_view accept, AnswerKind kind, CborServing cbor);
// The form of an error's answer: what can be had of `accept`, else JSON.
Accepted negotiate_error(std::string_view accept, CborServing cbor);

// Of a body. "" counts as JSON. kUnsupportedMediaType otherwise.
base::Result<MediaType> body_media_type(std::string_view content_type, CborServing cbor);
// The types that errors name: "application/json", …
std::vector<std::string> served_media_types(CborServing cbor);

// The Content-Type header of an answer.
std::string_view content_type(const Accepted& accepted);
std::string_view watch_content_type(const Accepted& accepted);

}  // namespace apiserver
