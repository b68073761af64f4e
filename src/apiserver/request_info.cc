#include "apiserver/request_info.h"

#include <algorithm>

#include "net/http.h"

namespace apiserver {
namespace {

int hex(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string decode(std::string_view text, bool plus_is_space) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && hex(text[i + 1]) >= 0 && hex(text[i + 2]) >= 0) {
      out += static_cast<char>(hex(text[i + 1]) * 16 + hex(text[i + 2]));
      i += 2;
    } else {
      out += plus_is_space && text[i] == '+' ? ' ' : text[i];
    }
  }
  return out;
}

// Compat: slashes at the ends do not count; two in a row have an empty part between them.
std::vector<std::string> split_path(std::string_view path) {
  while (path.starts_with('/')) path.remove_prefix(1);
  while (path.ends_with('/')) path.remove_suffix(1);
  std::vector<std::string> parts;
  while (!path.empty()) {
    const size_t slash = std::min(path.find('/'), path.size());
    parts.emplace_back(path.substr(0, slash));
    path.remove_prefix(std::min(slash + 1, path.size()));
  }
  return parts;
}

std::string verb_of(std::string_view method) {
  if (method == "POST") return "create";
  if (method == "GET") return "get";
  if (method == "PUT") return "update";
  if (method == "PATCH") return "patch";
  if (method == "DELETE") return "delete";
  return "";
}

// Compat: upstream's query conversion: "false" in any case and "0" are false; anything else that is there is true.
bool is_set(const Query& query, std::string_view name) {
  if (!query.has(name)) return false;
  const std::string_view text = query.get(name);
  return text != "0" && !net::equal_ignore_case(text, "false");
}

// Compat: these subresources of a namespace stand where a resource name would.
bool is_namespace_subresource(std::string_view part) { return part == "status" || part == "finalize"; }

void finish_verb(RequestInfo& info, const Query& query) {
  if (!info.name.empty() || !info.subresource.empty()) {
    // Compat: a GET of one object with ?watch=true is a get all the same, unless it is a collection.
    return;
  }
  if (info.verb == "get") {
    info.verb = is_set(query, "watch") ? "watch" : "list";
    // Compat: a list or watch of metadata.name=x is authorized and limited as one of that name.
    constexpr std::string_view kByName = "metadata.name=";
    std::string_view selector = query.get("fieldSelector");
    if (selector.starts_with(kByName) && selector.find(',') == std::string_view::npos) {
      info.name = selector.substr(kByName.size());
    }
  } else if (info.verb == "delete") {
    info.verb = "deletecollection";
  }
}

}  // namespace

std::string percent_decode(std::string_view text) { return decode(text, false); }

Query::Query(std::string_view raw) {
  size_t at = 0;
  while (at < raw.size()) {
    size_t end = raw.find('&', at);
    if (end == std::string_view::npos) end = raw.size();
    std::string_view pair = raw.substr(at, end - at);
    at = end + 1;
    if (pair.empty() || pair.find(';') != std::string_view::npos) continue;  // Compat: Go refuses ';' in queries
    const size_t equal = pair.find('=');
    std::string_view value = equal == std::string_view::npos ? std::string_view() : pair.substr(equal + 1);
    values_.emplace_back(decode(pair.substr(0, equal), true), decode(value, true));
  }
}

std::string_view Query::get(std::string_view name) const {
  auto found = std::ranges::find(values_, name, [](const auto& pair) -> std::string_view { return pair.first; });
  return found == values_.end() ? std::string_view() : std::string_view(found->second);
}
bool Query::has(std::string_view name) const {
  return std::ranges::any_of(values_, [&](const auto& pair) { return pair.first == name; });
}
std::vector<std::string_view> Query::all(std::string_view name) const {
  std::vector<std::string_view> result;
  for (const auto& [key, value] : values_) {
    if (key == name) result.emplace_back(value);
  }
  return result;
}
void Query::set(std::string_view name, std::string value) { values_.emplace_back(std::string(name), std::move(value)); }

RequestInfo parse_request(std::string_view method, std::string_view path, const Query& query) {
  RequestInfo info;
  info.path = percent_decode(path);
  info.verb = method;
  std::ranges::transform(info.verb, info.verb.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; });
  std::vector<std::string> parts = split_path(info.path);  // Compat: an encoded slash is a slash
  size_t at = 0;
  if (parts.size() >= 3 && parts[0] == "api") {
    info.version = parts[1];
    at = 2;
  } else if (parts.size() >= 4 && parts[0] == "apis") {
    info.group = parts[1];
    info.version = parts[2];
    at = 3;
  } else {
    return info;
  }
  info.is_resource = true;
  info.verb = verb_of(method);
  // Compat: /api/v1/watch/… is the old form of ?watch=1.
  bool old_watch = false;
  if (parts[at] == "watch" && parts.size() > at + 1) {
    old_watch = true;
    ++at;
  }
  // … and /api/v1/proxy/… of the proxy subresource; nothing is there any more.
  if (parts[at] == "proxy" && parts.size() > at + 1) {
    info.verb = "proxy";
    info.resource = parts[at + 1];
    return info;
  }
  if (parts[at] == "namespaces" && parts.size() > at + 1) {
    info.ns = parts[at + 1];
    if (parts.size() > at + 2 && !is_namespace_subresource(parts[at + 2])) at += 2;
  }
  if (at < parts.size()) info.resource = parts[at];
  if (at + 1 < parts.size()) info.name = parts[at + 1];
  if (at + 2 < parts.size()) info.subresource = parts[at + 2];
  for (size_t i = at + 3; i < parts.size(); ++i) info.rest.push_back(parts[i]);
  if (info.resource == "namespaces") info.ns = info.name;
  finish_verb(info, query);
  if (old_watch && (info.verb == "get" || info.verb == "list")) info.verb = "watch";
  return info;
}

}  // namespace apiserver
