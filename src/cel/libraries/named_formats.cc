// kubernetes.NamedFormat: format.dns1123Label().validate(text) and the like.
#include <algorithm>
#include <array>
#include <cctype>

#include "cel/conversions.h"
#include "cel/libraries/libraries.h"
#include "codec/base64.h"
#include "object/names.h"

namespace cel {

namespace {

using object::Messages;

Messages one(bool valid, const char* message) { return valid ? Messages() : Messages{message}; }

// Compat: a prefix may end in a dash, since something will follow it.
std::string without_trailing_dash(std::string_view text) {
  std::string out(text);
  if (!out.empty() && out.back() == '-') out.back() = 'a';
  return out;
}

Messages label_prefix(std::string_view text) { return object::validate_dns1123_label(without_trailing_dash(text)); }
Messages subdomain_prefix(std::string_view text) {
  return object::validate_dns1123_subdomain(without_trailing_dash(text));
}
Messages label1035_prefix(std::string_view text) { return object::validate_dns1035_label(without_trailing_dash(text)); }

Messages uuid(std::string_view text) {
  std::string digits;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '-' && (digits.size() == 8 || digits.size() == 12 || digits.size() == 16 || digits.size() == 20) &&
        text[i - 1] != '-') {
      continue;
    }
    digits += text[i];
  }
  const bool valid = digits.size() == 32 &&
                     std::all_of(digits.begin(), digits.end(), [](unsigned char c) { return std::isxdigit(c); });
  return one(valid, "does not match the UUID format");
}
Messages byte(std::string_view text) { return one(codec::parse_base64(text).has_value(), "invalid base64"); }
Messages date(std::string_view text) {
  int64_t seconds = 0;
  uint32_t nanoseconds = 0;
  return one(text.size() == 10 && parse_timestamp(std::string(text) + "T00:00:00Z", seconds, nanoseconds),
             "invalid date");
}
Messages datetime(std::string_view text) {
  int64_t seconds = 0;
  uint32_t nanoseconds = 0;
  return one(parse_timestamp(text, seconds, nanoseconds), "invalid datetime");
}
Messages uri(std::string_view text) {
  Arena arena;
  CallContext context{arena};
  const Value arg = Value::of_string(text);
  const Value parsed = url_declarations()[0].native(context, {&arg, 1});
  if (!parsed.is_error()) return {};
  const std::string_view message = parsed.message();
  return {std::string(message.substr(std::min(message.size(), message.find("parse \""))))};
}

struct Format : Opaque {
  const char* name;
  Messages (*validate)(std::string_view);
  uint64_t regex_size;  // upstream's figure, for cost

  Format(const char* n, Messages (*v)(std::string_view), uint64_t r) : name(n), validate(v), regex_size(r) {}
  const Type* type() const override {
    static const Type kType{TypeKind::kOpaque, "kubernetes.NamedFormat", {}};
    return &kType;
  }
  uint64_t size() const override { return regex_size; }
};

// The lengths of the patterns are those that upstream takes for its costs.
const std::array<Format, 13>& formats() {
  static const std::array<Format, 13> kFormats = {
      Format("dns1123Label", object::validate_dns1123_label, 30),
      Format("dns1123Subdomain", object::validate_dns1123_subdomain, 60),
      Format("dns1035Label", object::validate_dns1035_label, 30),
      Format("qualifiedName", object::validate_qualified_name, 60),
      Format("dns1123LabelPrefix", label_prefix, 30),
      Format("dns1123SubdomainPrefix", subdomain_prefix, 60),
      Format("dns1035LabelPrefix", label1035_prefix, 30),
      Format("labelValue", object::validate_label_value, 40),
      Format("uri", uri, 1103),
      Format("uuid", uuid, 70),
      Format("byte", byte, 84),
      Format("date", date, 71),
      Format("datetime", datetime, 71),
  };
  return kFormats;
}

template <size_t index>
Value constant(CallContext&, std::span<const Value>) {
  return Value::of_opaque(&formats()[index]);
}

Value named(CallContext& context, std::span<const Value> args) {
  for (const Format& format : formats()) {
    if (args[0].text() == format.name) return Value::optional_of(context.arena, Value::of_opaque(&format));
  }
  return Value::none();
}

Value validate(CallContext& context, std::span<const Value> args) {
  const Messages messages = static_cast<const Format*>(args[0].as_opaque())->validate(args[1].text());
  if (messages.empty()) return Value::none();
  std::vector<Value> list;
  for (const std::string& message : messages) list.push_back(context.string(message));
  return Value::optional_of(context.arena, make_list(context.arena, list));
}

constexpr Declaration kFormats[] = {
    {"format-validate", "kubernetes.NamedFormat.validate(string): optional(list(string))", validate},
    {"format-named", ":format.named(string): optional(kubernetes.NamedFormat)", named},
    {"format.dns1123Label", ":format.dns1123Label(): kubernetes.NamedFormat", constant<0>},
    {"format.dns1123Subdomain", ":format.dns1123Subdomain(): kubernetes.NamedFormat", constant<1>},
    {"format.dns1035Label", ":format.dns1035Label(): kubernetes.NamedFormat", constant<2>},
    {"format.qualifiedName", ":format.qualifiedName(): kubernetes.NamedFormat", constant<3>},
    {"format.dns1123LabelPrefix", ":format.dns1123LabelPrefix(): kubernetes.NamedFormat", constant<4>},
    {"format.dns1123SubdomainPrefix", ":format.dns1123SubdomainPrefix(): kubernetes.NamedFormat", constant<5>},
    {"format.dns1035LabelPrefix", ":format.dns1035LabelPrefix(): kubernetes.NamedFormat", constant<6>},
    {"format.labelValue", ":format.labelValue(): kubernetes.NamedFormat", constant<7>},
    {"format.uri", ":format.uri(): kubernetes.NamedFormat", constant<8>},
    {"format.uuid", ":format.uuid(): kubernetes.NamedFormat", constant<9>},
    {"format.byte", ":format.byte(): kubernetes.NamedFormat", constant<10>},
    {"format.date", ":format.date(): kubernetes.NamedFormat", constant<11>},
    {"format.datetime", ":format.datetime(): kubernetes.NamedFormat", constant<12>},
};

}  // namespace

std::span<const Declaration> format_declarations() { return kFormats; }

}  // namespace cel
