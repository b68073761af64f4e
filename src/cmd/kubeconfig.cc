#include "cmd/kubeconfig.h"

#include <filesystem>
#include <fstream>
#include <iterator>

#include "object/value.h"
#include "object/yaml.h"
#include "pki/server_pki.h"

namespace cmd {
std::string make_kubeconfig(const KubeconfigEntry& entry) {
  object::Object config;
  client::put_kubeconfig_entry(config, entry);
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
  client::put_kubeconfig_entry(*config.object_if(), entry);
  return write_kubeconfig(path, object::to_yaml(config));
}

base::Result<void> write_kubeconfig(const std::string& path, const std::string& text) {
  std::error_code ignored;
  if (auto parent = std::filesystem::path(path).parent_path(); !parent.empty())
    std::filesystem::create_directories(parent, ignored);
  return pki::write_file_atomically(path, text, pki::FileMode::kPrivate);
}

}  // namespace cmd
