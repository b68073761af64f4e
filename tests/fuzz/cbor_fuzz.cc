// CBOR: whatever is accepted is written and read back the same, sorted or not; JSON text becomes what its tree becomes;
// and a kind takes or refuses the document. The first two bytes choose the kind.
#include <cstdint>
#include <string>
#include <vector>

#include "base/check.h"
#include "gen/catalogue.h"
#include "object/cbor.h"
#include "object/json.h"
#include "object/json_to_cbor.h"
#include "schema/proto_value.h"
#include "schema/transcode.h"

namespace {

void from_json(std::string_view text) {
  std::vector<std::string> repeated;
  const auto value = object::parse_json(text, {.duplicate_fields = &repeated});
  const std::string cbor = object::cbor_of_json(text);
  if (!value) return;
  CHECK(!cbor.empty());
  const auto read = object::parse_cbor(cbor);
  if (read) CHECK(object::to_json(*read) == object::to_json(*object::parse_json(object::to_json(*value))));
}

void as_kind(const schema::Message& message, std::string_view bytes, const object::Value& value) {
  std::string raw, cbor;
  std::vector<std::string> issues;
  if (schema::encode_value(message, value, raw, {.decoder = schema::Decoder::kCbor, .strict_issues = &issues})) {
    CHECK(issues.size() <= 1);
    CHECK(schema::append_cbor(message, raw, {}, cbor));
  }
  cbor.clear();
  if (!schema::append_cbor(message, bytes, {.type = {"v1", "Kind"}, .resource_version = "1"}, cbor))
    CHECK(cbor.empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  auto kinds = gen::kinds();
  const schema::Message& message = *kinds[(data[0] | data[1] << 8) % kinds.size()].message;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 2, size - 2);
  from_json(bytes);
  object::CborFault fault;
  const auto value = object::parse_cbor(bytes, {&fault});
  CHECK(value.has_value() == (fault == object::CborFault::kNone));
  as_kind(message, bytes, value.value_or(object::Value()));
  if (!value) {
    CHECK(!value.error().message.empty());
    return 0;
  }
  for (object::CborOrder order : {object::CborOrder::kKept, object::CborOrder::kSorted}) {
    const auto again = object::parse_cbor(object::to_cbor(*value, order));
    CHECK(again && *again == *value);
  }
  return 0;
}
