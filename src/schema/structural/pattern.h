// A regular expression of a schema, compiled when it is first used. Expressions are Go's; RE2 reads the same language
// but for named groups written `(?<name>…)`. Thread: any; two that race compile twice and keep one.
#pragma once

#include <atomic>
#include <string>
#include <string_view>

namespace re2 {
class RE2;
}

namespace schema {

class Pattern {
 public:
  explicit Pattern(std::string text) : text_(std::move(text)) {}
  ~Pattern();
  Pattern(const Pattern&) = delete;
  Pattern& operator=(const Pattern&) = delete;

  const std::string& text() const { return text_; }
  // Does it match anywhere in the value?
  bool matches(std::string_view value) const;
  // What Go's regexp says of a malformed expression ("error parsing regexp: missing closing ): `(`"), else "".
  std::string error() const;

 private:
  const re2::RE2& compiled() const;
  std::string text_;
  mutable std::atomic<const re2::RE2*> compiled_{nullptr};
};

}  // namespace schema
