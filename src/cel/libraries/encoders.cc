// base64.encode and base64.decode of cel-go's ext.Encoders.
#include "cel/libraries/libraries.h"
#include "codec/base64.h"

namespace cel {

namespace {

Value decode(CallContext& context, std::span<const Value> args) {
  std::string text(args[0].text());
  while (text.size() % 4 != 0 && text.size() % 4 != 1) text += '=';  // padding may be left out
  const auto bytes = codec::parse_base64(text);
  if (!bytes) {
    return context.error("illegal base64 data at input byte " +
                         std::to_string(codec::base64_error_offset(args[0].text())));
  }
  return Value::of_bytes(context.arena.copy(*bytes));
}
Value encode(CallContext& context, std::span<const Value> args) {
  return context.string(codec::base64(args[0].text()));
}

constexpr Declaration kEncoders[] = {
    {"base64_decode_string", ":base64.decode(string): bytes", decode},
    {"base64_encode_bytes", ":base64.encode(bytes): string", encode},
};

}  // namespace

std::span<const Declaration> encoder_declarations() { return kEncoders; }

}  // namespace cel
