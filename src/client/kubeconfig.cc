#include "client/kubeconfig.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <system_error>

#include "codec/base64.h"
#include "object/yaml.h"

namespace client {
namespace {

using base::Reason;
using object::Value;

constexpr const char* kServiceAccount = "/var/run/secrets/kubernetes.io/serviceaccount/";

std::unexpected<base::Error> invalid(const std::string& what) {
  return base::fail(Reason::kInvalid, "invalid configuration: " + what);
}

// The content of the list's entry of that name.
base::Result<const Value*> entry_of(const Value& config, std::string_view list, std::string_view what,
                                    std::string_view name) {
  const Value* entries = config.find(list);
  if (entries && entries->array_if()) {
    for (const Value& entry : *entries->array_if()) {
      if (entry.string_at({"name"}) != name) continue;
      static const Value kEmpty{object::Object()};
      const Value* content = entry.find(what);
      return content && content->is_object() ? content : &kEmpty;
    }
  }
  return invalid(std::string(what) + " \"" + std::string(name) + "\" does not exist");
}

// "<member>-data" in base64, or the file that "<member>" names; inline wins. "" when there is neither.
base::Result<std::string> data_or_file(const Value& from, const std::string& member, const FileReader& files) {
  if (const std::string_view inline_data = from.string_at({member + "-data"}); !inline_data.empty()) {
    auto data = codec::parse_base64(inline_data);
    if (!data) return invalid(member + "-data is no base64");
    return *std::move(data);
  }
  const std::string path(from.string_at({member}));
  if (path.empty()) return std::string();
  return files(path);
}

std::string trimmed(std::string text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back()))) text.pop_back();
  return text;
}

base::Result<Credentials> read_credentials(const Value& user, const FileReader& files) {
  Credentials credentials;
  TRY_ASSIGN(credentials.certificate_chain_pem, data_or_file(user, "client-certificate", files));
  TRY_ASSIGN(credentials.private_key_pem, data_or_file(user, "client-key", files));
  if (credentials.certificate_chain_pem.empty() != credentials.private_key_pem.empty())
    return invalid("client-certificate and client-key come together");
  // Compat: a token file wins over a token, so that it can be rotated.
  if (const std::string path(user.string_at({"tokenFile"})); !path.empty()) {
    TRY_ASSIGN(std::string token, files(path));
    credentials.bearer_token = trimmed(std::move(token));
  } else {
    credentials.bearer_token = user.string_at({"token"});
  }
  return credentials;
}

base::Result<void> check_user(const Value& user, std::string_view name) {
  for (const char* member : {"exec", "auth-provider", "username", "password", "as", "as-uid", "as-groups"}) {
    const Value* found = user.find(member);
    if (!found || found->is_null() || (found->string_if() && found->string_if()->empty())) continue;
    return invalid("user \"" + std::string(name) + "\": " + member +
                   " is not supported here; use a client certificate, token or tokenFile");
  }
  return {};
}

bool uses_files(const Value& user) {
  for (const char* member : {"client-certificate", "client-key", "tokenFile"}) {
    if (!user.string_at({member}).empty()) return true;
  }
  return false;
}

base::Result<void> read_cluster(const Value& cluster, std::string_view name, const FileReader& files,
                                Kubeconfig& config) {
  config.server = cluster.string_at({"server"});
  if (config.server.empty()) return invalid("cluster \"" + std::string(name) + "\" has no server");
  if (!cluster.string_at({"proxy-url"}).empty())
    return invalid("cluster \"" + std::string(name) + "\": proxy-url is not supported here");
  net::ClientTlsOptions& tls = config.options.connection.tls;
  TRY_ASSIGN(tls.ca_pem, data_or_file(cluster, "certificate-authority", files));
  tls.server_name = cluster.string_at({"tls-server-name"});
  const Value* insecure = cluster.find("insecure-skip-tls-verify");
  if (insecure && insecure->bool_if() && *insecure->bool_if()) tls.verification = net::ServerVerification::kInsecure;
  config.options.connection.url = config.server;
  return {};
}

base::Result<std::string> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return base::fail(Reason::kInvalid, "cannot read " + path + ": " + std::generic_category().message(errno));
  return std::string(std::istreambuf_iterator<char>(file), {});
}

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

}  // namespace

base::Result<Kubeconfig> read_kubeconfig(std::string_view yaml, std::string_view context, const FileReader& files) {
  TRY_ASSIGN(const Value config, object::parse_yaml(yaml));
  const std::string name(context.empty() ? config.string_at({"current-context"}) : context);
  if (name.empty()) return invalid("no context is named, and there is no current-context");
  TRY_ASSIGN(const Value* chosen, entry_of(config, "contexts", "context", name));
  const std::string_view cluster_name = chosen->string_at({"cluster"});
  const std::string_view user_name = chosen->string_at({"user"});
  TRY_ASSIGN(const Value* cluster, entry_of(config, "clusters", "cluster", cluster_name));
  Kubeconfig result;
  result.ns = chosen->string_at({"namespace"});
  TRY(read_cluster(*cluster, cluster_name, files, result));
  if (user_name.empty()) return result;
  TRY_ASSIGN(const Value* user, entry_of(config, "users", "user", user_name));
  TRY(check_user(*user, user_name));
  TRY_ASSIGN(result.options.credentials, read_credentials(*user, files));
  if (uses_files(*user)) result.options.reload = [user = *user, files] { return read_credentials(user, files); };
  return result;
}

base::Result<Kubeconfig> load_kubeconfig(const std::string& path, std::string_view context) {
  const auto directory = std::filesystem::path(path).parent_path();
  const FileReader files = [directory](const std::string& file) {
    return read_file((directory / file).string());  // an absolute path stays
  };
  TRY_ASSIGN(const std::string text, read_file(path));
  auto config = read_kubeconfig(text, context, files);
  if (!config) config.error().message = path + ": " + config.error().message;
  return config;
}

base::Result<Kubeconfig> load_in_cluster() {
  const char* host = std::getenv("KUBERNETES_SERVICE_HOST");
  const char* port = std::getenv("KUBERNETES_SERVICE_PORT");
  if (!host || !*host || !port || !*port) {
    return base::fail(Reason::kInvalid,
                      "no kubeconfig is named, and this is no Pod: KUBERNETES_SERVICE_HOST and "
                      "KUBERNETES_SERVICE_PORT are not set");
  }
  const std::string name = std::string(host).contains(':') ? "[" + std::string(host) + "]" : host;
  Kubeconfig config;
  config.server = "https://" + name + ":" + port;
  config.options.connection.url = config.server;
  TRY_ASSIGN(config.options.connection.tls.ca_pem, read_file(std::string(kServiceAccount) + "ca.crt"));
  config.options.reload = []() -> base::Result<Credentials> {
    TRY_ASSIGN(std::string token, read_file(std::string(kServiceAccount) + "token"));
    return Credentials{trimmed(std::move(token)), "", ""};
  };
  TRY_ASSIGN(config.options.credentials, config.options.reload());
  return config;
}

void put_kubeconfig_entry(object::Object& config, const KubeconfigEntry& entry) {
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

}  // namespace client
