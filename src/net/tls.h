// TLS settings and contexts. A TlsContext is immutable; changing certificates means making another one.
// Thread: any.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"

namespace net {

enum class TlsVersion { kTls12, kTls13 };
enum class ServerVerification { kVerify, kInsecure };

// A server's side. Client certificates are asked for when client_ca_pem is set, and never demanded.
// Compat: the API server's handshake accepts any client certificate, or none; the authenticator judges it.
struct ServerTlsOptions {
  std::string certificate_chain_pem;  // leaf first
  std::string private_key_pem;
  std::string client_ca_pem;  // one or more CAs; "" asks for no client certificate
  TlsVersion min_version = TlsVersion::kTls13;
};

// A client's side.
struct ClientTlsOptions {
  std::string ca_pem;  // "" = the system's CAs
  ServerVerification verification = ServerVerification::kVerify;
  std::string server_name;            // name or IP to verify; "" = the URL's host
  std::string certificate_chain_pem;  // "" = none
  std::string private_key_pem;
  TlsVersion min_version = TlsVersion::kTls12;
};

class TlsContext;  // defined in tls_context.h, which only net's own .cc files include
base::Result<std::shared_ptr<const TlsContext>> make_server_tls(const ServerTlsOptions& options);

}  // namespace net
