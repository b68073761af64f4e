// kubeconfig files: which server to talk to and as whom, read as upstream's clients read them, and entries put into
// one. Certificates and tokens are inline or in files; programs (exec), auth providers, passwords and proxies are
// refused by name. Pure but for load_kubeconfig, load_in_cluster and the reload of what lies in files. Thread: any.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "client/https_transport.h"
#include "object/value.h"

namespace client {

// A file's content; a relative path is relative to the kubeconfig's directory.
using FileReader = std::function<base::Result<std::string>(const std::string& path)>;

struct Kubeconfig {
  std::string server;
  std::string ns;        // of the context, "" = default
  HttpsOptions options;  // what it takes to reach the server; user agent and timeouts are the caller's
};

// `context` "" = the current one. kInvalid names what is missing or not supported.
base::Result<Kubeconfig> read_kubeconfig(std::string_view yaml, std::string_view context, const FileReader& files);
base::Result<Kubeconfig> load_kubeconfig(const std::string& path, std::string_view context = "");
// What a Pod finds: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT, and the service account's files.
base::Result<Kubeconfig> load_in_cluster();

struct KubeconfigEntry {
  std::string name;  // of cluster, user and context
  std::string server;
  std::string ca_pem;
  std::string client_certificate_pem;
  std::string client_key_pem;
};
// Puts the entry in (same names are replaced) and makes it current; everything else stays.
void put_kubeconfig_entry(object::Object& config, const KubeconfigEntry& entry);

}  // namespace client
