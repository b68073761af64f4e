// kubernetes.Semver: versions by semver 2.0.0, with an optional tolerant reading.
#include <algorithm>
#include <array>
#include <charconv>

#include "cel/libraries/libraries.h"

namespace cel {

namespace {

struct Parts {
  std::array<uint64_t, 3> numbers{};
  std::vector<std::string> pre;
  std::vector<std::string> build;
};

struct Semver : Opaque {
  explicit Semver(Parts p) : parts(std::move(p)) {}
  const Type* type() const override {
    static const Type kType{TypeKind::kOpaque, "kubernetes.Semver", {}};
    return &kType;
  }
  bool equals(const Opaque& other) const override;
  Parts parts;
};

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> out;
  for (;;) {
    const size_t at = text.find(separator);
    out.emplace_back(text.substr(0, at));
    if (at == std::string_view::npos) return out;
    text.remove_prefix(at + 1);
  }
}

bool is_number(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}
bool is_identifier(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
  });
}

bool parse_number(std::string_view text, std::string_view what, uint64_t& out, std::string& reason) {
  if (!is_number(text)) {
    reason = "Invalid character(s) found in " + std::string(what) + " number \"" + std::string(text) + "\"";
    return false;
  }
  if (text.size() > 1 && text[0] == '0') {
    reason = std::string(what == "major"   ? "Major"
                         : what == "minor" ? "Minor"
                                           : "Patch") +
             " number must not contain leading zeroes \"" + std::string(text) + "\"";
    return false;
  }
  return std::from_chars(text.data(), text.data() + text.size(), out).ec == std::errc();
}

bool parse_identifiers(std::string_view text, std::vector<std::string>& out, bool numbers_strict, std::string& reason) {
  for (std::string& each : split(text, '.')) {
    if (!is_identifier(each)) {
      reason = each.empty() ? "Prerelease is empty" : "Invalid character(s) found in prerelease \"" + each + "\"";
      return false;
    }
    if (numbers_strict && is_number(each) && each.size() > 1 && each[0] == '0') {
      reason = "Numeric PreRelease version must not contain leading zeroes \"" + each + "\"";
      return false;
    }
    out.push_back(std::move(each));
  }
  return true;
}

bool parse(std::string_view text, Parts& parts, std::string& reason) {
  if (text.empty()) {
    reason = "Version string empty";
    return false;
  }
  const size_t first = text.find('.');
  const size_t second = first == std::string_view::npos ? first : text.find('.', first + 1);
  if (second == std::string_view::npos) {
    reason = "No Major.Minor.Patch elements found";
    return false;
  }
  std::string_view rest = text.substr(second + 1), build, pre;
  bool has_build = false, has_pre = false;
  if (const size_t plus = rest.find('+'); plus != std::string_view::npos) {
    has_build = true;
    build = rest.substr(plus + 1);
    rest = rest.substr(0, plus);
  }
  if (const size_t dash = rest.find('-'); dash != std::string_view::npos) {
    has_pre = true;
    pre = rest.substr(dash + 1);
    rest = rest.substr(0, dash);
  }
  return parse_number(text.substr(0, first), "major", parts.numbers[0], reason) &&
         parse_number(text.substr(first + 1, second - first - 1), "minor", parts.numbers[1], reason) &&
         parse_number(rest, "patch", parts.numbers[2], reason) &&
         (!has_pre || parse_identifiers(pre, parts.pre, true, reason)) &&
         (!has_build || parse_identifiers(build, parts.build, false, reason));
}

// Drops a leading v and leading zeros, fills up what is missing.
bool normalize(std::string_view text, std::string& out, std::string& reason) {
  if (text.starts_with('v')) text.remove_prefix(1);
  std::vector<std::string> parts;
  while (parts.size() < 2 && text.find('.') != std::string_view::npos) {
    parts.emplace_back(text.substr(0, text.find('.')));
    text.remove_prefix(text.find('.') + 1);
  }
  parts.emplace_back(text);
  for (std::string& part : parts) {
    if (part.size() <= 1) continue;
    part.erase(0, std::min(part.find_first_not_of('0'), part.size()));
    if (part.empty() || part[0] < '0' || part[0] > '9') part.insert(0, "0");
  }
  if (parts.size() < 3 && parts.back().find_first_of("+-") != std::string::npos) {
    reason = "short version cannot contain PreRelease/Build meta data";
    return false;
  }
  while (parts.size() < 3) parts.emplace_back("0");
  out = parts[0] + '.' + parts[1] + '.' + parts[2];
  return true;
}

bool parse_arguments(std::span<const Value> args, Parts& parts, std::string& reason) {
  std::string text(args[0].text());
  if (args.size() == 2 && args[1].as_bool() && !normalize(args[0].text(), text, reason)) return false;
  return parse(text, parts, reason);
}

int compare_identifiers(const std::string& a, const std::string& b) {
  const bool left = is_number(a), right = is_number(b);
  if (left != right) return left ? -1 : 1;
  if (left && a.size() != b.size()) return a.size() < b.size() ? -1 : 1;
  const int order = a.compare(b);
  return order < 0 ? -1 : order > 0 ? 1 : 0;
}

int order(const Parts& a, const Parts& b) {
  if (a.numbers != b.numbers) return a.numbers < b.numbers ? -1 : 1;
  if (a.pre.empty() != b.pre.empty()) return a.pre.empty() ? 1 : -1;
  for (size_t i = 0; i < std::min(a.pre.size(), b.pre.size()); ++i) {
    if (const int each = compare_identifiers(a.pre[i], b.pre[i])) return each;
  }
  return a.pre.size() == b.pre.size() ? 0 : a.pre.size() < b.pre.size() ? -1 : 1;
}

bool Semver::equals(const Opaque& other) const { return order(parts, static_cast<const Semver&>(other).parts) == 0; }

const Parts& of(const Value& value) { return static_cast<const Semver*>(value.as_opaque())->parts; }

Value semver(CallContext& context, std::span<const Value> args) {
  Parts parts;
  std::string reason;
  if (!parse_arguments(args, parts, reason)) return context.error(reason);
  return Value::of_opaque(context.arena.make<Semver>(std::move(parts)));
}
Value is_semver(CallContext&, std::span<const Value> args) {
  Parts parts;
  std::string reason;
  return Value::of_bool(parse_arguments(args, parts, reason));
}
Value is_greater(CallContext&, std::span<const Value> args) {
  return Value::of_bool(order(of(args[0]), of(args[1])) > 0);
}
Value is_less(CallContext&, std::span<const Value> args) { return Value::of_bool(order(of(args[0]), of(args[1])) < 0); }
Value compare_to(CallContext&, std::span<const Value> args) { return Value::of_int(order(of(args[0]), of(args[1]))); }

template <size_t part>
Value number(CallContext&, std::span<const Value> args) {
  return Value::of_int(static_cast<int64_t>(of(args[0]).numbers[part]));
}

constexpr Declaration kSemver[] = {
    {"string_to_semver", "semver(string): kubernetes.Semver", semver},
    {"string_bool_to_semver", "semver(string, bool): kubernetes.Semver", semver},
    {"is_semver_string", "isSemver(string): bool", is_semver},
    {"is_semver_string_bool", "isSemver(string, bool): bool", is_semver},
    {"semver_is_greater_than", "kubernetes.Semver.isGreaterThan(kubernetes.Semver): bool", is_greater},
    {"semver_is_less_than", "kubernetes.Semver.isLessThan(kubernetes.Semver): bool", is_less},
    {"semver_compare_to", "kubernetes.Semver.compareTo(kubernetes.Semver): int", compare_to},
    {"semver_major", "kubernetes.Semver.major(): int", number<0>},
    {"semver_minor", "kubernetes.Semver.minor(): int", number<1>},
    {"semver_patch", "kubernetes.Semver.patch(): int", number<2>},
};

}  // namespace

std::span<const Declaration> semver_declarations() { return kSemver; }

}  // namespace cel
