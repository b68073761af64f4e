// string.format in two forms: that of version 2 of cel-go's ext.Strings, which Kubernetes has, and that of the
// language's test data. They differ in how numbers, nested values and some errors look. And strings.quote.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "cel/conversions.h"
#include "cel/libraries/libraries.h"
#include "codec/utf8.h"

namespace cel {

namespace {

enum class Form : uint8_t { kKubernetes, kSpec };

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    switch (c) {
      case '\a':
        out += "\\a";
        break;
      case '\b':
        out += "\\b";
        break;
      case '\f':
        out += "\\f";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      case '\v':
        out += "\\v";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '"':
        out += "\\\"";
        break;
      default:
        out += c;
    }
  }
  return out + '"';
}

Value quote(CallContext& context, std::span<const Value> args) {
  return context.string(quoted(codec::utf8_repaired(args[0].text())));
}

std::string special_text(double number) { return std::isnan(number) ? "NaN" : number > 0 ? "Infinity" : "-Infinity"; }

struct Formatter {
  Form form;
  Arena& arena;
  std::string error;

  bool fail(std::string message) {
    error = std::move(message);
    return false;
  }
  std::string type_name(const Value& value) const { return runtime_type(value)->name; }

  bool wrong(std::string_view clause, std::string_view expected, const Value& value) {
    return fail("error during formatting: " + std::string(clause) + " clause can only be used on " +
                std::string(expected) + ", was given " + type_name(value));
  }

  // %s, and what stands inside lists and maps (nested).
  bool text(const Value& value, bool nested, std::string& out) {
    const bool marked = nested && form == Form::kKubernetes;
    switch (value.kind()) {
      case Kind::kString:
        out += marked ? quoted(value.text()) : std::string(value.text());
        return true;
      case Kind::kBytes:
        out += marked ? "b" + quoted(value.text()) : std::string(value.text());
        return true;
      case Kind::kDouble:
        out += number_text(value.as_double(), marked);
        return true;
      case Kind::kTimestamp:
        out += marked ? "timestamp(" + quoted(debug_text(value)) + ")" : debug_text(value);
        return true;
      case Kind::kDuration:
        out += marked ? "duration(" + quoted(debug_text(value)) + ")" : debug_text(value);
        return true;
      case Kind::kNull:
      case Kind::kBool:
      case Kind::kInt:
      case Kind::kUint:
      case Kind::kType:
        out += debug_text(value);
        return true;
      case Kind::kList:
        return list_text(value, out);
      case Kind::kMap:
        return map_text(value, out);
      default:
        return fail(
            "error during formatting: string clause can only be used on strings, bools, bytes, ints, doubles, "
            "maps, lists, types, durations, and timestamps, was given " +
            type_name(value));
    }
  }

  std::string number_text(double number, bool marked) const {
    if (!std::isfinite(number)) {
      if (form == Form::kSpec) return special_text(number);
      return marked ? quoted(double_text(number)) : double_text(number);
    }
    return marked ? fmt::format("{:.6f}", number) : double_text(number);
  }

  bool list_text(const Value& list, std::string& out) {
    out += '[';
    for (size_t i = 0; i < list.size(); ++i) {
      if (i > 0) out += ", ";
      if (!text(list.element(i, arena), true, out)) return false;
    }
    out += ']';
    return true;
  }

  bool map_text(const Value& map, std::string& out) {
    std::vector<std::pair<std::string, std::string>> pairs;
    for (size_t i = 0; i < map.size(); ++i) {
      std::string key, value;
      if (!text(map.key_at(i, arena), true, key) || !text(map.value_at(i, arena), true, value)) return false;
      pairs.emplace_back(std::move(key), std::move(value));
    }
    std::sort(pairs.begin(), pairs.end());
    out += '{';
    for (size_t i = 0; i < pairs.size(); ++i) {
      if (i > 0) out += ", ";
      out += pairs[i].first + (form == Form::kSpec ? ": " : ":") + pairs[i].second;
    }
    out += '}';
    return true;
  }

  bool decimal(const Value& value, std::string& out) {
    if (value.kind() == Kind::kInt || value.kind() == Kind::kUint) {
      out += debug_text(value);
      return true;
    }
    if (form == Form::kSpec && value.kind() == Kind::kDouble && !std::isfinite(value.as_double())) {
      out += special_text(value.as_double());
      return true;
    }
    return wrong("decimal", "integers", value);
  }

  // The number of %f and %e; false when the value is none.
  bool floating(std::string_view clause, const Value& value, double& number) {
    if (value.kind() == Kind::kDouble) {
      number = value.as_double();
      return true;
    }
    if (form == Form::kSpec && (value.kind() == Kind::kInt || value.kind() == Kind::kUint)) {
      number = value.kind() == Kind::kInt ? static_cast<double>(value.as_int()) : static_cast<double>(value.as_uint());
      return true;
    }
    if (value.is_string() && (value.text() == "NaN" || value.text() == "Infinity" || value.text() == "-Infinity")) {
      number = value.text() == "NaN" ? NAN : value.text() == "Infinity" ? INFINITY : -INFINITY;
      return true;
    }
    return wrong(clause, "doubles", value);
  }

  // Writes what has no digits.
  bool not_finite(double number, std::string& out) const {
    if (std::isfinite(number)) return false;
    out += form == Form::kSpec ? special_text(number) : std::isnan(number) ? "NaN" : number > 0 ? "\u221e" : "-\u221e";
    return true;
  }

  bool fixed(const Value& value, int precision, std::string& out) {
    double number = 0;
    if (!floating("fixed-point", value, number)) return false;
    if (not_finite(number, out)) return true;
    std::string digits = fmt::format("{:.{}f}", number, precision);
    if (form == Form::kKubernetes) {  // Compat: grouped as in English
      const size_t end = digits.find('.') == std::string::npos ? digits.size() : digits.find('.');
      const size_t first = digits[0] == '-' ? 1 : 0;
      for (size_t at = end; at > first + 3; at -= 3) digits.insert(at - 3, ",");
    }
    out += digits;
    return true;
  }

  bool scientific(const Value& value, int precision, std::string& out) {
    double number = 0;
    if (!floating("scientific", value, number)) return false;
    if (not_finite(number, out)) return true;
    const std::string digits = fmt::format("{:.{}e}", number, precision);
    if (form == Form::kSpec) {
      out += digits;
      return true;
    }
    // Compat: printed as English text has it, with a power of ten in small raised digits.
    static constexpr std::string_view kRaised[] = {"\u2070", "\u00b9", "\u00b2", "\u00b3", "\u2074",
                                                   "\u2075", "\u2076", "\u2077", "\u2078", "\u2079"};
    const size_t e = digits.find('e');
    out += digits.substr(0, e) + "\u202f\u00d7\u202f10";
    if (digits[e + 1] == '-') out += "\u207b";
    for (const char c : digits.substr(e + 2)) out += kRaised[c - '0'];
    return true;
  }

  bool based(char verb, const Value& value, std::string& out) {
    const bool hex = verb == 'x' || verb == 'X';
    if (value.kind() == Kind::kInt || value.kind() == Kind::kUint) {
      const bool negative = value.kind() == Kind::kInt && value.as_int() < 0;
      const uint64_t magnitude = negative ? 0 - value.as_uint() : value.as_uint();
      if (negative) out += '-';
      if (verb == 'b') out += fmt::format("{:b}", magnitude);
      if (verb == 'o') out += fmt::format("{:o}", magnitude);
      if (verb == 'x') out += fmt::format("{:x}", magnitude);
      if (verb == 'X') out += fmt::format("{:X}", magnitude);
      return true;
    }
    if (verb == 'b' && value.is_bool()) {
      out += value.as_bool() ? '1' : '0';
      return true;
    }
    if (hex && (value.is_string() || value.kind() == Kind::kBytes)) {
      for (const char c : value.text()) {
        out += verb == 'x' ? fmt::format("{:02x}", static_cast<unsigned char>(c))
                           : fmt::format("{:02X}", static_cast<unsigned char>(c));
      }
      return true;
    }
    if (verb == 'o') return wrong("octal", "integers", value);
    return fail("error during formatting: " +
                std::string(verb == 'b' ? "only integers and bools can be formatted as binary"
                                        : "only integers, byte buffers, and strings can be formatted as hex") +
                ", was given " + type_name(value));
  }

  bool clause(char verb, int precision, const Value& value, std::string& out) {
    switch (verb) {
      case 's':
        return text(value, false, out);
      case 'd':
        return decimal(value, out);
      case 'f':
        return fixed(value, precision, out);
      case 'e':
        return scientific(value, precision, out);
      case 'b':
      case 'o':
      case 'x':
      case 'X':
        return based(verb, value, out);
      default:
        return fail(std::string("could not parse formatting clause: unrecognized formatting clause \"") + verb + "\"");
    }
  }

  bool precision_of(std::string_view format, size_t& at, int& precision) {
    constexpr int kMost = 100;
    if (at >= format.size() || format[at] != '.') return true;
    int value = 0;
    const size_t first = ++at;
    while (at < format.size() && format[at] >= '0' && format[at] <= '9' && value <= kMost * 10) {
      value = value * 10 + (format[at++] - '0');
    }
    if (at == first || at >= format.size()) {
      return fail(
          "could not parse formatting clause: error while parsing precision: could not find end of precision "
          "specifier");
    }
    if (value > kMost)
      return fail("could not parse formatting clause: error while parsing precision: precision too large");
    precision = value;
    return true;
  }

  bool run(std::string_view format, const Value& args, std::string& out) {
    size_t used = 0;
    for (size_t at = 0; at < format.size();) {
      if (format[at] != '%') {
        out += format[at++];
        continue;
      }
      if (++at >= format.size()) return fail("unexpected end of string");
      if (format[at] == '%') {
        out += format[at++];
        continue;
      }
      if (used >= args.size()) return fail("index " + std::to_string(used) + " out of range");
      const Value value = args.element(used++, arena);
      if (value.is_error()) return fail(std::string(value.message()));
      int precision = 6;
      if (!precision_of(format, at, precision) || !clause(format[at++], precision, value, out)) return false;
    }
    return true;
  }
};

template <Form form>
Value format(CallContext& context, std::span<const Value> args) {
  Formatter formatter{form, context.arena, {}};
  std::string out;
  return formatter.run(args[0].text(), args[1], out) ? context.string(out) : context.error(formatter.error);
}

constexpr Declaration kKubernetes[] = {
    {"string_format", "string.format(list(dyn)): string", format<Form::kKubernetes>},
    {"strings_quote", ":strings.quote(string): string", quote},
};
constexpr Declaration kSpec[] = {
    {"string_format", "string.format(list(dyn)): string", format<Form::kSpec>},
    {"strings_quote", ":strings.quote(string): string", quote},
};

}  // namespace

std::span<const Declaration> string_format_declarations() { return kKubernetes; }
std::span<const Declaration> string_format_spec_declarations() { return kSpec; }

}  // namespace cel
