// kubernetes.URL: absolute URIs and absolute paths, as Go's net/url.ParseRequestURI takes them.
#include <algorithm>
#include <cctype>
#include <map>
#include <optional>

#include "cel/libraries/libraries.h"

namespace cel {

namespace {

struct Parts {
  std::string scheme, user, host, path, query, fragment;
};

struct Url : Opaque {
  Url(Parts p, std::string t) : parts(std::move(p)), text(std::move(t)) {}
  const Type* type() const override {
    static const Type kType{TypeKind::kOpaque, "kubernetes.URL", {}};
    return &kType;
  }
  bool equals(const Opaque& other) const override { return text == static_cast<const Url&>(other).text; }
  Parts parts;
  std::string text;
};

const Parts& of(const Value& value) { return static_cast<const Url*>(value.as_opaque())->parts; }

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

std::optional<std::string> unescape_text(std::string_view text, bool plus_is_space) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      if (i + 2 >= text.size() || hex_digit(text[i + 1]) < 0 || hex_digit(text[i + 2]) < 0) return {};
      out += static_cast<char>(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2]));
      i += 2;
    } else {
      out += plus_is_space && text[i] == '+' ? ' ' : text[i];
    }
  }
  return out;
}

// The scheme and what follows its colon; false with a reason when the text begins with a colon or a bad scheme.
bool split_scheme(std::string_view text, std::string& scheme, std::string_view& rest, std::string& reason) {
  rest = text;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (std::isalpha(c)) continue;
    if (std::isdigit(c) || c == '+' || c == '-' || c == '.') {
      if (i == 0) return true;
      continue;
    }
    if (c != ':') return true;
    if (i == 0) {
      reason = "missing protocol scheme";
      return false;
    }
    scheme = text.substr(0, i);
    std::transform(scheme.begin(), scheme.end(), scheme.begin(), [](unsigned char each) { return std::tolower(each); });
    rest = text.substr(i + 1);
    return true;
  }
  return true;
}

bool valid_port(std::string_view colon_port) {
  if (colon_port.empty()) return true;
  return colon_port[0] == ':' &&
         std::all_of(colon_port.begin() + 1, colon_port.end(), [](unsigned char c) { return std::isdigit(c) != 0; });
}

bool parse_authority(std::string_view authority, Parts& parts, std::string& reason) {
  const size_t at = authority.rfind('@');
  if (at != std::string_view::npos) {
    parts.user = authority.substr(0, at);
    authority.remove_prefix(at + 1);
  }
  std::string_view port;
  if (authority.starts_with('[')) {
    const size_t close = authority.rfind(']');
    if (close == std::string_view::npos) {
      reason = "missing ']' in host";
      return false;
    }
    port = authority.substr(close + 1);
  } else if (const size_t colon = authority.rfind(':'); colon != std::string_view::npos) {
    port = authority.substr(colon);
  }
  if (!valid_port(port)) {
    reason = "invalid port \"" + std::string(port) + "\" after host";
    return false;
  }
  for (const char c : authority) {
    if (c == ' ' || c == '<' || c == '>' || c == '"' || c == '\\' || c == '^' || c == '{' || c == '}' || c == '|') {
      reason = "invalid character \"" + std::string(1, c) + "\" in host name";
      return false;
    }
  }
  const auto host = unescape_text(authority, false);
  if (!host) {
    reason = "invalid URL escape \"" + std::string(authority.substr(authority.find('%'), 3)) + "\"";
    return false;
  }
  parts.host = *host;
  return true;
}

bool parse(std::string_view text, Parts& parts, std::string& reason) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
      reason = "net/url: invalid control character in URL";
      return false;
    }
  }
  if (text.empty()) {
    reason = "empty url";
    return false;
  }
  if (const size_t hash = text.find('#'); hash != std::string_view::npos) {
    parts.fragment = text.substr(hash + 1);
    text = text.substr(0, hash);
  }
  std::string_view rest;
  if (!split_scheme(text, parts.scheme, rest, reason)) return false;
  if (const size_t mark = rest.find('?'); mark != std::string_view::npos) {
    parts.query = rest.substr(mark + 1);
    rest = rest.substr(0, mark);
  }
  if (!rest.starts_with('/')) {
    if (!parts.scheme.empty()) return true;  // opaque: mailto:a@b
    reason = "invalid URI for request";
    return false;
  }
  if (rest.starts_with("//") && (!parts.scheme.empty() || !rest.starts_with("///"))) {
    const size_t slash = std::min(rest.find('/', 2), rest.size());
    // Compat: without a scheme, "//host" is a path for a request.
    if (!parts.scheme.empty()) {
      if (!parse_authority(rest.substr(2, slash - 2), parts, reason)) return false;
      rest = rest.substr(slash);
    }
  }
  if (!unescape_text(rest, false)) {
    reason = "invalid URL escape \"" + std::string(rest.substr(rest.find('%'), 3)) + "\"";
    return false;
  }
  parts.path = rest;
  return true;
}

Value url(CallContext& context, std::span<const Value> args) {
  Parts parts;
  std::string reason;
  const std::string text(args[0].text());
  if (parse(text, parts, reason)) return Value::of_opaque(context.arena.make<Url>(std::move(parts), text));
  return context.error("URL parse error during conversion from string: parse \"" + text + "\": " + reason);
}
Value is_url(CallContext&, std::span<const Value> args) {
  Parts parts;
  std::string reason;
  return Value::of_bool(parse(args[0].text(), parts, reason));
}

Value scheme(CallContext&, std::span<const Value> args) { return Value::of_string(of(args[0]).scheme); }
Value host(CallContext&, std::span<const Value> args) { return Value::of_string(of(args[0]).host); }

// The host without its port and brackets, and the port.
std::pair<std::string_view, std::string_view> split_host(std::string_view host) {
  const size_t colon = host.rfind(':');
  std::string_view name = host, port;
  if (colon != std::string_view::npos && valid_port(host.substr(colon))) {
    name = host.substr(0, colon);
    port = host.substr(colon + 1);
  }
  if (name.starts_with('[') && name.ends_with(']')) name = name.substr(1, name.size() - 2);
  return {name, port};
}
Value hostname(CallContext&, std::span<const Value> args) {
  return Value::of_string(split_host(of(args[0]).host).first);
}
Value port(CallContext&, std::span<const Value> args) { return Value::of_string(split_host(of(args[0]).host).second); }

Value escaped_path(CallContext& context, std::span<const Value> args) {
  std::string out;
  for (const char c : of(args[0]).path) {
    static constexpr std::string_view kPlain = "-_.~$&+,/:;=@!'()*%[]";
    if (std::isalnum(static_cast<unsigned char>(c)) || kPlain.find(c) != std::string_view::npos) {
      out += c;
    } else {
      static constexpr char kHex[] = "0123456789ABCDEF";
      out += {'%', kHex[static_cast<unsigned char>(c) >> 4], kHex[c & 15]};
    }
  }
  return context.string(out);
}

Value query(CallContext& context, std::span<const Value> args) {
  std::map<std::string, std::vector<Value>> values;
  std::string_view text = of(args[0]).query;
  while (!text.empty()) {
    const std::string_view pair = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(text.size(), pair.size() + 1));
    if (pair.empty() || pair.find(';') != std::string_view::npos) continue;
    const size_t equals = std::min(pair.find('='), pair.size());
    const auto key = unescape_text(pair.substr(0, equals), true);
    const auto value = unescape_text(equals < pair.size() ? pair.substr(equals + 1) : std::string_view(), true);
    if (key && value) values[*key].push_back(context.string(*value));
  }
  std::vector<MapEntry> entries;
  for (const auto& [key, list] : values) entries.push_back({context.string(key), make_list(context.arena, list)});
  return Value::of_map(make_map(context.arena, entries));
}

constexpr Declaration kUrl[] = {
    {"string_to_url", "url(string): kubernetes.URL", url},
    {"url_get_scheme", "kubernetes.URL.getScheme(): string", scheme},
    {"url_get_host", "kubernetes.URL.getHost(): string", host},
    {"url_get_hostname", "kubernetes.URL.getHostname(): string", hostname},
    {"url_get_port", "kubernetes.URL.getPort(): string", port},
    {"url_get_escaped_path", "kubernetes.URL.getEscapedPath(): string", escaped_path},
    {"url_get_query", "kubernetes.URL.getQuery(): map(string, list(string))", query},
    {"is_url_string", "isURL(string): bool", is_url},
};

}  // namespace

std::span<const Declaration> url_declarations() { return kUrl; }

}  // namespace cel
