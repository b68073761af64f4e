// JSON text → Value → protobuf → Value → protobuf → Value: the two values made from protobuf are equal; and any bytes
// decode or fail. The first two bytes choose the kind.
#include <cstdint>
#include <string>
#include <vector>

#include "base/check.h"
#include "gen/catalogue.h"
#include "object/json.h"
#include "schema/proto_value.h"

namespace {
void from_json(const schema::Message& message, std::string_view text) {
  auto value = object::parse_json(text);
  if (!value) return;
  std::string once, twice;
  std::vector<std::string> issues;
  if (!schema::encode_value(message, *value, once, {.strict_issues = &issues, .source_json = text})) return;
  auto decoded = schema::decode_value(message, once);
  CHECK(decoded);
  // The encoder counts list elements as depth too, and so may refuse what was decoded.
  if (!schema::encode_value(message, *decoded, twice)) return;
  // From here on nothing changes: numbers in embedded JSON have their short form, unset and empty bytes are one.
  auto again = schema::decode_value(message, twice);
  CHECK(again && *again == *decoded);
}
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  auto kinds = gen::kinds();
  const schema::Message& message = *kinds[(data[0] | data[1] << 8) % kinds.size()].message;
  std::string_view bytes(reinterpret_cast<const char*>(data) + 2, size - 2);
  from_json(message, bytes);
  if (auto value = schema::decode_value(message, bytes)) {
    std::string out;
    (void)schema::encode_value(message, *value, out);
  }
  return 0;
}
