#include "schema/custom_content.h"

#include <algorithm>
#include <vector>

#include "codec/json_text.h"
#include "object/json.h"

namespace schema {
namespace {

constexpr std::string_view kOwnNames[] = {"apiVersion", "kind", "metadata"};

bool is_own(std::string_view key) { return std::ranges::find(kOwnNames, key) != std::end(kOwnNames); }

// Past the string that begins at `at` (at its quote); npos when it does not end.
size_t skip_string(std::string_view text, size_t at) {
  for (++at; at < text.size(); ++at) {
    if (text[at] == '\\') {
      ++at;
    } else if (text[at] == '"') {
      return at + 1;
    }
  }
  return std::string_view::npos;
}

// Past the value that begins at `at`: to the comma or the end of the members around it.
size_t skip_value(std::string_view text, size_t at) {
  int depth = 0;
  while (at < text.size()) {
    switch (text[at]) {
      case '"':
        at = skip_string(text, at);
        if (at == std::string_view::npos) return at;
        continue;
      case '{':
      case '[':
        ++depth;
        break;
      case '}':
      case ']':
        --depth;
        break;
      case ',':
        if (depth == 0) return at;
        break;
      default:
        break;
    }
    ++at;
  }
  return depth == 0 ? at : std::string_view::npos;
}

std::string_view run(std::string_view members, size_t begin, size_t end) {
  if (begin == end) return {};
  std::string_view found = members.substr(begin, end - begin);
  if (found.ends_with(',')) found.remove_suffix(1);
  return found;
}

}  // namespace

bool split_content(std::string_view content, ContentRuns& runs) {
  runs = {};
  if (content.empty()) return true;
  if (content.size() < 2 || content.front() != '{' || content.back() != '}') return false;
  const std::string_view members = content.substr(1, content.size() - 2);
  if (members.empty()) return true;
  if (members.front() != '"') return false;
  // Most have spec and status only, which come last.
  if (members.substr(1) > kOwnNames[2]) {
    runs.rest = members;
    return true;
  }
  size_t cuts[3] = {members.size(), members.size(), members.size()};
  size_t at = 0;
  while (at < members.size()) {
    if (members[at] != '"') return false;
    const size_t key_end = skip_string(members, at);
    if (key_end == std::string_view::npos || key_end >= members.size() || members[key_end] != ':') return false;
    const std::string_view key = members.substr(at + 1, key_end - at - 2);
    for (size_t i = 0; i < 3; ++i) {
      if (key > kOwnNames[i]) cuts[i] = std::min(cuts[i], at);
    }
    if (key > kOwnNames[2]) break;
    at = skip_value(members, key_end + 1);
    if (at == std::string_view::npos) return false;
    ++at;
  }
  runs.before_version = run(members, 0, cuts[0]);
  runs.before_kind = run(members, cuts[0], cuts[1]);
  runs.before_metadata = run(members, cuts[1], cuts[2]);
  runs.rest = run(members, cuts[2], members.size());
  return true;
}

std::string content_of(const object::Object& object) {
  std::vector<const object::Member*> sorted;
  sorted.reserve(object.size());
  for (const object::Member& member : object) {
    if (!is_own(member.key)) sorted.push_back(&member);
  }
  if (sorted.empty()) return {};
  std::ranges::sort(sorted, {}, [](const object::Member* member) { return std::string_view(member->key); });
  std::string out;
  for (const object::Member* member : sorted) {
    out += out.empty() ? '{' : ',';
    codec::append_json_string(out, member->key);
    out += ':';
    object::append_json(out, member->value, object::KeyOrder::kSorted);
  }
  out += '}';
  return out;
}

object::Value content_tree(std::string_view content) {
  if (!content.empty()) {
    if (auto tree = object::parse_json(content); tree && tree->is_object()) return *std::move(tree);
  }
  return object::Object();
}

}  // namespace schema
