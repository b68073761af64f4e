// Admission: plugins that may change (admit) or refuse (validate) a write after authorization and before storage. The
// order is catalogue.cc's. Plugins are stateless but for what they read through Lookup.
// Thread: any; must not block (webhooks come with lanes of their own).
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/rules.h"
#include "base/clock.h"
#include "base/result.h"

namespace admission {

class Lookup;

enum class Operation : uint8_t { kCreate, kUpdate, kDelete, kConnect };
enum class DryRun : uint8_t { kNo, kYes };

// One write on its way to storage.
struct Attributes {
  Operation operation = Operation::kCreate;
  std::string_view group, version, resource, subresource, kind;  // as requested
  std::string ns;
  std::string name;  // "" on create with generateName
  // The object in its stored struct; null on delete and for bodies without a struct. Plugins change it in admit().
  api::AnyObject* object = nullptr;
  const api::AnyObject* old = nullptr;  // on update and delete
  // For create of a subresource (binding, eviction, token): the body, and its table.
  const void* body = nullptr;
  const schema::Message* body_message = nullptr;
  std::string user_name, user_uid;
  std::vector<std::string> user_groups;
  DryRun dry_run = DryRun::kNo;
  base::WallTime now;
  std::vector<std::string>* warnings = nullptr;

  // The stored Namespace `ns`, read once a request; null when there is none.
  const std::string* namespace_raw(const Lookup& lookup) const;

  bool is(std::string_view g, std::string_view r, std::string_view sub = "") const {
    return group == g && resource == r && subresource == sub;
  }

 private:
  mutable bool namespace_read_ = false;
  mutable std::optional<std::string> namespace_;
};

// The newest objects, for plugins. Reads memory only.
class Lookup {
 public:
  virtual ~Lookup() = default;
  // The message's protobuf, or nothing. `resource` is the plural of the stored version.
  virtual std::optional<std::string> get(std::string_view group, std::string_view resource, std::string_view ns,
                                         std::string_view name) const = 0;
  // Every object of the resource in the namespace ("" = all), in key order.
  virtual void each(std::string_view group, std::string_view resource, std::string_view ns,
                    const std::function<void(std::string_view name, std::string_view raw)>& visit) const = 0;
};

class Plugin {
 public:
  virtual ~Plugin() = default;
  virtual std::string_view name() const = 0;  // upstream's, e.g. "NamespaceLifecycle"
  virtual base::Result<void> admit(Attributes&, const Lookup&) { return {}; }
  virtual base::Result<void> validate(const Attributes&, const Lookup&) { return {}; }
  // The create of this object has ended: it is visible, or will never be.
  virtual void create_ended(std::string_view /*uid*/) {}
};

// Copies share the plugins.
class Chain {
 public:
  explicit Chain(std::vector<std::unique_ptr<Plugin>> plugins)
      : plugins_(std::make_shared<const std::vector<std::unique_ptr<Plugin>>>(std::move(plugins))) {}
  base::Result<void> admit(Attributes& attributes, const Lookup& lookup) const {
    for (const auto& plugin : *plugins_) TRY(plugin->admit(attributes, lookup));
    return {};
  }
  base::Result<void> validate(const Attributes& attributes, const Lookup& lookup) const {
    for (const auto& plugin : *plugins_) TRY(plugin->validate(attributes, lookup));
    return {};
  }
  // To be called once for each object that was validated as a create, whatever came of it.
  void create_ended(std::string_view uid) const {
    for (const auto& plugin : *plugins_) plugin->create_ended(uid);
  }

 private:
  std::shared_ptr<const std::vector<std::unique_ptr<Plugin>>> plugins_;
};

// Upstream's default plugins in upstream's order; see catalogue.cc.
std::vector<std::unique_ptr<Plugin>> default_plugins();

// --enable-admission-plugins and --disable-admission-plugins: upstream's names of plugins.
struct PluginChoice {
  std::vector<std::string> enable, disable;
};
// The default ones without those disabled. kInvalid names a plugin that upstream does not have, or that is in both
// lists. Logs each enabled one that Keelson does not have.
base::Result<std::vector<std::unique_ptr<Plugin>>> choose_plugins(const PluginChoice& choice);

}  // namespace admission
