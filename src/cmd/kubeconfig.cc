#include "cmd/kubeconfig.h"

#include <filesystem>
#include <fstream>
#include <iterator>

#include "codec/base64.h"
#include "object/value.h"
#include "object/yaml.h"
#include "pki/server_pki.h"

namespace cmd {
namespace {

object::Value named(const std::string& name, std::string_view what, object::Object content) {
  object::Object entry;
  entry.append("name", name);
  entry.append(std::string(what), std::move(content));
  return entry;
}

// Replaces the list's entry of that name, or adds it.
void put(object::Object& config, std::string_view list, const std::string& name, object::Value entry) {
  object::Value& value = config[list];
  if (!value.is_array()) value = object::Array();
  for (object::Value& item : *value.array_if()) {
    if (item.string_at({"name"}) == name) {
      item = std::move(entry);
      return;
    }
  }
  value.array_if()->push_back(std::move(entry));
}

void put_entry(object::Object& config, const KubeconfigEntry& entry) {
  config.set("apiVersion", "v1");
  config.set("kind", "Config");
  object::Object cluster, user, context;
  cluster.append("server", entry.server);
  cluster.append("certificate-authority-data", codec::base64(entry.ca_pem));
  user.append("client-certificate-data", codec::base64(entry.client_certificate_pem));
  user.append("client-key-data", codec::base64(entry.client_key_pem));
  context.append("cluster", entry.name);
  context.append("user", entry.name);
  put(config, "clusters", entry.name, named(entry.name, "cluster", std::move(cluster)));
  put(config, "users", entry.name, named(entry.name, "user", std::move(user)));
  put(config, "contexts", entry.name, named(entry.name, "context", std::move(context)));
  config.set("current-context", entry.name);
}

}  // namespace

std::string make_kubeconfig(const KubeconfigEntry& entry) {
  object::Object config;
  put_entry(config, entry);
  return object::to_yaml(object::Value(std::move(config)));
}

base::Result<void> merge_kubeconfig(const std::string& path, const KubeconfigEntry& entry) {
  object::Value config{object::Object()};
  if (std::filesystem::exists(path)) {
    std::ifstream file(path, std::ios::binary);
    const std::string text(std::istreambuf_iterator<char>(file), {});
    TRY_ASSIGN(config, object::parse_yaml(text));
    if (config.is_null()) config = object::Object();
    if (!config.is_object()) return base::fail(base::Reason::kInvalid, path + " is no kubeconfig: it is left as it is");
  }
  put_entry(*config.object_if(), entry);
  return write_kubeconfig(path, object::to_yaml(config));
}

base::Result<void> write_kubeconfig(const std::string& path, const std::string& text) {
  std::error_code ignored;
  if (auto parent = std::filesystem::path(path).parent_path(); !parent.empty())
    std::filesystem::create_directories(parent, ignored);
  return pki::write_file_atomically(path, text, pki::FileMode::kPrivate);
}

}  // namespace cmd
