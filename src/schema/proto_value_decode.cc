// decode_value: protobuf bytes → Value.
#include "schema/proto_value.h"
#include "schema/value_sink.h"
#include "schema/wire_walk.h"

namespace schema {
base::Result<object::Value> decode_value(const Message& message, std::string_view bytes, const TypeMeta& type) {
  object::Value value;
  internal::ValueSink sink(value);
  internal::WireWalk<internal::ValueSink> walk(sink);
  if (bytes.size() > kMaxMessageBytes || !walk.top(message, bytes, type, {})) {
    return internal::malformed(message, base::Reason::kBadRequest);
  }
  return value;
}

}  // namespace schema
