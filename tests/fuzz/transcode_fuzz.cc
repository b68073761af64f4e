// Any bytes become valid JSON or an error; the walks over metadata and the envelope stay inside the bytes. The first
// two bytes choose the kind.
#include <cstdint>
#include <string>

#include "base/check.h"
#include "gen/catalogue.h"
#include "schema/envelope.h"
#include "schema/metadata_view.h"
#include "schema/transcode.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  auto kinds = gen::kinds();
  const schema::Message& message = *kinds[(data[0] | data[1] << 8) % kinds.size()].message;
  std::string_view bytes(reinterpret_cast<const char*>(data) + 2, size - 2);
  std::string json;
  if (schema::append_json(message, bytes, {.type = {"v1", "Kind"}, .resource_version = "1"}, json)) {
    CHECK(!json.empty());
  } else {
    CHECK(json.empty());
  }
  size_t seen = 0;
  if (auto view = schema::view_metadata(bytes)) {
    for (auto pair : view->labels) seen += pair.key.size() + pair.value.size();
    for (auto pair : view->annotations) seen += pair.key.size() + pair.value.size();
    for (auto owner : view->owner_references) seen += owner.uid.size();
    for (auto finalizer : view->finalizers) seen += finalizer.size();
  }
  CHECK(seen <= size);
  if (auto spliced = schema::with_resource_version(bytes, 77)) {
    CHECK(spliced->size() <= bytes.size() + 32);
    std::string whole = spliced->head + std::string(spliced->rest);
    (void)schema::view_metadata(whole);
  }
  (void)schema::unwrap(bytes);
  return 0;
}
