#include "apiserver/paths.h"

namespace apiserver {

void Paths::add(std::string path, PathHandler handler) { exact_[std::move(path)] = std::move(handler); }
void Paths::add_prefix(std::string prefix, PathHandler handler) { prefixes_[std::move(prefix)] = std::move(handler); }

const PathHandler* Paths::find(std::string_view path) const {
  if (auto found = exact_.find(path); found != exact_.end()) return &found->second;
  if (path.size() > 1 && path.back() == '/') {
    if (auto found = exact_.find(path.substr(0, path.size() - 1)); found != exact_.end()) return &found->second;
  }
  const PathHandler* best = nullptr;
  size_t length = 0;
  for (const auto& [prefix, handler] : prefixes_) {
    if (path.starts_with(prefix) && prefix.size() > length) {
      best = &handler;
      length = prefix.size();
    }
  }
  return best;
}

std::vector<std::string> Paths::listed() const {
  std::vector<std::string> paths;
  for (const auto& [path, handler] : exact_) paths.push_back(path);
  return paths;
}

}  // namespace apiserver
