#include "net/tls.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cstring>

#include "net/tls_context.h"

namespace net {

using base::fail;
using base::Reason;
using base::Result;

std::string openssl_error() {
  const unsigned long code = ERR_peek_last_error();
  ERR_clear_error();
  if (code == 0) return "unknown error";
  const char* reason = ERR_reason_error_string(code);
  return reason ? reason : "error " + std::to_string(code);
}

namespace {

struct BioDeleter {
  void operator()(BIO* bio) const { BIO_free(bio); }
};
using BioPointer = std::unique_ptr<BIO, BioDeleter>;
struct ContextDeleter {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
using ContextPointer = std::unique_ptr<SSL_CTX, ContextDeleter>;

BioPointer memory(const std::string& text) {
  return BioPointer(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

Result<void> use_key_pair(SSL_CTX* context, const std::string& chain_pem, const std::string& key_pem) {
  const BioPointer chain = memory(chain_pem);
  X509* leaf = PEM_read_bio_X509_AUX(chain.get(), nullptr, nullptr, nullptr);
  if (!leaf) return fail(Reason::kInvalid, "certificate: no PEM certificate: " + openssl_error());
  const int used = SSL_CTX_use_certificate(context, leaf);
  X509_free(leaf);
  if (used != 1) return fail(Reason::kInvalid, "certificate: " + openssl_error());
  while (X509* next = PEM_read_bio_X509(chain.get(), nullptr, nullptr, nullptr)) {
    SSL_CTX_add0_chain_cert(context, next);
  }
  ERR_clear_error();
  const BioPointer key_bio = memory(key_pem);
  EVP_PKEY* key = PEM_read_bio_PrivateKey(key_bio.get(), nullptr, nullptr, nullptr);
  if (!key) return fail(Reason::kInvalid, "private key: " + openssl_error());
  const int key_used = SSL_CTX_use_PrivateKey(context, key);
  EVP_PKEY_free(key);
  if (key_used != 1 || SSL_CTX_check_private_key(context) != 1) {
    return fail(Reason::kInvalid, "the private key does not belong to the certificate: " + openssl_error());
  }
  return {};
}

// Adds the CAs to what is trusted; with `names` also to the list that is sent with the certificate request.
Result<void> trust(SSL_CTX* context, const std::string& ca_pem, STACK_OF(X509_NAME) * names) {
  const BioPointer bio = memory(ca_pem);
  X509_STORE* store = SSL_CTX_get_cert_store(context);
  int count = 0;
  while (X509* ca = PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)) {
    X509_STORE_add_cert(store, ca);
    if (names) sk_X509_NAME_push(names, X509_NAME_dup(X509_get_subject_name(ca)));
    X509_free(ca);
    ++count;
  }
  ERR_clear_error();
  // An intermediate that an operator names as CA is trusted as such.
  X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(context), X509_V_FLAG_PARTIAL_CHAIN);
  if (count == 0) return fail(Reason::kInvalid, "CA bundle holds no PEM certificate");
  return {};
}

int select_protocol(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* in,
                    unsigned int in_size, void*) {
  static constexpr unsigned char kOurs[] = "\x02h2\x08http/1.1";
  unsigned char* chosen = nullptr;
  if (SSL_select_next_proto(&chosen, out_size, kOurs, sizeof(kOurs) - 1, in, in_size) != OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_NOACK;
  }
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

void apply_common(SSL_CTX* context, TlsVersion min_version) {
  SSL_CTX_set_min_proto_version(context, min_version == TlsVersion::kTls13 ? TLS1_3_VERSION : TLS1_2_VERSION);
  // The chain that is sent is the one configured, never one built from what is trusted.
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_NO_AUTO_CHAIN);
  SSL_CTX_set_options(
      context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION | SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(context, 0);
  // AES-128 is first: as fast as it gets with AES-NI, and what Go's clients prefer.
  SSL_CTX_set_ciphersuites(context, "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256");
  SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20:!aNULL:!MD5");
}

std::string to_der(X509* certificate) {
  const int size = i2d_X509(certificate, nullptr);
  std::string der(static_cast<size_t>(std::max(size, 0)), '\0');
  auto* out = reinterpret_cast<unsigned char*>(der.data());
  i2d_X509(certificate, &out);
  return der;
}

std::string text_of(const X509_NAME_ENTRY* entry) {
  unsigned char* utf8 = nullptr;
  const int size = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(entry));
  std::string text;
  if (size > 0) text.assign(reinterpret_cast<char*>(utf8), static_cast<size_t>(size));
  OPENSSL_free(utf8);
  return text;
}

std::shared_ptr<const PeerIdentity> identity_of(X509* certificate) {
  auto identity = std::make_shared<PeerIdentity>();
  const X509_NAME* name = X509_get_subject_name(certificate);
  for (int i = 0; i < X509_NAME_entry_count(name); ++i) {
    const X509_NAME_ENTRY* entry = X509_NAME_get_entry(name, i);
    const ASN1_OBJECT* object = X509_NAME_ENTRY_get_object(entry);
    const int nid = OBJ_obj2nid(object);
    if (nid == NID_commonName) identity->common_name = text_of(entry);
    if (nid == NID_organizationName) identity->organizations.push_back(text_of(entry));
    char oid[64];
    if (nid == NID_undef && OBJ_obj2txt(oid, sizeof oid, object, 1) > 0 && !std::strcmp(oid, "1.3.6.1.4.1.57683.2")) {
      identity->uid = text_of(entry);
    }
  }
  identity->certificate_der = to_der(certificate);
  std::tm when{};
  if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &when) == 1) {
    identity->not_after = base::WallTime(std::chrono::seconds(timegm(&when)));
  }
  return identity;
}

}  // namespace

void describe_peer(SSL* ssl, ConnectionInfo& info) {
  info.tls_version = SSL_get_version(ssl);
  X509* leaf = SSL_get0_peer_certificate(ssl);
  if (!leaf) return;
  info.presented_chain_der.push_back(to_der(leaf));
  // On the server's side the stack is without the leaf.
  const STACK_OF(X509)* rest = SSL_get_peer_cert_chain(ssl);
  for (int i = 0; i < sk_X509_num(rest); ++i) info.presented_chain_der.push_back(to_der(sk_X509_value(rest, i)));
  const long verdict = SSL_get_verify_result(ssl);
  if (verdict == X509_V_OK) {
    info.peer = identity_of(leaf);
  } else {
    info.peer_rejection = X509_verify_cert_error_string(verdict);
  }
}

Result<std::shared_ptr<const TlsContext>> make_server_tls(const ServerTlsOptions& options) {
  ContextPointer context(SSL_CTX_new(TLS_server_method()));
  if (!context) return fail(Reason::kInternalError, "TLS: " + openssl_error());
  apply_common(context.get(), options.min_version);
  SSL_CTX_set_options(context.get(), SSL_OP_CIPHER_SERVER_PREFERENCE);
  TRY(use_key_pair(context.get(), options.certificate_chain_pem, options.private_key_pem));
  if (!options.client_ca_pem.empty()) {
    STACK_OF(X509_NAME)* names = sk_X509_NAME_new_null();
    auto trusted = trust(context.get(), options.client_ca_pem, names);
    SSL_CTX_set_client_CA_list(context.get(), names);
    TRY(std::move(trusted));
    // The verdict is kept with the connection (SSL_get_verify_result); the handshake goes on whatever it is.
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, [](int, X509_STORE_CTX*) { return 1; });
  }
  SSL_CTX_set_alpn_select_cb(context.get(), select_protocol, nullptr);
  return std::make_shared<const TlsContext>(TlsContext::Side::kServer, context.release());
}

Result<std::shared_ptr<const TlsContext>> make_client_tls(const ClientTlsOptions& options, AlpnOffer offer) {
  ContextPointer context(SSL_CTX_new(TLS_client_method()));
  if (!context) return fail(Reason::kInternalError, "TLS: " + openssl_error());
  apply_common(context.get(), options.min_version);
  if (options.verification == ServerVerification::kVerify) {
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
    if (options.ca_pem.empty()) {
      SSL_CTX_set_default_verify_paths(context.get());
    } else {
      TRY(trust(context.get(), options.ca_pem, nullptr));
    }
  }
  if (!options.certificate_chain_pem.empty()) {
    TRY(use_key_pair(context.get(), options.certificate_chain_pem, options.private_key_pem));
  }
  static constexpr unsigned char kBoth[] = "\x02h2\x08http/1.1";
  const unsigned char* protocols = offer == AlpnOffer::kHttp2AndHttp1 ? kBoth : kBoth + 3;
  SSL_CTX_set_alpn_protos(context.get(), protocols, static_cast<unsigned>(sizeof(kBoth) - 1 - (protocols - kBoth)));
  auto result = std::make_shared<TlsContext>(TlsContext::Side::kClient, context.release());
  result->set_verification(options.verification, options.server_name);
  return result;
}

}  // namespace net
