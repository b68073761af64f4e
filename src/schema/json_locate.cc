#include "schema/json_locate.h"

#include "object/json.h"

namespace schema::internal {
namespace {

// A cursor that trusts the text to be JSON but never reads past it.
class Scanner {
 public:
  explicit Scanner(std::string_view json) : json_(json) {}

  char peek() {
    while (at_ < json_.size() && std::string_view(" \t\r\n").contains(json_[at_])) ++at_;
    return at_ < json_.size() ? json_[at_] : '\0';
  }
  bool take(char c) {
    if (peek() != c) return false;
    ++at_;
    return true;
  }
  // Of a string: with its quotes.
  std::string_view value() {
    peek();
    size_t start = at_;
    int depth = 0;
    do {
      char c = peek();
      if (c == '\0') break;
      if (c == '"') {
        string();
      } else if (c == '{' || c == '[') {
        ++depth;
        ++at_;
      } else if (c == '}' || c == ']') {
        --depth;
        ++at_;
      } else if (depth > 0 && (c == ',' || c == ':')) {
        ++at_;
      } else {
        word();
      }
    } while (depth > 0);
    return json_.substr(start, at_ - start);
  }

 private:
  void string() {
    for (++at_; at_ < json_.size() && json_[at_] != '"'; ++at_) {
      if (json_[at_] == '\\') ++at_;
    }
    at_ = at_ < json_.size() ? at_ + 1 : json_.size();
  }
  void word() {
    size_t end = json_.find_first_of(" \t\r\n,:]}", at_);
    at_ = end == std::string_view::npos ? json_.size() : end > at_ ? end : at_ + 1;
  }

  std::string_view json_;
  size_t at_ = 0;
};

// `quoted` is a JSON string.
bool names(std::string_view quoted, std::string_view key) {
  if (!quoted.contains('\\')) return quoted.size() == key.size() + 2 && quoted.substr(1, key.size()) == key;
  auto parsed = object::parse_json(quoted);
  return parsed && parsed->is_string() && *parsed->string_if() == key;
}

std::string_view locate_member(std::string_view json, std::string_view key) {
  Scanner scanner(json);
  std::string_view found;
  if (!scanner.take('{')) return {};
  while (scanner.peek() == '"') {
    std::string_view name = scanner.value();
    if (!scanner.take(':')) return {};
    std::string_view value = scanner.value();
    if (names(name, key)) found = value;
    if (!scanner.take(',')) break;
  }
  return found;
}

std::string_view locate_element(std::string_view json, size_t index) {
  Scanner scanner(json);
  if (!scanner.take('[')) return {};
  for (size_t i = 0; scanner.peek() != ']' && scanner.peek() != '\0'; ++i) {
    std::string_view value = scanner.value();
    if (i == index) return value;
    if (!scanner.take(',')) break;
  }
  return {};
}
}  // namespace

std::string_view locate_json(std::string_view json, std::span<const JsonStep> path) {
  for (const JsonStep& step : path) {
    json = step.key.data() ? locate_member(json, step.key) : locate_element(json, step.index);
    if (json.empty()) return {};
  }
  return json;
}

}  // namespace schema::internal
