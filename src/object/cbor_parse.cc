#include <algorithm>
#include <cmath>
#include <memory>

#include "codec/base64.h"
#include "codec/cbor.h"
#include "codec/json_text.h"
#include "codec/limits.h"
#include "codec/utf8.h"
#include "object/cbor.h"
#include "object/time.h"

namespace object {
namespace {

using codec::CborMajor;
using codec::CborToken;
using Kind = CborToken::Kind;

enum class Later : uint8_t { kNone, kBase64Url, kBase64, kBase16 };  // the text that byte strings become

constexpr uint64_t kTextTime = 0;
constexpr uint64_t kEpochTime = 1;
constexpr uint64_t kPositiveBignum = 2;
constexpr uint64_t kNegativeBignum = 3;
constexpr uint64_t kLaterBase64Url = 21;
constexpr uint64_t kLaterBase64 = 22;
constexpr uint64_t kLaterBase16 = 23;

std::string later_text(std::string_view bytes, Later later) {
  switch (later) {
    case Later::kBase64Url:
      return codec::base64url(bytes);
    case Later::kBase64:
      return codec::base64(bytes);
    case Later::kBase16: {
      constexpr std::string_view kHex = "0123456789abcdef";
      std::string text;
      text.reserve(bytes.size() * 2);
      for (unsigned char c : bytes) {
        text += kHex[c >> 4];
        text += kHex[c & 15];
      }
      return text;
    }
    case Later::kNone:
      break;
  }
  return std::string(bytes);
}

std::string cannot_unmarshal(CborMajor major, std::string_view type, std::string_view why) {
  std::string text =
      "cbor: cannot unmarshal " + std::string(cbor_major_name(major)) + " into Go value of type " + std::string(type);
  if (!why.empty()) text.append(" (").append(why).append(")");
  return text;
}

// -1 - number, which may lie below int64.
std::string negative_text(uint64_t number) {
  return number == UINT64_MAX ? "-18446744073709551616" : "-" + std::to_string(number + 1);
}

// Seconds since the epoch, with a fraction, as text with no more digits than it needs.
base::Result<std::string> epoch_text(int64_t seconds, int64_t nanos) {
  if (nanos < 0) {
    --seconds;
    nanos += 1'000'000'000;
  }
  constexpr int64_t kYearZero = -62'167'219'200;
  constexpr int64_t kYearTenThousand = 253'402'300'800;
  if (seconds < kYearZero || seconds >= kYearTenThousand) {
    return base::fail(base::Reason::kBadRequest,
                      "cbor: decoded time cannot be represented in RFC3339 format with sub-second precision: "
                      "Time.MarshalText: year outside of range [0,9999]");
  }
  std::string text = format_time({seconds, 0});
  if (nanos == 0) return text;
  std::string digits = std::to_string(1'000'000'000 + nanos).substr(1);
  digits.resize(digits.find_last_not_of('0') + 1);
  text.insert(text.size() - 1, "." + digits);
  return text;
}

// Two kinds of error, as upstream has two passes: what is no CBOR at all ends the reading and is told; what merely is
// not acceptable is told if there is nothing of the first kind, the first of it in each container.
class Parser {
 public:
  explicit Parser(std::string_view bytes) : reader_(bytes) {}

  base::Result<Value> parse(CborFault& fault, Value* rest) {
    fault = CborFault::kUnreadable;
    if (reader_.done()) return base::fail(base::Reason::kBadRequest, "EOF");
    Value value;
    const Outcome outcome = item(value, 0, Later::kNone);
    if (outcome == Outcome::kMalformed) {
      return base::fail(base::Reason::kBadRequest, malformed_.empty() ? reader_.error() : std::move(malformed_));
    }
    if (!reader_.done()) {
      return base::fail(base::Reason::kBadRequest, "cbor: " + std::to_string(reader_.left()) +
                                                       " bytes of extraneous data starting at index " +
                                                       std::to_string(reader_.offset()));
    }
    if (outcome == Outcome::kUnacceptable) {
      if (top_) problem_ = std::move(top_);
      fault = problem_->fault;
      if (fault == CborFault::kInside && rest) *rest = std::move(value);
      return base::fail(base::Reason::kBadRequest, std::move(problem_->text));
    }
    fault = CborFault::kNone;
    return value;
  }

 private:
  // kUnacceptable: problem_ says why. kMalformed: malformed_ does, or else the reader.
  enum class Outcome : uint8_t { kGood, kUnacceptable, kMalformed };
  struct Problem {
    std::string text;
    CborFault fault = CborFault::kInside;
    bool repeated_key = false;
  };

  Outcome malformed(std::string text) {
    malformed_ = std::move(text);
    return Outcome::kMalformed;
  }
  Outcome unacceptable(std::string text, CborFault fault = CborFault::kInside) {
    problem_ = std::make_unique<Problem>(Problem{std::move(text), fault, false});
    return Outcome::kUnacceptable;
  }
  // Of the items of one container the first problem counts.
  void keep_first(std::unique_ptr<Problem>& first) {
    if (!first) first = std::move(problem_);
  }
  Outcome outcome_of(std::unique_ptr<Problem> first) {
    problem_ = std::move(first);
    return problem_ ? Outcome::kUnacceptable : Outcome::kGood;
  }

  Outcome item(Value& value, int depth, Later later) {
    CborToken token;
    if (!reader_.next(token)) return Outcome::kMalformed;
    switch (token.kind) {
      case Kind::kUnsigned:
      case Kind::kNegative:
        return integer(value, token);
      case Kind::kBytes:
      case Kind::kText:
        value = Value(std::string());
        return string(token, later, *value.string_if());
      case Kind::kArray:
        return array(value, token, depth + 1, later);
      case Kind::kMap:
        return map(value, token, depth + 1, later);
      case Kind::kTag:
        return tag(value, token.number, depth, later);
      case Kind::kBool:
        value = Value(token.number != 0);
        return Outcome::kGood;
      case Kind::kNull:
        value = Value();
        return Outcome::kGood;
      case Kind::kFloat:
        value = Value(token.real);
        return Outcome::kGood;
      case Kind::kSimple:
        return unacceptable("cbor: data item of cbor type primitives is not accepted by protocol: simple value " +
                            std::to_string(token.number) + " is not recognized");
      case Kind::kBreak:
        break;
    }
    return malformed("cbor: unexpected \"break\" code");
  }

  Outcome integer(Value& value, const CborToken& token) {
    const bool negative = token.kind == Kind::kNegative;
    if (token.number > INT64_MAX) {
      const std::string text = negative ? negative_text(token.number) : std::to_string(token.number);
      return unacceptable(cannot_unmarshal(token.major(), "int64", text + " overflows Go's int64"));
    }
    const auto number = static_cast<int64_t>(token.number);
    value = Value(negative ? -1 - number : number);
    return Outcome::kGood;
  }

  Outcome string(const CborToken& token, Later later, std::string& text) {
    const bool checked = token.kind == Kind::kText;
    bool good = true;
    if (token.indefinite) {
      if (!chunks(token, text, good)) return Outcome::kMalformed;
    } else {
      good = !checked || codec::utf8_valid(token.text);
      text = token.text;
    }
    if (!checked && later != Later::kNone) text = later_text(text, later);
    return good ? Outcome::kGood : unacceptable("cbor: invalid UTF-8 string");
  }

  bool chunks(const CborToken& whole, std::string& text, bool& good) {
    const std::string name(cbor_major_name(whole.major()));
    CborToken chunk;
    while (true) {
      if (reader_.done()) break;
      const bool ends = reader_.peek_byte() == 0xff;
      if (!ends && reader_.peek() != whole.major()) {
        malformed("cbor: wrong element type " + std::string(cbor_major_name(reader_.peek())) +
                  " for indefinite-length " + name);
        return false;
      }
      if (!ends && (reader_.peek_byte() & 0x1f) == 0x1f) {
        malformed("cbor: indefinite-length " + name + " chunk is not definite-length");
        return false;
      }
      if (!reader_.next(chunk)) return false;
      if (ends) return true;
      if (whole.kind == Kind::kText) good = good && codec::utf8_valid(chunk.text);
      text += chunk.text;
    }
    malformed("unexpected EOF");
    return false;
  }

  // True at the end of the container; takes the break. The bytes that have ended before are for the next reading to
  // tell.
  bool ends(const CborToken& container, uint64_t read) {
    if (!container.indefinite) return read == container.number;
    if (reader_.done() || reader_.peek_byte() != 0xff) return false;
    CborToken taken;
    return reader_.next(taken);
  }

  // No more than the bytes that are left can hold.
  size_t room_for(const CborToken& container, uint64_t limit) const {
    return std::min({container.number, limit, static_cast<uint64_t>(reader_.left())});
  }

  bool too_deep(int depth) {
    if (depth <= codec::kMaxCborDepth) return false;
    malformed("cbor: exceeded max nested level " + std::to_string(codec::kMaxCborDepth));
    return true;
  }

  Outcome array(Value& value, const CborToken& token, int depth, Later later) {
    if (too_deep(depth)) return Outcome::kMalformed;
    value = Value(Array());
    Array& elements = *value.array_if();
    elements.reserve(room_for(token, codec::kMaxCborElements));
    std::unique_ptr<Problem> first;
    for (uint64_t read = 0;; ++read) {
      if (read > codec::kMaxCborElements || token.number > codec::kMaxCborElements) {
        return malformed("cbor: exceeded max number of elements " + std::to_string(codec::kMaxCborElements) +
                         " for CBOR array");
      }
      if (ends(token, read)) break;
      const Outcome outcome = item(elements.emplace_back(), depth, later);
      if (outcome == Outcome::kMalformed) return outcome;
      if (outcome == Outcome::kUnacceptable) keep_first(first);
    }
    return outcome_of(std::move(first));
  }

  Outcome map(Value& value, const CborToken& token, int depth, Later later) {
    if (too_deep(depth)) return Outcome::kMalformed;
    value = Value(Object());
    Object& members = *value.object_if();
    members.reserve(room_for(token, codec::kMaxCborPairs));
    std::unique_ptr<Problem> first;
    bool repeated = false;
    for (uint64_t read = 0;; ++read) {
      if (read > codec::kMaxCborPairs || token.number > codec::kMaxCborPairs) {
        return malformed("cbor: exceeded max number of key-value pairs " + std::to_string(codec::kMaxCborPairs) +
                         " for CBOR map");
      }
      if (ends(token, read)) break;
      const Outcome outcome = pair(token, members, read, depth, later);
      if (outcome == Outcome::kMalformed) return outcome;
      if (outcome == Outcome::kGood || repeated) continue;  // after a repeated key only the form counts
      repeated = problem_->repeated_key;
      if (repeated) first.reset();
      if (problem_->fault == CborFault::kTopKeys && (repeated || !top_)) top_ = std::make_unique<Problem>(*problem_);
      keep_first(first);
    }
    return outcome_of(std::move(first));
  }

  Outcome pair(const CborToken& map, Object& members, uint64_t place, int depth, Later later) {
    std::string name;
    const Outcome of_key = key(name, depth, later);
    if (of_key == Outcome::kMalformed) return of_key;
    const CborFault fault = depth == 1 ? CborFault::kTopKeys : CborFault::kInside;
    if (of_key == Outcome::kUnacceptable) problem_->fault = fault;
    const bool names_type = name == "kind" || name == "apiVersion";
    if (map.indefinite && !reader_.done() && reader_.peek_byte() == 0xff)
      return malformed("cbor: unexpected \"break\" code");
    std::unique_ptr<Problem> first = std::move(problem_);
    const bool repeated = !first && members.contains(name);
    Value unused;
    Value& entry = first || repeated ? unused : members.append(std::move(name), Value());
    const Outcome of_value = item(entry, depth, later);
    if (of_value == Outcome::kMalformed) return of_value;
    if (of_value == Outcome::kGood && !first && !repeated) return of_value;
    if (!first && problem_ && names_type) problem_->fault = fault;
    if (!first) first = std::move(problem_);
    if (first) {
      first->repeated_key = false;  // it was that of a map within
      return outcome_of(std::move(first));
    }
    unacceptable(
        "cbor: found duplicate map key " + codec::go_quoted(name) + " at map element index " + std::to_string(place),
        fault);
    problem_->repeated_key = true;
    return Outcome::kUnacceptable;
  }

  Outcome key(std::string& name, int depth, Later later) {
    if (!reader_.done() && reader_.peek() == CborMajor::kBytes) {  // as nearly all are
      CborToken token;
      if (!reader_.next(token)) return Outcome::kMalformed;
      return string(token, later, name);
    }
    Value value;
    const CborMajor major = reader_.done() ? CborMajor::kPrimitive : reader_.peek();
    const Outcome outcome = item(value, depth, later);
    if (outcome != Outcome::kGood) return outcome;
    if (std::string* text = value.string_if()) {
      name = std::move(*text);
      return outcome;
    }
    // Compat: null leaves the key as it is made: empty.
    if (value.is_null()) return outcome;
    return unacceptable(cannot_unmarshal(major, "string", ""));
  }

  // Tags in a row are one level of recursion, however many they are.
  Outcome tag(Value& value, uint64_t number, int depth, Later later) {
    std::unique_ptr<Problem> first;
    while (true) {
      if (reader_.done()) return malformed("unexpected EOF");
      if (number == kPositiveBignum || number == kNegativeBignum)
        return malformed("cbor: data item of cbor type tag is not accepted by protocol: bignum");
      later = expected(number, later);
      if (inadmissible(number)) keep_first(first);
      if (reader_.peek() != CborMajor::kTag) break;
      CborToken inner;
      if (!reader_.next(inner)) return Outcome::kMalformed;
      number = inner.number;
      if (too_deep(++depth)) return Outcome::kMalformed;
    }
    const Outcome outcome = item(value, depth, later);
    if (outcome == Outcome::kMalformed) return outcome;
    if (first) return outcome_of(std::move(first));
    if (outcome != Outcome::kGood || number > kEpochTime) return outcome;
    return number == kTextTime ? text_time(value) : epoch_time(value);
  }

  // What the tag is about comes next.
  bool inadmissible(uint64_t number) {
    const CborMajor major = reader_.peek();
    const bool floating = reader_.peek_byte() >= 0xf9 && reader_.peek_byte() <= 0xfb;
    std::string_view wanted;
    if (number == kTextTime && major != CborMajor::kText) wanted = "text string";
    if (number == kEpochTime && major != CborMajor::kUnsigned && major != CborMajor::kNegative && !floating)
      wanted = "integer or floating-point number";
    if (wanted.empty()) return false;
    unacceptable("cbor: tag number " + std::to_string(number) + " must be followed by " + std::string(wanted) +
                 ", got " + std::string(cbor_major_name(major)));
    return true;
  }

  static Later expected(uint64_t number, Later later) {
    if (number == kLaterBase64Url) return Later::kBase64Url;
    if (number == kLaterBase64) return Later::kBase64;
    return number == kLaterBase16 ? Later::kBase16 : later;
  }

  Outcome text_time(Value& value) {
    std::string& text = *value.string_if();
    if (auto parsed = parse_time(text); !parsed)
      return unacceptable("cbor: cannot set " + text + " for time.Time: " + parsed.error().message);
    // Compat: a date is written anew: no zeros at the end of a fraction, and no offset of zero.
    constexpr size_t kSeconds = std::string_view("2006-01-02T15:04:05").size();
    const size_t zone = text.find_first_of("Z+-", kSeconds);
    const bool utc = text.substr(zone + 1) == "00:00" || text[zone] == 'Z';
    std::string fraction = text.substr(kSeconds, zone - kSeconds);
    fraction.resize(fraction.find_last_not_of("0.,") + 1);
    if (!fraction.empty()) fraction.front() = '.';
    text = text.substr(0, kSeconds) + fraction + (utc ? "Z" : text.substr(zone));
    return Outcome::kGood;
  }
  Outcome epoch_time(Value& value) {
    int64_t seconds = 0, nanos = 0;
    if (const int64_t* whole = value.int_if()) {
      seconds = *whole;
    } else {
      double integral = 0;
      const double fraction = std::modf(*value.double_if(), &integral);
      constexpr double kBeyondAnyYear = 1e15;
      seconds = static_cast<int64_t>(std::clamp(integral, -kBeyondAnyYear, kBeyondAnyYear));
      nanos = static_cast<int64_t>(fraction * 1e9);
    }
    auto text = epoch_text(seconds, nanos);
    if (!text) return unacceptable(std::move(text.error().message));
    value = Value(*std::move(text));
    return Outcome::kGood;
  }

  codec::CborReader reader_;
  std::string malformed_;
  std::unique_ptr<Problem> problem_;
  std::unique_ptr<Problem> top_;  // the first of kTopKeys
};

}  // namespace

base::Result<Value> parse_cbor(std::string_view bytes, const CborOptions& options) {
  CborFault ignored;
  return Parser(bytes).parse(options.fault ? *options.fault : ignored, options.rest);
}

}  // namespace object
