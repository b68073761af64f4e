#include "net/client.h"

#include <gtest/gtest.h>

#include "net/test_server.h"

namespace net {
namespace {

using base::Reason;

TEST(Client, ManyRequestsShareOneConnection) {
  TestServer server;
  server.start();
  const auto client = server.client();
  std::atomic<int> good = 0;
  Signal all;
  for (int i = 0; i < 2000; ++i) {
    client->request({.target = "/echo?" + std::to_string(i)}, {}, [&, i](base::Result<Response> response) {
      if (response && response->body == "/echo?" + std::to_string(i) + "|" && ++good == 2000) all.set();
    });
  }
  EXPECT_TRUE(all.wait());
  // Before the settings of the server are known a connection takes 100 streams; afterwards 250.
  EXPECT_LE(server.server->stats().connections_accepted, 20u);
}

TEST(Client, OpensMoreConnectionsWhenStreamsRunOut) {
  TestServer server(Transport::kTls, [](ServerOptions& options) { options.max_concurrent_streams = 2; });
  std::vector<WriterPointer> writers;
  Signal all;
  server.handler->table["/watch"] = [&](RequestPointer, WriterPointer writer) {
    writer->start(200, {});
    writers.push_back(std::move(writer));
    if (writers.size() == 5) all.set();
  };
  server.start();
  const auto client = server.client();
  ASSERT_TRUE(client->fetch({.target = "/echo"}));
  std::vector<std::shared_ptr<Call>> calls;
  for (int i = 0; i < 5; ++i) calls.push_back(client->stream({.target = "/watch"}, {}, {}));
  EXPECT_TRUE(all.wait());
  EXPECT_TRUE(client->fetch({.target = "/echo"}));
  EXPECT_EQ(server.server->stats().connections_accepted, 3u);
}

TEST(Client, ReconnectsAfterTheServerRestarts) {
  auto first = std::make_unique<TestServer>();
  const uint16_t port = first->start();
  const auto client = first->client();
  EXPECT_TRUE(client->fetch({.target = "/echo"}));
  first.reset();
  const auto down = client->fetch({.target = "/echo"});
  ASSERT_FALSE(down);
  EXPECT_EQ(down.error().reason, Reason::kServiceUnavailable);
  TestServer second(Transport::kTls, [&](ServerOptions& options) { options.port = port; });
  second.start();
  EXPECT_TRUE(client->fetch({.target = "/echo"}));
}

TEST(Client, Timeouts) {
  TestServer server;
  std::vector<WriterPointer> writers;
  server.handler->table["/never"] = [&](RequestPointer, WriterPointer writer) { writers.push_back(std::move(writer)); };
  server.start();
  const auto client = server.client();
  const auto read = client->fetch({.target = "/never"}, std::chrono::milliseconds(50));
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().reason, Reason::kTimeout);
  const auto write = client->fetch({.method = "POST", .target = "/never", .body = "x"}, std::chrono::milliseconds(50));
  ASSERT_FALSE(write);
  EXPECT_EQ(write.error().reason, Reason::kOutcomeUnknown);
  EXPECT_TRUE(client->fetch({.target = "/echo"}));
}

TEST(Client, WritesThatLoseTheirConnectionAreUnknown) {
  for (const auto protocol : {ProtocolChoice::kAuto, ProtocolChoice::kHttp1Only}) {
    TestServer server;
    std::vector<WriterPointer> writers;
    Signal arrived;
    server.handler->table["/never"] = [&](RequestPointer, WriterPointer writer) {
      writers.push_back(std::move(writer));
      arrived.set();
    };
    server.start();
    const auto client = server.client([&](ClientOptions& options) { options.protocol = protocol; });
    Signal ended;
    client->request({.method = "POST", .target = "/never"}, {}, [&](base::Result<Response> response) {
      EXPECT_FALSE(response);
      if (!response) EXPECT_EQ(response.error().reason, Reason::kOutcomeUnknown);
      ended.set();
    });
    ASSERT_TRUE(arrived.wait());
    server.server->stop(base::Duration(0));
    EXPECT_TRUE(ended.wait());
  }
}

TEST(Client, TrustsOnlyItsAuthority) {
  TestServer server;
  server.start();
  const auto fetch = [&](const std::function<void(ClientOptions&)>& adjust) {
    return server.client(adjust)->fetch({.target = "/echo"});
  };
  const auto wrong_ca = fetch([](ClientOptions& options) { options.tls.ca_pem = test_file("other-ca.crt"); });
  ASSERT_FALSE(wrong_ca);
  EXPECT_EQ(wrong_ca.error().reason, Reason::kServiceUnavailable);
  EXPECT_NE(wrong_ca.error().message.find("unable to get local issuer certificate"), std::string::npos);
  const auto wrong_name = fetch([](ClientOptions& options) { options.tls.server_name = "elsewhere"; });
  ASSERT_FALSE(wrong_name);
  EXPECT_NE(wrong_name.error().message.find("hostname mismatch"), std::string::npos) << wrong_name.error().message;
  EXPECT_TRUE(fetch([&](ClientOptions& options) { options.url = "https://127.0.0.1:" + std::to_string(server.port); }));
  EXPECT_TRUE(fetch([](ClientOptions& options) {
    options.tls.ca_pem = test_file("other-ca.crt");
    options.tls.verification = ServerVerification::kInsecure;
  }));
}

TEST(Client, TokenUserAgentAndPathPrefix) {
  TestServer server;
  server.handler->table["/prefix/headers"] = [](RequestPointer request, WriterPointer writer) {
    writer->send(200, {},
                 std::string(request->header("authorization")) + "|" + std::string(request->header("user-agent")) +
                     "|" + request->host);
  };
  server.start();
  const auto client = server.client([](ClientOptions& options) {
    options.url += "/prefix/";
    options.bearer_token = "secret";
  });
  const std::string host = "localhost:" + std::to_string(server.port);
  EXPECT_EQ(client->fetch({.target = "/headers"})->body, "Bearer secret|keelson|" + host);
  client->set_bearer_token("");
  EXPECT_EQ(client->fetch({.target = "/headers"})->body, "|keelson|" + host);
}

TEST(Client, NewCertificatesApplyToNewConnections) {
  TestServer server;
  server.handler->table["/who"] = [](RequestPointer request, WriterPointer writer) {
    writer->send(200, {}, request->peer ? request->peer->common_name : "-");
  };
  server.start();
  const auto client = server.client();
  EXPECT_EQ(client->fetch({.target = "/who"})->body, "-");
  ClientTlsOptions tls;
  tls.ca_pem = test_file("ca.crt");
  tls.certificate_chain_pem = test_file("client.crt");
  tls.private_key_pem = test_file("client.key");
  ASSERT_TRUE(client->set_tls(tls));
  EXPECT_EQ(client->fetch({.target = "/who"})->body, "alice");
}

TEST(Client, BadUrlsAndRefusedConnections) {
  for (const char* url : {"", "localhost", "ftp://x", "https://", "https://h:99999", "http://u@h"}) {
    EXPECT_FALSE(Client::create({.url = url})) << url;
  }
  uint16_t port = 0;
  {
    TestServer server;
    port = server.start();
  }
  const auto refused = Client::create({.url = "http://127.0.0.1:" + std::to_string(port)}).value()->fetch({});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().reason, Reason::kServiceUnavailable);
  EXPECT_EQ(refused.error().message, "connect to 127.0.0.1:" + std::to_string(port) + ": Connection refused");
}

TEST(Client, ResponseLimit) {
  TestServer server;
  server.handler->table["/large"] = [](RequestPointer, WriterPointer writer) {
    writer->send(200, {}, std::string(5000, 'x'));
  };
  server.start();
  const auto client = server.client([](ClientOptions& options) { options.max_response_bytes = 4999; });
  const auto large = client->fetch({.target = "/large"});
  ASSERT_FALSE(large);
  EXPECT_EQ(large.error().reason, Reason::kInternalError);
}

TEST(Client, DestructionEndsWhatRuns) {
  TestServer server;
  std::vector<WriterPointer> writers;
  Signal arrived;
  server.handler->table["/never"] = [&](RequestPointer, WriterPointer writer) {
    writers.push_back(std::move(writer));
    arrived.set();
  };
  server.start();
  auto client = server.client();
  bool ended = false;
  client->request({.target = "/never"}, {}, [&](base::Result<Response> response) { ended = !response; });
  ASSERT_TRUE(arrived.wait());
  client.reset();
  EXPECT_TRUE(ended);
}

TEST(Client, TakesTheLoopItIsGiven) {
  TestServer server;
  server.start();
  const auto loop = Loop::start("given");
  {
    const auto client = server.client([&](ClientOptions& options) { options.loop = loop; });
    Signal done;
    client->request({.target = "/echo"}, {}, [&](base::Result<Response> response) {
      EXPECT_TRUE(response && loop->in_loop());
      done.set();
    });
    EXPECT_TRUE(done.wait());
  }
  loop->stop();
}

}  // namespace
}  // namespace net
