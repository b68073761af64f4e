#include <cbor/streaming.h>

#include <cmath>

#include "codec/cbor.h"

namespace codec {
namespace {

using Kind = CborToken::Kind;

CborToken& token(void* context) { return *static_cast<CborToken*>(context); }

template <Kind kKind, typename Number>
void number(void* context, Number value) {
  token(context).kind = kKind;
  token(context).number = static_cast<uint64_t>(value);
}
template <Kind kKind, typename Real>
void real(void* context, Real value) {
  token(context).kind = kKind;
  token(context).real = static_cast<double>(value);
}
template <Kind kKind>
void text(void* context, cbor_data data, size_t size) {
  token(context).kind = kKind;
  token(context).text = {reinterpret_cast<const char*>(data), size};
}
template <Kind kKind>
void start(void* context) {
  token(context).kind = kKind;
  token(context).indefinite = true;
}
template <Kind kKind>
void plain(void* context) {
  token(context).kind = kKind;
}

constexpr uint64_t kUndefined = 23;

constexpr cbor_callbacks kCallbacks = {
    .uint8 = number<Kind::kUnsigned, uint8_t>,
    .uint16 = number<Kind::kUnsigned, uint16_t>,
    .uint32 = number<Kind::kUnsigned, uint32_t>,
    .uint64 = number<Kind::kUnsigned, uint64_t>,
    .negint64 = number<Kind::kNegative, uint64_t>,
    .negint32 = number<Kind::kNegative, uint32_t>,
    .negint16 = number<Kind::kNegative, uint16_t>,
    .negint8 = number<Kind::kNegative, uint8_t>,
    .byte_string_start = start<Kind::kBytes>,
    .byte_string = text<Kind::kBytes>,
    .string = text<Kind::kText>,
    .string_start = start<Kind::kText>,
    .indef_array_start = start<Kind::kArray>,
    .array_start = number<Kind::kArray, size_t>,
    .indef_map_start = start<Kind::kMap>,
    .map_start = number<Kind::kMap, size_t>,
    .tag = number<Kind::kTag, uint64_t>,
    .float2 = real<Kind::kFloat, float>,
    .float4 = real<Kind::kFloat, float>,
    .float8 = real<Kind::kFloat, double>,
    .undefined =
        [](void* context) {
          plain<Kind::kSimple>(context);
          token(context).number = kUndefined;
        },
    .null = plain<Kind::kNull>,
    .boolean = number<Kind::kBool, bool>,
    .indef_break = plain<Kind::kBreak>,
};

std::string unacceptable(std::string_view what) {
  return "cbor: data item of cbor type primitives is not accepted by protocol: " + std::string(what);
}

// A length that no memory can have; upstream cannot count so far either.
std::string too_long(CborMajor major, uint64_t length) {
  const bool string = major == CborMajor::kBytes || major == CborMajor::kText;
  return "cbor: " + std::string(cbor_major_name(major)) + " length " + std::to_string(length) +
         (string ? " is too large, causing integer overflow" : " is too large, it would cause integer overflow");
}

// The argument in the eight bytes behind the first.
uint64_t long_argument(std::string_view bytes) {
  uint64_t value = 0;
  for (size_t i = 1; i <= 8; ++i) value = value << 8 | static_cast<unsigned char>(bytes[i]);
  return value;
}

}  // namespace

CborMajor CborToken::major() const {
  switch (kind) {
    case Kind::kUnsigned:
      return CborMajor::kUnsigned;
    case Kind::kNegative:
      return CborMajor::kNegative;
    case Kind::kBytes:
      return CborMajor::kBytes;
    case Kind::kText:
      return CborMajor::kText;
    case Kind::kArray:
      return CborMajor::kArray;
    case Kind::kMap:
      return CborMajor::kMap;
    case Kind::kTag:
      return CborMajor::kTag;
    default:
      return CborMajor::kPrimitive;
  }
}

bool CborReader::next(CborToken& token) {
  constexpr const char* kCutOff = "unexpected EOF";
  const std::string_view rest = bytes_.substr(at_);
  if (rest.empty()) return fail(kCutOff);
  const CborMajor major = peek();
  const int info = peek_byte() & 0x1f;
  const bool counted = major >= CborMajor::kBytes && major <= CborMajor::kMap;
  if (counted && info == 27 && rest.size() >= 9 && long_argument(rest) >> 63)
    return fail(too_long(major, long_argument(rest)));
  token.indefinite = false;
  const cbor_decoder_result result =
      cbor_stream_decode(reinterpret_cast<cbor_data>(rest.data()), rest.size(), &kCallbacks, &token);
  if (result.status == CBOR_DECODER_FINISHED) {
    at_ += result.read;
    if (token.kind != Kind::kFloat || std::isfinite(token.real)) return true;
    return fail(unacceptable(std::isnan(token.real) ? "floating-point NaN" : "floating-point infinity"));
  }
  if (result.status == CBOR_DECODER_NEDATA) return fail(kCutOff);
  // Well-formed all the same: the small tags and the simple values that nobody had assigned when libcbor was written.
  if (major == CborMajor::kTag && info < 24) {
    ++at_;
    token.kind = Kind::kTag;
    token.number = static_cast<uint64_t>(info);
    return true;
  }
  if (major == CborMajor::kPrimitive && info == 24 && rest.size() < 2) return fail(kCutOff);
  if (major == CborMajor::kPrimitive && info <= 24) return next_simple(token);
  return fail("cbor: invalid additional information " + std::to_string(info) + " for type " +
              std::string(cbor_major_name(major)));
}

bool CborReader::next_simple(CborToken& token) {
  constexpr unsigned kInNextByte = 24;
  const unsigned info = peek_byte() & 0x1f;
  const unsigned value = info == kInNextByte ? static_cast<unsigned char>(bytes_[at_ + 1]) : info;
  if (info == kInNextByte && value < 32)
    return fail("cbor: invalid simple value " + std::to_string(value) + " for type primitives");
  at_ += info == kInNextByte ? 2 : 1;
  token.kind = Kind::kSimple;
  token.number = value;
  return true;
}

}  // namespace codec
