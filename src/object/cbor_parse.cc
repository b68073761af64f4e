#include <algorithm>
#include <cmath>
#include <optional>

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

  base::Result<Value> parse(CborFault& fault) {
    fault = CborFault::kUnreadable;
    if (reader_.done()) return base::fail(base::Reason::kBadRequest, "EOF");
    Value value;
    TRY_ASSIGN(Problem problem, item(value, 0, Later::kNone));
    if (!reader_.done()) {
      return base::fail(base::Reason::kBadRequest, "cbor: " + std::to_string(reader_.left()) +
                                                       " bytes of extraneous data starting at index " +
                                                       std::to_string(reader_.offset()));
    }
    if (problem) {
      fault = problem->fault;
      return base::fail(base::Reason::kBadRequest, std::move(problem->text));
    }
    fault = CborFault::kNone;
    return value;
  }

 private:
  struct Fault {
    std::string text;
    CborFault fault = CborFault::kInside;
  };
  using Problem = std::optional<Fault>;

  static std::unexpected<base::Error> malformed(std::string text) {
    return base::fail(base::Reason::kBadRequest, std::move(text));
  }
  static Problem problem(std::string text) { return Fault{std::move(text)}; }

  // Reads one item. The error: it is no CBOR; the problem: it is nothing that we take.
  base::Result<Problem> item(Value& value, int depth, Later later) {
    TRY_ASSIGN(const CborToken token, reader_.next());
    switch (token.kind) {
      case Kind::kUnsigned:
        return integer(value, token);
      case Kind::kNegative:
        return integer(value, token);
      case Kind::kBytes:
      case Kind::kText: {
        std::string text;
        TRY_ASSIGN(Problem found, string(token, later, text));
        value = Value(std::move(text));
        return found;
      }
      case Kind::kArray:
        return array(value, token, depth + 1, later);
      case Kind::kMap:
        return map(value, token, depth + 1, later);
      case Kind::kTag:
        return tag(value, token.number, depth, later);
      case Kind::kBool:
        value = Value(token.number != 0);
        return Problem();
      case Kind::kNull:
        value = Value();
        return Problem();
      case Kind::kFloat:
        value = Value(token.real);
        return Problem();
      case Kind::kSimple:
        return problem("cbor: data item of cbor type primitives is not accepted by protocol: simple value " +
                       std::to_string(token.number) + " is not recognized");
      case Kind::kBreak:
        break;
    }
    return malformed("cbor: unexpected \"break\" code");
  }

  static Problem integer(Value& value, const CborToken& token) {
    const bool negative = token.kind == Kind::kNegative;
    if (token.number > INT64_MAX) {
      const std::string text = negative ? negative_text(token.number) : std::to_string(token.number);
      return problem(cannot_unmarshal(token.major(), "int64", text + " overflows Go's int64"));
    }
    const auto number = static_cast<int64_t>(token.number);
    value = Value(negative ? -1 - number : number);
    return {};
  }

  base::Result<Problem> string(const CborToken& token, Later later, std::string& text) {
    const bool checked = token.kind == Kind::kText;
    bool good = true;
    if (!token.indefinite) {
      good = !checked || codec::utf8_valid(token.text);
      text = checked || later == Later::kNone ? std::string(token.text) : later_text(token.text, later);
    } else {
      TRY(chunks(token, text, good));
      if (!checked && later != Later::kNone) text = later_text(text, later);
    }
    if (!good) return problem("cbor: invalid UTF-8 string");
    return Problem();
  }

  base::Result<void> chunks(const CborToken& whole, std::string& text, bool& good) {
    const std::string name(cbor_major_name(whole.major()));
    while (true) {
      if (reader_.done()) return malformed("unexpected EOF");
      const bool ends = reader_.peek_byte() == 0xff;
      if (!ends && reader_.peek() != whole.major()) {
        return malformed("cbor: wrong element type " + std::string(cbor_major_name(reader_.peek())) +
                         " for indefinite-length " + name);
      }
      if (!ends && (reader_.peek_byte() & 0x1f) == 0x1f)
        return malformed("cbor: indefinite-length " + name + " chunk is not definite-length");
      TRY_ASSIGN(const CborToken chunk, reader_.next());
      if (ends) return {};
      if (whole.kind == Kind::kText) good = good && codec::utf8_valid(chunk.text);
      text += chunk.text;
    }
  }

  // True when the container has one more item; takes the break.
  base::Result<bool> more(const CborToken& container, uint64_t read) {
    if (!container.indefinite) return read < container.number;
    if (reader_.done()) return malformed("unexpected EOF");
    if (reader_.peek_byte() != 0xff) return true;
    TRY_ASSIGN([[maybe_unused]] const CborToken taken, reader_.next());
    return false;
  }

  static base::Result<void> check_depth(int depth) {
    if (depth <= codec::kMaxCborDepth) return {};
    return malformed("cbor: exceeded max nested level " + std::to_string(codec::kMaxCborDepth));
  }

  base::Result<Problem> array(Value& value, const CborToken& token, int depth, Later later) {
    TRY(check_depth(depth));
    Array elements;
    Problem first;
    for (uint64_t read = 0;; ++read) {
      if (read > codec::kMaxCborElements || token.number > codec::kMaxCborElements) {
        return malformed("cbor: exceeded max number of elements " + std::to_string(codec::kMaxCborElements) +
                         " for CBOR array");
      }
      TRY_ASSIGN(const bool another, more(token, read));
      if (!another) break;
      TRY_ASSIGN(Problem found, item(elements.emplace_back(), depth, later));
      if (found && !first) first = std::move(found);
    }
    value = Value(std::move(elements));
    return first;
  }

  base::Result<Problem> map(Value& value, const CborToken& token, int depth, Later later) {
    TRY(check_depth(depth));
    Object members;
    Problem first;
    bool repeated = false;
    for (uint64_t read = 0;; ++read) {
      if (read > codec::kMaxCborPairs || token.number > codec::kMaxCborPairs) {
        return malformed("cbor: exceeded max number of key-value pairs " + std::to_string(codec::kMaxCborPairs) +
                         " for CBOR map");
      }
      TRY_ASSIGN(const bool another, more(token, read));
      if (!another) break;
      std::string name;
      Value entry;
      TRY_ASSIGN(Problem bad_key, key(name, depth, later));
      if (token.indefinite && !reader_.done() && reader_.peek_byte() == 0xff)
        return malformed("cbor: unexpected \"break\" code");
      TRY_ASSIGN(Problem bad_value, item(entry, depth, later));
      if (repeated) continue;  // the rest is only looked at for its form
      Problem& found = bad_key ? bad_key : bad_value;
      if (found) {
        if (bad_key && depth == 1) found->fault = CborFault::kTopKeys;
        if (!first) first = std::move(found);
      } else if (members.contains(name)) {
        repeated = true;
        first = Fault{
            "cbor: found duplicate map key " + codec::go_quoted(name) + " at map element index " + std::to_string(read),
            depth == 1 ? CborFault::kTopKeys : CborFault::kInside};
      } else {
        members.append(std::move(name), std::move(entry));
      }
    }
    value = Value(std::move(members));
    return first;
  }

  base::Result<Problem> key(std::string& name, int depth, Later later) {
    Value value;
    const CborMajor major = reader_.done() ? CborMajor::kPrimitive : reader_.peek();
    TRY_ASSIGN(Problem found, item(value, depth, later));
    if (found) return found;
    if (std::string* text = value.string_if()) {
      name = std::move(*text);
      return Problem();
    }
    // Compat: null leaves the key as it is made: empty.
    if (value.is_null() && major == CborMajor::kPrimitive) return Problem();
    return problem(cannot_unmarshal(major, "string", ""));
  }

  // Tags in a row are one level of recursion, however many they are.
  base::Result<Problem> tag(Value& value, uint64_t number, int depth, Later later) {
    Problem outer;
    while (true) {
      if (reader_.done()) return malformed("unexpected EOF");
      if (number == kPositiveBignum || number == kNegativeBignum)
        return malformed("cbor: data item of cbor type tag is not accepted by protocol: bignum");
      later = expected(number, later);
      if (!outer) outer = inadmissible(number);
      if (reader_.peek() != CborMajor::kTag) break;
      TRY_ASSIGN(const CborToken inner, reader_.next());
      number = inner.number;
      TRY(check_depth(++depth));
    }
    TRY_ASSIGN(Problem found, item(value, depth, later));
    if (outer) return outer;
    if (found || number > kEpochTime) return found;
    return number == kTextTime ? text_time(value) : epoch_time(value);
  }

  // What the tag is about comes next.
  Problem inadmissible(uint64_t number) const {
    const CborMajor major = reader_.peek();
    const bool floating = reader_.peek_byte() >= 0xf9 && reader_.peek_byte() <= 0xfb;
    std::string_view wanted;
    if (number == kTextTime && major != CborMajor::kText) wanted = "text string";
    if (number == kEpochTime && major != CborMajor::kUnsigned && major != CborMajor::kNegative && !floating)
      wanted = "integer or floating-point number";
    if (wanted.empty()) return {};
    return problem("cbor: tag number " + std::to_string(number) + " must be followed by " + std::string(wanted) +
                   ", got " + std::string(cbor_major_name(major)));
  }

  static Later expected(uint64_t number, Later later) {
    if (number == kLaterBase64Url) return Later::kBase64Url;
    if (number == kLaterBase64) return Later::kBase64;
    return number == kLaterBase16 ? Later::kBase16 : later;
  }

  static Problem text_time(Value& value) {
    std::string& text = *value.string_if();
    if (auto parsed = parse_time(text); !parsed)
      return problem("cbor: cannot set " + text + " for time.Time: " + parsed.error().message);
    // Compat: a date is written anew: no zeros at the end of a fraction, and no offset of zero.
    constexpr size_t kSeconds = std::string_view("2006-01-02T15:04:05").size();
    const size_t zone = text.find_first_of("Z+-", kSeconds);
    const bool utc = text.substr(zone + 1) == "00:00" || text[zone] == 'Z';
    std::string fraction = text.substr(kSeconds, zone - kSeconds);
    fraction.resize(fraction.find_last_not_of("0.,") + 1);
    if (!fraction.empty()) fraction.front() = '.';
    text = text.substr(0, kSeconds) + fraction + (utc ? "Z" : text.substr(zone));
    return {};
  }
  static Problem epoch_time(Value& value) {
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
    if (!text) return problem(std::move(text.error().message));
    value = Value(*std::move(text));
    return {};
  }

  codec::CborReader reader_;
};

}  // namespace

base::Result<Value> parse_cbor(std::string_view bytes, const CborOptions& options) {
  CborFault ignored;
  return Parser(bytes).parse(options.fault ? *options.fault : ignored);
}

}  // namespace object
