// The table of descriptions, embedded by the build (see CMakeLists.txt).
#include <map>

#include "apiserver/openapi/schemas.h"
#include "apiserver/openapi_descriptions.inc"

namespace apiserver::openapi {
namespace {

// "core.v1 Pod.spec" → text. Lines that are empty or begin with # are skipped.
std::map<std::string_view, std::string_view> parse(std::string_view text) {
  std::map<std::string_view, std::string_view> out;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    const size_t colon = line.find(": ");
    if (line.starts_with('#') || colon == std::string_view::npos) continue;
    out.emplace(line.substr(0, colon), line.substr(colon + 2));
  }
  return out;
}

}  // namespace

std::string_view description(std::string_view package, std::string_view name) {
  static const std::map<std::string_view, std::string_view> kTable = parse(kDescriptions);
  auto found = kTable.find(std::string(package) + " " + std::string(name));
  return found == kTable.end() ? std::string_view() : found->second;
}

}  // namespace apiserver::openapi
