#include "cel/issues.h"

#include <algorithm>
#include <tuple>

#include "cel/limits.h"

namespace cel {

namespace {
constexpr size_t kMaxSnippet = 16384;  // Compat: longer lines are not shown

size_t sequence_length(unsigned char lead) { return lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4; }
}  // namespace

void Issues::add(uint32_t position, std::string message) {
  if (++count_ > kMaxReportedErrors) return;
  Issue issue{1, 0, std::move(message)};
  for (size_t i = 0; i < std::min<size_t>(position, source_.size()); ++i) {
    const unsigned char c = static_cast<unsigned char>(source_[i]);
    if (c == '\n') {
      ++issue.line;
      issue.column = 0;
    } else if ((c & 0xC0) != 0x80) {
      ++issue.column;
    }
  }
  issues_.push_back(std::move(issue));
}

void Issues::append(std::string& out, const Issue& issue) const {
  out += "ERROR: <input>:" + std::to_string(issue.line) + ':' + std::to_string(issue.column + 1) + ": " + issue.message;
  size_t start = 0;
  for (uint32_t line = 1; line < issue.line; ++line) start = source_.find('\n', start) + 1;
  std::string snippet(source_.substr(start, source_.find('\n', start) - start));
  if (snippet.size() > kMaxSnippet) return;
  std::replace(snippet.begin(), snippet.end(), '\t', ' ');
  out += "\n | " + snippet + "\n | ";
  size_t at = 0;
  const auto wide = [&] { return at < snippet.size() && sequence_length(static_cast<unsigned char>(snippet[at])) > 1; };
  for (uint32_t i = 0; i < issue.column && at < snippet.size(); ++i) {
    out += wide() ? "\uff0e" : ".";
    at += sequence_length(static_cast<unsigned char>(snippet[at]));
  }
  out += wide() ? "\uff3e" : "^";
}

std::string Issues::display() const {
  std::vector<const Issue*> sorted;
  for (const Issue& issue : issues_) sorted.push_back(&issue);
  std::sort(sorted.begin(), sorted.end(), [](const Issue* a, const Issue* b) {
    return std::tie(a->line, a->column, a) < std::tie(b->line, b->column, b);
  });
  std::string out;
  for (const Issue* issue : sorted) {
    if (!out.empty()) out += '\n';
    append(out, *issue);
  }
  if (count_ > issues_.size()) out += '\n' + std::to_string(count_ - issues_.size()) + " more errors were truncated";
  return out;
}

}  // namespace cel
