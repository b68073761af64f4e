#include "client/https_transport.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <future>
#include <mutex>

#include "client/client.h"
#include "client/informer.h"
#include "gen/core/v1.h"
#include "net/server.h"
#include "testing/recording_receiver.h"
#include "testing/served_api.h"

namespace client {
namespace {

using api::core::v1::ConfigMap;
using in_process::ServedApi;
using std::chrono::milliseconds;
using std::chrono::seconds;

ConfigMap config_map(std::string name) {
  ConfigMap map;
  map.metadata.namespace_ = "default";
  map.metadata.name = std::move(name);
  map.metadata.labels["suite"] = "contract";
  return map;
}

TEST(HttpsTransport, BearerTokensAndTheirAbsence) {
  ServedApi api;
  const auto as = [&](const std::string& token) {
    return Client(api.https([&](HttpsOptions& options) {
      options.credentials = {};
      options.credentials.bearer_token = token;
    }));
  };
  EXPECT_TRUE(as(in_process::kAdminToken).list<ConfigMap>("default"));
  EXPECT_EQ(as("wrong").list<ConfigMap>("default").error().reason, base::Reason::kUnauthorized);
  const auto anonymous = as("").list<ConfigMap>("default");
  EXPECT_EQ(anonymous.error().reason, base::Reason::kForbidden);
  EXPECT_NE(anonymous.error().message.find("system:anonymous"), std::string::npos) << anonymous.error().message;
}

TEST(HttpsTransport, ARefusedWatchEndsWithTheServersError) {
  ServedApi api;
  const auto transport = api.https([](HttpsOptions& options) { options.credentials = {"wrong", "", ""}; });
  RecordingReceiver receiver;
  const auto handle = transport->watch({&resource_of<ConfigMap>(), "", "", ""}, 1, &receiver);
  ASSERT_TRUE(handle);
  const auto ends = receiver.ends(1);
  ASSERT_EQ(ends.size(), 1u);
  EXPECT_EQ(ends[0].reason, base::Reason::kUnauthorized);
}

TEST(HttpsTransport, AServerThatIsNotTheOneIsRefused) {
  ServedApi api, other;
  const auto transport = api.https(
      [&](HttpsOptions& options) { options.connection.tls.ca_pem = other.https_options().connection.tls.ca_pem; });
  const auto listed = transport->list({&resource_of<ConfigMap>(), "", "", ""});
  ASSERT_FALSE(listed);
  EXPECT_EQ(listed.error().reason, base::Reason::kServiceUnavailable);
}

TEST(HttpsTransport, AListOfManyPagesIsWhole) {
  ServedApi api;
  const auto transport = api.https();
  constexpr int kCount = 2'100;  // more than one page
  std::atomic<int> left = kCount;
  std::promise<void> done;
  for (int i = 0; i < kCount; ++i) {
    Call call;
    call.verb = Verb::kCreate;
    call.resource = &resource_of<ConfigMap>();
    call.ns = "default";
    call.body = encode_object(config_map("m" + std::to_string(10'000 + i)));
    transport->call(std::move(call), [&](const base::Result<RawObject>& made) {
      EXPECT_TRUE(made) << made.error().message;
      if (--left == 0) done.set_value();
    });
  }
  ASSERT_EQ(done.get_future().wait_for(seconds(30)), std::future_status::ready);
  const auto listed = transport->list({&resource_of<ConfigMap>(), "default", "suite=contract", ""});
  ASSERT_TRUE(listed) << listed.error().message;
  ASSERT_EQ(listed->items.size(), size_t{kCount});
  EXPECT_EQ(decode_object<ConfigMap>(listed->items.back())->metadata.name, "m12099");
}

TEST(HttpsTransport, AnInformerFollowsOverTheNetwork) {
  ServedApi api;
  base::ThreadPool pool("informer", 2);
  const Client client(api.https());
  ASSERT_TRUE(client.create(config_map("before")));
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<std::string> seen;
  InformerOptions options;
  options.scope = {&resource_of<ConfigMap>(), "default", "suite=contract", ""};
  options.executor = &pool;
  Informer informer(api.https(), options);
  informer.add_handler([&](const Change& change) {
    const std::scoped_lock lock(mutex);
    seen.push_back((!change.before ? "+" : !change.after ? "-" : "~") + change.key.name);
    changed.notify_all();
  });
  informer.start();
  const auto wait_for = [&](size_t count) {
    std::unique_lock lock(mutex);
    changed.wait_for(lock, seconds(10), [&] { return seen.size() >= count; });
    return seen;
  };
  EXPECT_THAT(wait_for(1), testing::ElementsAre("+before"));
  ASSERT_TRUE(client.create(config_map("after")));
  ASSERT_TRUE(client.remove<ConfigMap>("default", "before"));
  EXPECT_THAT(wait_for(3), testing::ElementsAre("+before", "+after", "-before"));
  informer.stop();
  pool.stop();
}

// ---- servers that answer as no good server does ----

class ScriptedServer final : public net::Handler {
 public:
  using Answer = std::function<void(const net::Request&, net::ResponseWriter&)>;
  explicit ScriptedServer(Answer answer) : answer_(std::move(answer)) {
    net::ServerOptions options;
    options.handler = std::shared_ptr<net::Handler>(this, [](net::Handler*) {});
    server_ = std::make_unique<net::Server>(options);
    port_ = server_->start().value();
  }
  ~ScriptedServer() override { server_->stop(base::Duration::zero()); }
  void handle(std::shared_ptr<net::Request> request, std::shared_ptr<net::ResponseWriter> writer) override {
    ++requests;
    last = writer;
    answer_(*request, *writer);
  }
  std::shared_ptr<HttpsTransport> transport(const std::function<void(HttpsOptions&)>& adjust = {}) {
    HttpsOptions options;
    options.connection.url = "http://127.0.0.1:" + std::to_string(port_);
    if (adjust) adjust(options);
    return HttpsTransport::create(std::move(options), &clock_, rng_.get()).value();
  }
  std::atomic<int> requests = 0;
  std::shared_ptr<net::ResponseWriter> last;

 private:
  Answer answer_;
  base::SystemClock clock_;
  std::unique_ptr<base::Rng> rng_ = base::seeded_rng(1);
  std::unique_ptr<net::Server> server_;
  uint16_t port_ = 0;
};

constexpr const char* kMap =
    R"({"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"a","resourceVersion":"5"},"data":{"k":"v"}})";
const net::Headers kJson = {{"content-type", "application/json"}};

TEST(HttpsTransport, BusyServersAreAskedAgain) {
  for (const int status : {429, 503}) {
    std::atomic<int> refusals = 2;
    ScriptedServer server([&](const net::Request&, net::ResponseWriter& writer) {
      if (refusals-- > 0) return writer.send(status, {{"retry-after", "0"}}, "busy");
      writer.send(200, kJson, kMap);
    });
    const auto got = Client(server.transport()).get<ConfigMap>("default", "a");
    ASSERT_TRUE(got) << got.error().message;
    EXPECT_EQ(got->data.at("k"), "v");
    EXPECT_EQ(got->metadata.resource_version, "5");
    EXPECT_EQ(server.requests, 3);
  }
}

TEST(HttpsTransport, PatienceHasAnEnd) {
  ScriptedServer server(
      [](const net::Request&, net::ResponseWriter& writer) { writer.send(429, {{"retry-after", "0"}}, "busy"); });
  const auto got = Client(server.transport()).get<ConfigMap>("default", "a");
  EXPECT_EQ(got.error().reason, base::Reason::kTooManyRequests);
  EXPECT_EQ(server.requests, 11);
}

TEST(HttpsTransport, WithoutRetryAfterTheAnswerStands) {
  ScriptedServer server([](const net::Request&, net::ResponseWriter& writer) { writer.send(503, {}, "no"); });
  const auto got = Client(server.transport()).get<ConfigMap>("default", "a");
  EXPECT_EQ(got.error().reason, base::Reason::kServiceUnavailable);
  EXPECT_EQ(server.requests, 1);
}

TEST(HttpsTransport, AServerWithoutProtobufGetsJson) {
  ScriptedServer server([](const net::Request& request, net::ResponseWriter& writer) {
    if (request.header("content-type") != "application/json") return writer.send(415, {}, "json only");
    EXPECT_EQ(request.body.find("{\"kind\":\"ConfigMap\""), 0u);
    writer.send(201, kJson, kMap);
  });
  const Client client(server.transport());
  EXPECT_TRUE(client.create(config_map("a")));
  EXPECT_EQ(server.requests, 2);
  EXPECT_TRUE(client.create(config_map("a")));
  EXPECT_EQ(server.requests, 3) << "remembered";
}

TEST(HttpsTransport, ASilentServerTimesOut) {
  ScriptedServer server([](const net::Request&, net::ResponseWriter&) {});
  const auto transport = server.transport([](HttpsOptions& options) { options.call_timeout = milliseconds(50); });
  EXPECT_EQ(Client(transport).get<ConfigMap>("default", "a").error().reason, base::Reason::kTimeout);
  EXPECT_EQ(Client(transport).create(config_map("a")).error().reason, base::Reason::kOutcomeUnknown);
}

TEST(HttpsTransport, CallsAreAnsweredWhenTheTransportGoes) {
  ScriptedServer busy(
      [](const net::Request&, net::ResponseWriter& writer) { writer.send(429, {{"retry-after", "30"}}, "busy"); });
  ScriptedServer silent([](const net::Request&, net::ResponseWriter&) {});
  for (ScriptedServer* server : {&busy, &silent}) {
    auto transport = server->transport();
    std::promise<base::Reason> answered;
    Call call;
    call.resource = &resource_of<ConfigMap>();
    call.ns = "default";
    call.name = "a";
    transport->call(std::move(call), [&](const base::Result<RawObject>& got) {
      answered.set_value(got ? base::Reason::kUnknown : got.error().reason);
    });
    while (server->requests == 0) std::this_thread::yield();
    transport.reset();
    auto future = answered.get_future();
    ASSERT_EQ(future.wait_for(seconds(10)), std::future_status::ready);
    EXPECT_EQ(future.get(), base::Reason::kServiceUnavailable);
  }
}

TEST(HttpsTransport, AWatchThatIsCutOffEnds) {
  ScriptedServer server([](const net::Request&, net::ResponseWriter& writer) {
    writer.start(200, kJson);
    writer.write(net::Body(std::string(R"({"type":"ADDED","object":)") + kMap + "}\n" + R"({"type":"MOD)"));
    writer.abort();
  });
  const auto transport = server.transport();
  RecordingReceiver receiver;
  const auto handle = transport->watch({&resource_of<ConfigMap>(), "", "", ""}, 1, &receiver);
  EXPECT_THAT(receiver.events(1), testing::ElementsAre("+a"));
  const auto ends = receiver.ends(1);
  ASSERT_EQ(ends.size(), 1u);
  EXPECT_EQ(ends[0].reason, base::Reason::kServiceUnavailable);
}

TEST(HttpsTransport, CredentialsAreReadAgain) {
  std::mutex mutex;
  std::vector<std::string> seen;
  ScriptedServer server([&](const net::Request& request, net::ResponseWriter& writer) {
    const std::scoped_lock lock(mutex);
    seen.emplace_back(request.header("authorization"));
    writer.send(200, kJson, kMap);
  });
  class StepClock final : public base::Clock {
   public:
    base::WallTime wall_now() const override { return {}; }
    base::MonoTime mono_now() const override { return now; }
    base::MonoTime now{seconds(1)};
  } clock;
  HttpsOptions options = [&] {
    HttpsOptions made;
    server.transport([&](HttpsOptions& given) {
      given.credentials.bearer_token = "one";
      given.reload = [] { return Credentials{"two", "", ""}; };
      made = given;
    });
    return made;
  }();
  const auto rng = base::seeded_rng(1);
  const Client client(HttpsTransport::create(options, &clock, rng.get()).value());
  ASSERT_TRUE(client.get<ConfigMap>("default", "a"));
  clock.now += seconds(61);
  ASSERT_TRUE(client.get<ConfigMap>("default", "a"));
  EXPECT_THAT(seen, testing::ElementsAre("Bearer one", "Bearer two"));
}

}  // namespace
}  // namespace client
