#include "api/core/image_name.h"

#include <algorithm>

namespace api {
namespace {

bool lower_or_digit(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }
bool letter_or_digit(char c) { return lower_or_digit(c) || (c >= 'A' && c <= 'Z'); }
bool hex(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }

// Runs of lower-case letters and digits, joined by ".", "_", "__" or any number of "-".
bool valid_path_component(std::string_view text) {
  if (text.empty() || !lower_or_digit(text.front()) || !lower_or_digit(text.back())) return false;
  for (size_t i = 0; i < text.size();) {
    if (lower_or_digit(text[i])) {
      ++i;
      continue;
    }
    const char separator = text[i];
    size_t run = 0;
    while (i < text.size() && text[i] == separator) ++i, ++run;
    if (separator != '.' && separator != '_' && separator != '-') return false;
    if ((separator == '.' && run > 1) || (separator == '_' && run > 2)) return false;
    if (!lower_or_digit(text[i])) return false;
  }
  return true;
}

bool valid_domain(std::string_view text) {
  if (text.starts_with('[')) return text.find(']') != std::string_view::npos;
  if (const size_t colon = text.find(':'); colon != std::string_view::npos) {
    const std::string_view port = text.substr(colon + 1);
    if (port.empty() || !std::ranges::all_of(port, [](char c) { return c >= '0' && c <= '9'; })) return false;
    text = text.substr(0, colon);
  }
  while (!text.empty()) {
    const size_t dot = std::min(text.find('.'), text.size());
    const std::string_view label = text.substr(0, dot);
    if (label.empty() || !letter_or_digit(label.front()) || !letter_or_digit(label.back())) return false;
    if (!std::ranges::all_of(label, [](char c) { return letter_or_digit(c) || c == '-'; })) return false;
    if (dot + 1 == text.size()) return false;
    text = dot == text.size() ? "" : text.substr(dot + 1);
  }
  return true;
}

bool valid_name(std::string_view name) {
  constexpr size_t kMaxName = 255;
  if (name.empty() || name.size() > kMaxName) return false;
  // 64 hexadecimal digits are an image id, not a name.
  if (name.size() == 64 && std::ranges::all_of(name, hex)) return false;
  const size_t slash = name.find('/');
  if (slash != std::string_view::npos) {
    const std::string_view first = name.substr(0, slash);
    const bool upper = std::ranges::any_of(first, [](char c) { return c >= 'A' && c <= 'Z'; });
    if (first.find_first_of(".:") != std::string_view::npos || first == "localhost" || upper) {
      if (!valid_domain(first)) return false;
      name.remove_prefix(slash + 1);
    }
  }
  for (;;) {
    const size_t end = name.find('/');
    if (!valid_path_component(name.substr(0, end))) return false;
    if (end == std::string_view::npos) return true;
    name.remove_prefix(end + 1);
  }
}

bool valid_tag(std::string_view tag) {
  if (tag.empty() || tag.size() > 128) return false;
  if (!letter_or_digit(tag.front()) && tag.front() != '_') return false;
  return std::ranges::all_of(tag, [](char c) { return letter_or_digit(c) || c == '_' || c == '.' || c == '-'; });
}

bool valid_digest(std::string_view digest) {
  const size_t colon = digest.find(':');
  if (colon == std::string_view::npos) return false;
  const std::string_view algorithm = digest.substr(0, colon), value = digest.substr(colon + 1);
  const size_t digits = algorithm == "sha256" ? 64 : algorithm == "sha384" ? 96 : algorithm == "sha512" ? 128 : 0;
  return digits > 0 && value.size() == digits && std::ranges::all_of(value, hex);
}

}  // namespace

bool image_is_latest(std::string_view image) {
  bool has_digest = false;
  if (const size_t at = image.find('@'); at != std::string_view::npos) {
    if (!valid_digest(image.substr(at + 1))) return false;
    has_digest = true;
    image = image.substr(0, at);
  }
  std::string_view tag;
  const size_t slash = image.rfind('/');
  const size_t colon = image.rfind(':');
  if (colon != std::string_view::npos && (slash == std::string_view::npos || colon > slash)) {
    tag = image.substr(colon + 1);
    if (!valid_tag(tag)) return false;
    image = image.substr(0, colon);
  }
  if (!valid_name(image)) return false;
  return tag.empty() ? !has_digest : tag == "latest";
}

}  // namespace api
