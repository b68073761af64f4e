// A control plane's certificates on disk, under kubeadm's file names: makes what is missing, renews what expires soon
// or does not fit any more, leaves alone what a person put there and is good. Invariants: a key file has mode 0600;
// every file is replaced atomically; a CA is never replaced while its files are there. Thread: one owner; the results
// are plain data. Two processes on one directory are kept apart by the caller.
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "pki/certificate.h"
#include "pki/key.h"

namespace pki {

struct PemPair {
  std::string certificate_pem;
  std::string key_pem;
};

class ServerPki {
 public:
  // `directory` is made when missing. `clock` outlives the object.
  static base::Result<ServerPki> open(std::string directory, const base::Clock& clock);

  const std::string& directory() const { return directory_; }
  // ca.crt, ca.key (CN kubernetes).
  base::Result<PemPair> cluster_ca();
  // front-proxy-ca.{crt,key} and front-proxy-client.{crt,key}.
  base::Result<PemPair> front_proxy_ca();
  base::Result<PemPair> front_proxy_client();
  // apiserver.{crt,key}: CN kube-apiserver, for these names; issued anew when a name is missing in the one on disk.
  base::Result<PemPair> serving(const AlternativeNames& names);
  // apiserver-kubelet-client.{crt,key}.
  base::Result<PemPair> kubelet_client();
  // A client certificate kept as <file>.{crt,key}; issued anew when the subject differs.
  base::Result<PemPair> client(const std::string& file, const Subject& subject);
  // sa.key, sa.pub: what is there is used; a new key is RSA and takes tenths of a second to make.
  base::Result<PrivateKey> service_account_key();

  // The subjects of the control plane's own clients.
  static Subject admin_subject();                        // kubernetes-super-admin, system:masters
  static Subject scheduler_subject();                    // system:kube-scheduler
  static Subject controller_manager_subject();           // system:kube-controller-manager
  static Subject node_subject(const std::string& node);  // system:node:<node>, system:nodes

  // SANs that kubeadm gives an API server, with localhost added.
  static AlternativeNames serving_names(const std::string& node, const std::string& dns_domain,
                                        const std::string& first_service_ip, const std::vector<std::string>& addresses);

 private:
  ServerPki(std::string directory, const base::Clock& clock) : directory_(std::move(directory)), clock_(&clock) {}
  base::Result<PemPair> store(const std::string& file, const KeyPair& pair);
  base::Result<PemPair> authority(const std::string& file, const std::string& common_name);
  base::Result<PemPair> leaf(const std::string& file, const CertificateSpec& spec, const PemPair& issuer);

  std::string directory_;
  const base::Clock* clock_;
};

// Writes through a temporary file, fsync and rename; mode 0600 or 0644.
enum class FileMode { kPrivate, kPublic };
base::Result<void> write_file_atomically(const std::string& path, std::string_view content, FileMode mode);

}  // namespace pki
