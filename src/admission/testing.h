// For the tests of this folder: objects from JSON, a Lookup that holds them, and requests put through plugins.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "admission/admission.h"

namespace admission::testing {

// The struct of a JSON text; a malformed text is a CHECK.
api::AnyObject make(const schema::Message& message, std::string_view json);
std::string raw_of(const schema::Message& message, std::string_view json);

class World final : public Lookup {
 public:
  // `type`: "core.v1 Pod". Name and namespace come from the object. Returns itself, for chains.
  World& put(std::string_view type, std::string_view group, std::string_view resource, std::string_view json);
  World& ns(std::string_view name, std::string_view labels = "{}", std::string_view phase = "Active");

  std::optional<std::string> get(std::string_view group, std::string_view resource, std::string_view ns,
                                 std::string_view name) const override;
  void each(std::string_view group, std::string_view resource, std::string_view ns,
            const std::function<void(std::string_view name, std::string_view raw)>& visit) const override;

  mutable int namespace_reads = 0;

 private:
  std::map<std::string, std::string> objects_;  // "group/resource/namespace/name" → message
};

// One request for one object, and what came of it.
class Request {
 public:
  // `resource`: "apps/deployments", "pods", "pods/resize". `old` "" = none.
  Request(Operation operation, std::string_view resource, std::string_view type, std::string_view ns,
          std::string_view json, std::string_view old = "");
  Request(const Request&) = delete;

  // "" or the message of the refusal.
  std::string admit(Plugin& plugin, const World& world);
  std::string validate(Plugin& plugin, const World& world);
  // Both, as the server does.
  std::string run(Plugin& plugin, const World& world);

  // The object as JSON.
  std::string json() const;
  // The JSON of one of its members: "spec.tolerations"; "" when it is not there.
  std::string at(std::string_view path) const;

  Attributes attributes;
  std::vector<std::string> warnings;
  base::Error error;  // of the last refusal

 private:
  std::string keep(base::Result<void> result);
  std::string group_, resource_, subresource_;
  api::AnyObject object_, old_;
};

}  // namespace admission::testing
