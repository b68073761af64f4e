#include "client/https_transport.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <iterator>
#include <map>
#include <mutex>
#include <optional>
#include <utility>

#include "base/log.h"
#include "base/mutex.h"
#include "client/discovered.h"
#include "client/limits.h"

namespace client {
namespace {

using base::Reason;
using Answered = std::move_only_function<void(base::Result<net::Response>)>;

std::unexpected<base::Error> stopped() { return base::fail(Reason::kServiceUnavailable, "the client is stopped"); }

// What was discovered last, and the name of that state.
struct Discovery {
  ResourceList rows;
  std::string etag;
};

// One request through its attempts. Its answer is given once, at the latest when it is dropped.
struct Sending {
  std::function<net::ClientRequest(Encoding)> make;
  Answered done;
  int retries = 0;
  Encoding encoding = Encoding::kProtobuf;

  Sending() = default;
  Sending(const Sending&) = delete;
  ~Sending() {
    if (done) done(stopped());
  }
  void answer(base::Result<net::Response> result) { std::exchange(done, nullptr)(std::move(result)); }
};

// How long to wait before the request is sent again; nothing = the answer stands.
std::optional<base::Duration> retry_delay(const net::Response& response) {
  if (response.status != 429 && response.status < 500) return std::nullopt;
  const std::string_view text = response.header("retry-after");
  if (text.empty() || text.find_first_not_of("0123456789") != std::string_view::npos || text.size() > 6)
    return std::nullopt;
  const base::Duration delay = std::chrono::seconds(std::stoi(std::string(text)));
  return delay <= kMaxRetryAfter ? std::optional(delay) : std::nullopt;
}

// Between a stream of the HTTP client and a receiver that may leave at any time.
class WatchStream {
 public:
  WatchStream(const schema::Resource& resource, WatchReceiver* receiver) : resource_(resource), receiver_(receiver) {}

  void on_headers(int status, const net::Headers& headers) {
    status_ = status;
    headers_ = headers;
    if (is_success(status)) reader_.emplace(resource_, net::header_value(headers, "content-type"));
  }
  void on_data(std::string_view data) {
    if (!reader_) {
      if (refusal_.size() < kMaxErrorBytes) refusal_ += data.substr(0, kMaxErrorBytes - refusal_.size());
      return;
    }
    const std::scoped_lock lock(mutex_);
    if (!receiver_) return;
    auto fed = reader_->feed(data, [this](const WatchEvent& event) {
      if (receiver_) receiver_->on_event(event);
    });
    if (!fed) end(fed.error());
  }
  void on_end(const base::Result<void>& outcome) {
    const std::scoped_lock lock(mutex_);
    if (!outcome) return end(outcome.error());
    if (status_ != 0 && !is_success(status_)) return end(read_error(status_, headers_, refusal_));
    end({Reason::kTimeout, "the server ended the watch"});
  }
  void detach() {
    const std::scoped_lock lock(mutex_);
    receiver_ = nullptr;
  }

 private:
  void end(const base::Error& error) {
    if (WatchReceiver* receiver = std::exchange(receiver_, nullptr)) receiver->on_end(error);
  }

  const schema::Resource& resource_;
  int status_ = 0;  // these on the loop
  net::Headers headers_;
  std::optional<WatchReader> reader_;
  std::string refusal_;
  // Held while the receiver is called, so that detach() waits for it; recursive, for a receiver that drops its handle.
  std::recursive_mutex mutex_;
  WatchReceiver* receiver_;
};

class StreamHandle final : public WatchHandle {
 public:
  StreamHandle(std::shared_ptr<WatchStream> stream, std::shared_ptr<net::Call> call)
      : stream_(std::move(stream)), call_(std::move(call)) {}
  ~StreamHandle() override {
    call_->cancel();
    stream_->detach();
  }

 private:
  const std::shared_ptr<WatchStream> stream_;
  const std::shared_ptr<net::Call> call_;
};

}  // namespace

class HttpsTransport::Core final : public std::enable_shared_from_this<Core> {
 public:
  Core(HttpsOptions options, const base::Clock* clock, base::Rng* rng)
      : options_(std::move(options)),
        clock_(clock),
        rng_(rng),
        encoding_(options_.encoding),
        loop_(net::Loop::start("api-client")) {}

  base::Result<void> connect() {
    net::ClientOptions connection = options_.connection;
    connection.loop = loop_;
    set_credentials(connection, options_.credentials);
    TRY_ASSIGN(auto made, net::Client::create(std::move(connection)));
    const base::MutexLock lock(mutex_);
    client_ = std::move(made);
    credentials_ = options_.credentials;
    credentials_read_ = clock_->mono_now();
    return {};
  }
  // Calls that run are answered before it returns.
  void stop() {
    if (stopped_.exchange(true)) return;
    loop_->post([self = shared_from_this()] {
      for (const auto& [timer, sending] : self->waiting_) self->loop_->cancel(timer);
      self->waiting_.clear();
      std::shared_ptr<net::Client> last;
      const base::MutexLock lock(self->mutex_);
      last.swap(self->client_);
    });
    loop_->stop();
  }

  void send(std::function<net::ClientRequest(Encoding)> make, Answered done) {
    auto sending = std::make_shared<Sending>();
    sending->make = std::move(make);
    sending->done = std::move(done);
    attempt(sending);
  }
  base::Result<net::Response> send_and_wait(std::function<net::ClientRequest(Encoding)> make);

  std::shared_ptr<net::Call> stream(net::ClientRequest request, const std::shared_ptr<WatchStream>& stream) {
    refresh_credentials();
    net::StreamCallbacks callbacks;
    callbacks.on_headers = [stream](int status, const net::Headers& headers) { stream->on_headers(status, headers); };
    callbacks.on_data = [stream](std::string_view data) { stream->on_data(data); };
    callbacks.on_end = [stream](const base::Result<void>& outcome) { stream->on_end(outcome); };
    const auto http = client();
    if (!http) return nullptr;
    return http->stream(std::move(request), options_.call_timeout, std::move(callbacks));
  }

  const std::string& field_manager() const { return options_.field_manager; }
  Discovery discovery() {
    const base::MutexLock lock(mutex_);
    return discovery_;
  }
  void set_discovery(Discovery fresh) {
    const base::MutexLock lock(mutex_);
    discovery_ = std::move(fresh);
  }
  base::Duration watch_time() {
    const auto spread = static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::seconds>(kMinWatchTime).count());
    return kMinWatchTime + std::chrono::seconds(rng_->below(spread));
  }

 private:
  static void set_credentials(net::ClientOptions& connection, const Credentials& credentials) {
    connection.bearer_token = credentials.bearer_token;
    connection.tls.certificate_chain_pem = credentials.certificate_chain_pem;
    connection.tls.private_key_pem = credentials.private_key_pem;
  }

  std::shared_ptr<net::Client> client() {
    const base::MutexLock lock(mutex_);
    return client_;
  }

  void attempt(const std::shared_ptr<Sending>& sending) {
    const auto http = client();
    if (!http) return;
    refresh_credentials();
    sending->encoding = encoding_;
    net::ClientRequest request = sending->make(sending->encoding);
    http->request(std::move(request), options_.call_timeout,
                  [self = shared_from_this(), sending](base::Result<net::Response> response) {
                    self->answered(sending, std::move(response));
                  });
  }

  // On the loop.
  void answered(const std::shared_ptr<Sending>& sending, base::Result<net::Response> response) {
    if (response && response->status == 415 && sending->encoding == Encoding::kProtobuf) {
      encoding_ = Encoding::kJson;  // a server that knows JSON alone; asked once
      return attempt(sending);
    }
    const auto delay = response ? retry_delay(*response) : std::nullopt;
    if (!delay || ++sending->retries > kMaxBusyRetries || stopped_) return sending->answer(std::move(response));
    auto timer = std::make_shared<net::TimerId>();
    *timer = loop_->run_after(*delay, [this, timer] {
      auto node = waiting_.extract(*timer);
      attempt(node.mapped());
    });
    waiting_.emplace(*timer, sending);
  }

  void refresh_credentials() {
    if (!options_.reload) return;
    {
      const base::MutexLock lock(mutex_);
      const base::MonoTime now = clock_->mono_now();
      if (now - credentials_read_ < kCredentialsAge) return;
      credentials_read_ = now;
    }
    auto fresh = options_.reload();
    if (!fresh) return base::log::warning("credentials not read again", {{"error", fresh.error().message}});
    const base::MutexLock lock(mutex_);
    if (*fresh == credentials_ || !client_) return;
    client_->set_bearer_token(fresh->bearer_token);
    if (fresh->certificate_chain_pem != credentials_.certificate_chain_pem) {
      net::ClientOptions connection = options_.connection;
      set_credentials(connection, *fresh);
      if (auto set = client_->set_tls(connection.tls); !set)
        return base::log::warning("client certificate not used", {{"error", set.error().message}});
    }
    credentials_ = std::move(*fresh);
  }

  const HttpsOptions options_;
  const base::Clock* const clock_;
  base::Rng* const rng_;
  std::atomic<Encoding> encoding_;
  std::atomic<bool> stopped_ = false;
  const std::shared_ptr<net::Loop> loop_;
  std::map<net::TimerId, std::shared_ptr<Sending>> waiting_;  // the loop's: those that are sent again later
  base::Mutex mutex_;
  std::shared_ptr<net::Client> client_ GUARDED_BY(mutex_);  // null = stopped
  Credentials credentials_ GUARDED_BY(mutex_);
  base::MonoTime credentials_read_ GUARDED_BY(mutex_){};
  Discovery discovery_ GUARDED_BY(mutex_);
};

base::Result<net::Response> HttpsTransport::Core::send_and_wait(std::function<net::ClientRequest(Encoding)> make) {
  struct Box {
    base::Mutex mutex;
    std::condition_variable ready;
    std::optional<base::Result<net::Response>> result GUARDED_BY(mutex);
  };
  auto box = std::make_shared<Box>();
  send(std::move(make), [box](base::Result<net::Response> response) {
    {
      const base::MutexLock lock(box->mutex);
      box->result = std::move(response);
    }
    box->ready.notify_one();
  });
  base::UniqueLock lock(box->mutex);
  box->ready.wait(lock.native(), [&]() NO_THREAD_SAFETY_ANALYSIS { return box->result.has_value(); });
  return *std::move(box->result);
}

base::Result<std::shared_ptr<HttpsTransport>> HttpsTransport::create(HttpsOptions options, const base::Clock* clock,
                                                                     base::Rng* rng) {
  auto core = std::make_shared<Core>(std::move(options), clock, rng);
  std::shared_ptr<HttpsTransport> transport(new HttpsTransport(core));
  TRY(core->connect());
  return transport;
}

HttpsTransport::~HttpsTransport() { core_->stop(); }
void HttpsTransport::stop() { core_->stop(); }

void HttpsTransport::call(Call request, Callback done) {
  auto shared = std::make_shared<const Call>(std::move(request));
  auto make = [core = core_.get(), shared](Encoding encoding) {
    return make_request(*shared, encoding, core->field_manager());
  };
  core_->send(std::move(make), [shared, done = std::move(done)](base::Result<net::Response> response) mutable {
    if (!response) return done(base::fail(std::move(response).error()));
    if (!is_success(response->status))
      return done(base::fail(read_error(response->status, response->headers, response->body)));
    if (shared->verb == Verb::kDeleteCollection) return done(RawObject());
    done(read_object(*shared->resource, *response));
  });
}

base::Result<ListResult> HttpsTransport::list(const ListCall& call) {
  auto result = list_pages(call, kListPageItems);
  // The revision of the first page is no more: everything at once.
  if (!result && result.error().reason == Reason::kExpired) result = list_pages(call, 0);
  return result;
}

base::Result<ListResult> HttpsTransport::list_pages(const ListCall& call, int64_t page_items) {
  ListResult result;
  ListPosition position{page_items, ""};
  do {
    TRY_ASSIGN(const net::Response response,
               core_->send_and_wait([&](Encoding) { return make_list_request(call, position); }));
    if (!is_success(response.status)) return base::fail(read_error(response.status, response.headers, response.body));
    TRY_ASSIGN(ListPage page, read_list(*call.resource, response));
    result.revision = page.result.revision;
    if (result.items.empty()) {
      result.items = std::move(page.result.items);
    } else {
      std::ranges::move(page.result.items, std::back_inserter(result.items));
    }
    position.continue_token = std::move(page.continue_token);
  } while (!position.continue_token.empty());
  return result;
}

base::Result<ResourceList> HttpsTransport::custom_resources() {
  const Discovery known = core_->discovery();
  TRY_ASSIGN(const net::Response response, core_->send_and_wait([&](Encoding) {
    net::ClientRequest request;
    request.target = kDiscoveryTarget;
    request.headers = {{"accept", std::string(kAcceptDiscovery)}};
    if (!known.etag.empty()) request.headers.push_back({"if-none-match", known.etag});
    return request;
  }));
  if (response.status == 304) return known.rows;
  if (!is_success(response.status)) return base::fail(read_error(response.status, response.headers, response.body));
  Discovery fresh;
  TRY_ASSIGN(fresh.rows, read_discovery(response.body));
  fresh.etag = response.header("etag");
  core_->set_discovery(fresh);
  return std::move(fresh.rows);
}

base::Result<std::unique_ptr<WatchHandle>> HttpsTransport::watch(const ListCall& call, int64_t revision,
                                                                 WatchReceiver* receiver) {
  auto stream = std::make_shared<WatchStream>(*call.resource, receiver);
  auto running = core_->stream(make_watch_request(call, revision, core_->watch_time()), stream);
  if (!running) return stopped();
  return std::make_unique<StreamHandle>(std::move(stream), std::move(running));
}

}  // namespace client
