#include "apiserver/crd/versions.h"

#include <charconv>
#include <optional>
#include <tuple>

namespace apiserver {
namespace {

enum class Stability : uint8_t { kAlpha, kBeta, kStable };

struct KubeVersion {
  Stability stability = Stability::kStable;
  int major = 0;
  int minor = 0;  // of "beta1"
  auto rank() const { return std::tuple(stability, major, minor); }
};

bool take_number(std::string_view& text, int& number) {
  if (text.empty() || text[0] < '1' || text[0] > '9') return false;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return false;
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  return true;
}

std::optional<KubeVersion> parse(std::string_view text) {
  KubeVersion version;
  if (!text.starts_with('v')) return std::nullopt;
  text.remove_prefix(1);
  if (!take_number(text, version.major)) return std::nullopt;
  if (text.empty()) return version;
  if (text.starts_with("alpha")) {
    version.stability = Stability::kAlpha;
    text.remove_prefix(5);
  } else if (text.starts_with("beta")) {
    version.stability = Stability::kBeta;
    text.remove_prefix(4);
  } else {
    return std::nullopt;
  }
  if (!take_number(text, version.minor) || !text.empty()) return std::nullopt;
  return version;
}

}  // namespace

bool version_precedes(std::string_view a, std::string_view b) {
  const auto left = parse(a), right = parse(b);
  if (left && right) return left->rank() > right->rank();
  if (left || right) return left.has_value();
  return a < b;
}

}  // namespace apiserver
