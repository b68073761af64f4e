// Paths: what is served outside of resources: health, version, discovery, OpenAPI, metrics. Filled before the server
// starts, then immutable. Thread: handlers run on a loop and must not block.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "apiserver/context.h"

namespace apiserver {

using PathHandler = std::function<void(RequestContext& context)>;

class Paths {
 public:
  // The path itself, with or without a slash at its end.
  void add(std::string path, PathHandler handler);
  // Everything below: "/healthz/" serves /healthz/ping.
  void add_prefix(std::string prefix, PathHandler handler);
  // Null when nothing is served there.
  const PathHandler* find(std::string_view path) const;
  std::vector<std::string> listed() const;

 private:
  std::map<std::string, PathHandler, std::less<>> exact_;
  std::map<std::string, PathHandler, std::less<>> prefixes_;
};

}  // namespace apiserver
