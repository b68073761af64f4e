// Internal to net: what a TlsContext is. Only .cc files of net include this.
#pragma once

#include <openssl/ssl.h>

#include "net/http.h"
#include "net/tls.h"

namespace net {

class TlsContext {
 public:
  enum class Side { kServer, kClient };
  TlsContext(Side side, SSL_CTX* context) : side_(side), context_(context) {}
  ~TlsContext() { SSL_CTX_free(context_); }
  TlsContext(const TlsContext&) = delete;
  SSL_CTX* native() const { return context_; }
  Side side() const { return side_; }
  const std::string& server_name() const { return server_name_; }
  ServerVerification verification() const { return verification_; }
  void set_verification(ServerVerification verification, std::string server_name) {
    verification_ = verification;
    server_name_ = std::move(server_name);
  }

 private:
  Side side_;
  SSL_CTX* context_;
  ServerVerification verification_ = ServerVerification::kVerify;
  std::string server_name_;
};

enum class AlpnOffer { kHttp2AndHttp1, kHttp1Only };
base::Result<std::shared_ptr<const TlsContext>> make_client_tls(const ClientTlsOptions& options, AlpnOffer offer);
// Fills in what the handshake told about the client.
void describe_peer(SSL* ssl, ConnectionInfo& info);
// The newest error of OpenSSL's queue as text; empties the queue.
std::string openssl_error();

}  // namespace net
