#include "api/shared/cells.h"

namespace api {

std::string join(const std::vector<std::string>& parts, std::string_view separator) {
  std::string text;
  for (size_t i = 0; i < parts.size(); ++i) {
    if (i > 0) text += separator;
    text += parts[i];
  }
  return text;
}

std::string join_some(const std::vector<std::string>& parts, size_t most, std::string_view empty) {
  if (parts.empty()) return std::string(empty);
  if (parts.size() <= most) return join(parts, ",");
  return join({parts.begin(), parts.begin() + static_cast<std::ptrdiff_t>(most)}, ",") + " + " +
         std::to_string(parts.size() - most) + " more...";
}

std::string or_text(std::string_view text, std::string_view when_empty) {
  return std::string(text.empty() ? when_empty : text);
}

}  // namespace api
