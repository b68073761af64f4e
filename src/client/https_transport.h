// HttpsTransport: the transport to an API server over the network, Keelson's or any other: HTTP/2 on TLS where the
// server has it, client certificate or bearer token, protobuf bodies (JSON where the server refuses them). Connections
// are made when needed and again when lost. Invariants: an answer of 429, or of 5xx with Retry-After, was not
// processed: the call is sent again after that time, a few times; nothing else is sent twice but what the server
// certainly did not see, and reads. A write whose answer was lost is kOutcomeUnknown. A watch holds no thread. Every
// call is answered once, also when the transport goes away. Thread: as client::Transport says; callbacks run on the
// transport's loop.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/rng.h"
#include "client/rest.h"
#include "client/transport.h"
#include "net/client.h"

namespace client {

struct Credentials {
  std::string bearer_token;
  std::string certificate_chain_pem, private_key_pem;
  bool operator==(const Credentials&) const = default;
};

struct HttpsOptions {
  net::ClientOptions connection;  // url, CA, verification, user agent; its loop is not used
  Credentials credentials;
  // When set: asked for the credentials again before a request when they are older than kCredentialsAge. An error keeps
  // the old ones.
  std::function<base::Result<Credentials>()> reload;
  std::string field_manager;                               // "" = the server takes the user agent's name
  base::Duration call_timeout = std::chrono::seconds(30);  // of each attempt
  Encoding encoding = Encoding::kProtobuf;
};

class HttpsTransport final : public Transport {
 public:
  // Checks URL and certificates; connects with the first request. Clock and randomness outlive the transport.
  static base::Result<std::shared_ptr<HttpsTransport>> create(HttpsOptions options, const base::Clock* clock,
                                                              base::Rng* rng);
  ~HttpsTransport() override;  // stops
  // Answers what runs and all that comes later with kServiceUnavailable, so that nobody waits.
  void stop();

  void call(Call call, Callback done) override;
  base::Result<ListResult> list(const ListCall& call) override;
  // Returns at once: that the server refused comes by on_end.
  base::Result<std::unique_ptr<WatchHandle>> watch(const ListCall& call, int64_t revision,
                                                   WatchReceiver* receiver) override;
  base::Result<std::vector<std::shared_ptr<const schema::Resource>>> custom_resources() override;
  bool carries_custom_objects() const override { return true; }

 private:
  class Core;
  explicit HttpsTransport(std::shared_ptr<Core> core) : core_(std::move(core)) {}
  base::Result<ListResult> list_pages(const ListCall& call, int64_t page_items);

  std::shared_ptr<Core> core_;
};

}  // namespace client
