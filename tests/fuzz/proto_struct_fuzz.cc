// Bytes that decode into a struct encode to bytes that decode to an equal struct. The first two bytes choose the kind.
#include <cstdint>
#include <string>

#include "base/check.h"
#include "gen/catalogue.h"
#include "schema/proto_struct.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  auto kinds = gen::kinds();
  const schema::Message& message = *kinds[(data[0] | data[1] << 8) % kinds.size()].message;
  if (!message.ops) return 0;
  std::string_view bytes(reinterpret_cast<const char*>(data) + 2, size - 2);
  void* object = message.ops->create();
  void* again = message.ops->create();
  if (schema::decode_struct(message, bytes, object)) {
    std::string once, twice;
    schema::encode_struct(message, object, once);
    CHECK(schema::decode_struct(message, once, again));
    schema::encode_struct(message, again, twice);
    CHECK(once == twice);
  }
  message.ops->destroy(object);
  message.ops->destroy(again);
  return 0;
}
