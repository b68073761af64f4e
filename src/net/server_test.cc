#include "net/server.h"

#include <gtest/gtest.h>

#include "net/test_server.h"

namespace net {
namespace {

TEST(Server, DatesOfHeaders) {
  EXPECT_EQ(http_date(base::WallTime(std::chrono::seconds(784111777))), "Sun, 06 Nov 1994 08:49:37 GMT");
}

TEST(Server, PortInUseIsNamed) {
  TestServer first(Transport::kPlain);
  const uint16_t port = first.start();
  TestServer second(Transport::kPlain, [&](ServerOptions& options) { options.port = port; });
  const auto refused = second.server->start();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message,
            "cannot listen on 127.0.0.1:" + std::to_string(port) + ": the address is already in use");
}

TEST(Server, ErrorBodiesComeFromTheResponder) {
  TestServer server(Transport::kTls, [](ServerOptions& options) {
    options.max_request_body_bytes = 10;
    options.error_responder = [](int status, std::string_view message, const Request* request) {
      return ErrorResponse{"application/json",
                           std::to_string(status) + "|" + std::string(message) + "|" + request->target};
    };
  });
  server.start();
  const auto response = server.client()->fetch({.method = "POST", .target = "/echo", .body = "more than ten bytes"});
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->status, 413);
  EXPECT_EQ(response->header("content-type"), "application/json");
  EXPECT_EQ(response->body, "413|the request's body is too large|/echo");
}

TEST(Server, ListensOnIpv6) {
  TestServer server(Transport::kPlain, [](ServerOptions& options) { options.bind_address = "::1"; });
  const auto port = server.server->start();
  if (!port) GTEST_SKIP() << port.error().message;
  server.handler->table["/from"] = [](RequestPointer request, WriterPointer writer) {
    writer->send(200, {}, request->connection->remote_address);
  };
  const auto client = Client::create({.url = "http://[::1]:" + std::to_string(*port)}).value();
  EXPECT_TRUE(client->fetch({.target = "/from"})->body.starts_with("[::1]:"));
}

struct Variant {
  const char* name;
  Transport transport;
  ProtocolChoice protocol;
  HttpVersion version;
};
void PrintTo(const Variant& variant, std::ostream* out) { *out << variant.name; }

// What must be the same over every protocol.
class EveryProtocol : public testing::TestWithParam<Variant> {
 protected:
  EveryProtocol() : server_(GetParam().transport, [](ServerOptions& options) { options.loops = 2; }) {
    server_.start();
  }
  std::shared_ptr<Client> client() {
    return server_.client([](ClientOptions& options) { options.protocol = GetParam().protocol; });
  }
  TestServer server_;
};

INSTANTIATE_TEST_SUITE_P(
    Net, EveryProtocol,
    testing::Values(Variant{"h2", Transport::kTls, ProtocolChoice::kAuto, HttpVersion::kHttp2},
                    Variant{"h1", Transport::kTls, ProtocolChoice::kHttp1Only, HttpVersion::kHttp11},
                    Variant{"plain", Transport::kPlain, ProtocolChoice::kAuto, HttpVersion::kHttp11}),
    [](const auto& info) { return info.param.name; });

TEST_P(EveryProtocol, RequestAndAnswer) {
  const auto client = this->client();
  for (const std::string method : {"GET", "POST", "PUT", "PATCH", "DELETE", "FOO", "get"}) {
    const std::string body = method == "GET" || method == "get" ? "" : std::string(100'000, 'b');
    const auto response = client->fetch({.method = method, .target = "/echo?a=1&b=%20", .headers = {}, .body = body});
    ASSERT_TRUE(response) << response.error().message;
    EXPECT_EQ(response->status, 200);
    EXPECT_EQ(response->version, GetParam().version);
    EXPECT_EQ(response->header("X-Method"), method);
    EXPECT_EQ(response->header("content-length"), std::to_string(response->body.size()));
    EXPECT_FALSE(response->header("date").empty());
    EXPECT_EQ(response->body, "/echo?a=1&b=%20|" + body);
  }
  EXPECT_EQ(server_.server->stats().connections_accepted, 1u);
  EXPECT_EQ(client->fetch({.target = "/none"})->status, 404);
}

TEST_P(EveryProtocol, HeadAndNoContent) {
  server_.handler->table["/empty"] = [](RequestPointer, WriterPointer writer) { writer->send(204, {}, {}); };
  const auto client = this->client();
  const auto head = client->fetch({.method = "HEAD", .target = "/echo"});
  ASSERT_TRUE(head) << head.error().message;
  EXPECT_EQ(head->body, "");
  EXPECT_EQ(head->header("content-length"), "6");
  EXPECT_EQ(client->fetch({.target = "/empty"})->status, 204);
  EXPECT_EQ(client->fetch({.target = "/echo"})->body, "/echo|");
}

TEST_P(EveryProtocol, AnswersFromOtherThreads) {
  std::vector<std::thread> threads;
  std::mutex mutex;
  server_.handler->table["/later"] = [&](RequestPointer request, WriterPointer writer) {
    const std::lock_guard lock(mutex);
    threads.emplace_back([request, writer] { writer->send(200, {}, "later " + std::string(request->query())); });
  };
  const auto client = this->client();
  std::atomic<int> good = 0;
  Signal all;
  constexpr int kRequests = 50;
  for (int i = 0; i < kRequests; ++i) {
    client->request({.target = "/later?" + std::to_string(i)}, {}, [&, i](base::Result<Response> response) {
      if (response && response->body == "later " + std::to_string(i) && ++good == kRequests) all.set();
    });
  }
  EXPECT_TRUE(all.wait());
  for (auto& thread : threads) thread.join();
}

TEST_P(EveryProtocol, StreamsInOrder) {
  const base::SharedBytes shared(std::string(1000, 's'));
  std::thread worker;
  server_.handler->table["/stream"] = [&](RequestPointer, WriterPointer writer) {
    worker = std::thread([shared, writer] {
      writer->start(200, {{"content-type", "application/json"}});
      for (int i = 0; i < 100; ++i) {
        writer->write(std::to_string(i) + "\n");
        writer->write(std::vector{shared, shared});
      }
      writer->finish();
    });
  };
  std::string expected;
  for (int i = 0; i < 100; ++i) expected += std::to_string(i) + "\n" + std::string(2000, 's');
  const auto response = client()->fetch({.target = "/stream"});
  worker.join();
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->body, expected);
  EXPECT_EQ(response->header("content-length"), "");
}

TEST_P(EveryProtocol, LaterWritesKeepTheirPlaceAndLeaveWithAFlush) {
  std::thread worker;
  Signal arrived;
  server_.handler->table["/stream"] = [&](RequestPointer, WriterPointer writer) {
    worker = std::thread([&, writer] {
      writer->start(200, {});
      writer->write_later(base::SharedBytes("first\n"));
      writer->flush();
      EXPECT_TRUE(arrived.wait());
      for (int i = 0; i < 100; ++i) {
        writer->write_later(base::SharedBytes(std::to_string(i) + "\n"));
        if (i % 3 == 0) writer->flush();
        if (i % 7 == 0) writer->write("now\n");
      }
      writer->finish();
    });
  };
  std::string expected = "first\n", body;
  for (int i = 0; i < 100; ++i) expected += std::to_string(i) + (i % 7 == 0 ? "\nnow\n" : "\n");
  Signal ended;
  const auto client = this->client();
  const auto call = client->stream({.target = "/stream"}, {},
                                   {.on_headers = nullptr,
                                    .on_data =
                                        [&](std::string_view data) {
                                          body += data;
                                          arrived.set();
                                        },
                                    .on_end = [&](base::Result<void>) { ended.set(); }});
  EXPECT_TRUE(ended.wait());
  worker.join();
  EXPECT_EQ(body, expected);
}

TEST_P(EveryProtocol, LargeBodiesOfSharedPieces) {
  const base::SharedBytes megabyte(std::string(1 << 20, 'm'));
  server_.handler->table["/large"] = [&](RequestPointer, WriterPointer writer) {
    writer->send(200, {}, std::vector<base::SharedBytes>(20, megabyte));
  };
  const auto client = this->client();
  for (int i = 0; i < 2; ++i) EXPECT_EQ(client->fetch({.target = "/large"})->body.size(), 20u << 20);
}

TEST_P(EveryProtocol, DroppedWriterIsAnError) {
  server_.handler->table["/drop"] = [](RequestPointer, WriterPointer) {};
  EXPECT_EQ(client()->fetch({.target = "/drop"})->status, 500);
  EXPECT_EQ(client()->fetch({.target = "/echo"})->status, 200);
}

TEST_P(EveryProtocol, AbortAndDropCutAStreamOff) {
  server_.handler->table["/abort"] = [](RequestPointer, WriterPointer writer) {
    writer->start(200, {});
    writer->write("part");
    writer->abort();
  };
  server_.handler->table["/drop"] = [](RequestPointer, WriterPointer writer) {
    writer->start(200, {});
    writer->write("part");
  };
  for (const char* path : {"/abort", "/drop"}) {
    const auto response = client()->fetch({.target = path});
    ASSERT_FALSE(response) << path;
    EXPECT_EQ(response.error().reason, base::Reason::kServiceUnavailable);
  }
}

TEST_P(EveryProtocol, BodyLimit) {
  const auto client = this->client();
  const auto exact =
      client->fetch({.method = "POST", .target = "/echo", .body = std::string(kMaxRequestBodyBytes, 'x')});
  ASSERT_TRUE(exact) << exact.error().message;
  EXPECT_EQ(exact->status, 200);
  const auto above =
      client->fetch({.method = "POST", .target = "/echo", .body = std::string(kMaxRequestBodyBytes + 1, 'x')});
  ASSERT_TRUE(above) << above.error().message;
  EXPECT_EQ(above->status, 413);
  EXPECT_EQ(client->fetch({.target = "/echo"})->status, 200);
}

TEST_P(EveryProtocol, HeaderLimit) {
  const auto client = this->client();
  Headers many;
  for (int i = 0; i < 4; ++i) many.push_back({"x-large", std::string(20'000, 'x')});
  const auto above = client->fetch({.target = "/echo", .headers = many});
  ASSERT_TRUE(above) << above.error().message;
  EXPECT_EQ(above->status, 431);
  const auto below = client->fetch({.target = "/echo", .headers = {{"x-large", std::string(40'000, 'x')}}});
  EXPECT_EQ(below->status, 200);
}

TEST_P(EveryProtocol, ClosedIsToldWhenTheClientLeaves) {
  Signal closed;
  Signal started;
  WriterPointer kept;
  server_.handler->table["/watch"] = [&](RequestPointer, WriterPointer writer) {
    writer->on_closed([&, writer] {
      EXPECT_TRUE(writer->closed());
      closed.set();
    });
    writer->start(200, {});
    writer->write("event\n");
    kept = std::move(writer);
  };
  const auto client = this->client();
  const auto call = client->stream({.target = "/watch"}, {},
                                   {.on_headers = nullptr, .on_data = [&](auto) { started.set(); }, .on_end = nullptr});
  ASSERT_TRUE(started.wait());
  call->cancel();
  ASSERT_TRUE(closed.wait());
  EXPECT_EQ(kept->write("more"), 0u);
}

TEST_P(EveryProtocol, DrainedTellsWhenTheClientHasRead) {
  Signal drained;
  std::atomic<size_t> most = 0;
  const base::SharedBytes piece(std::string(64 * 1024, 'p'));
  server_.handler->table["/big"] = [&](RequestPointer, WriterPointer writer) {
    writer->start(200, {});
    // A producer with a bounded buffer: writes until 256 KiB wait, goes on when less than 64 KiB do.
    auto sent = std::make_shared<int>(0);
    auto more = std::make_shared<std::function<void()>>();
    *more = [&, writer, sent, more] {
      while (*sent < 200) {
        ++*sent;
        const size_t buffered = writer->write(piece);
        most = std::max(most.load(), buffered);
        if (buffered > 256 * 1024) return writer->on_drained(64 * 1024, [more] { (*more)(); });
      }
      writer->finish();
      drained.set();
      writer->on_drained(0, [more] { *more = nullptr; });
    };
    (*more)();
  };
  EXPECT_EQ(client()->fetch({.target = "/big"})->body.size(), 200u * 64 * 1024);
  EXPECT_TRUE(drained.wait());
  EXPECT_LE(most, 320u * 1024);
}

TEST_P(EveryProtocol, StopLetsStreamsEnd) {
  Signal started;
  server_.handler->table["/watch"] = [&](RequestPointer, WriterPointer writer) {
    writer->on_closed([writer] {
      writer->write("last");
      writer->finish();
    });
    writer->start(200, {});
    writer->write("first ");
  };
  const auto client = this->client();
  std::string data;
  Signal ended;
  const auto call = client->stream({.target = "/watch"}, {},
                                   {.on_headers = nullptr,
                                    .on_data =
                                        [&](std::string_view bytes) {
                                          data += bytes;
                                          started.set();
                                        },
                                    .on_end =
                                        [&](const base::Result<void>& outcome) {
                                          EXPECT_TRUE(outcome) << outcome.error().message;
                                          ended.set();
                                        }});
  ASSERT_TRUE(started.wait());
  const auto before = std::chrono::steady_clock::now();
  server_.server->stop(std::chrono::seconds(10));
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(5));
  ASSERT_TRUE(ended.wait());
  EXPECT_EQ(data, "first last");
}

TEST_P(EveryProtocol, StopCutsOffWhatDoesNotEnd) {
  WriterPointer kept;
  Signal started;
  Signal ended;
  server_.handler->table["/watch"] = [&](RequestPointer, WriterPointer writer) {
    writer->start(200, {});
    writer->write("first");
    kept = std::move(writer);
  };
  const auto client = this->client();
  const auto call = client->stream({.target = "/watch"}, {},
                                   {.on_headers = nullptr,
                                    .on_data = [&](auto) { started.set(); },
                                    .on_end =
                                        [&](const base::Result<void>& outcome) {
                                          EXPECT_FALSE(outcome);
                                          ended.set();
                                        }});
  ASSERT_TRUE(started.wait());
  server_.server->stop(std::chrono::milliseconds(20));
  EXPECT_TRUE(ended.wait());
  EXPECT_TRUE(kept->closed());
  kept->write("into the void");  // a stopped loop takes it and drops it
  EXPECT_EQ(server_.server->stats().connections_open, 0u);
}

TEST(ServerTls, ClientCertificates) {
  TestServer server;
  server.handler->table["/who"] = [](RequestPointer request, WriterPointer writer) {
    std::string who = request->peer ? request->peer->common_name : "-";
    for (const auto& group : request->peer ? request->peer->organizations : std::vector<std::string>())
      who += "," + group;
    who += " presented=" + std::to_string(request->connection->presented_chain_der.size());
    who += " rejection=" + request->connection->peer_rejection;
    writer->send(200, {}, who);
  };
  server.start();
  const auto ask = [&](const std::string& name) {
    const auto client = server.client([&](ClientOptions& options) {
      if (name.empty()) return;
      options.tls.certificate_chain_pem = test_file(name + ".crt");
      options.tls.private_key_pem = test_file(name + ".key");
    });
    return client->fetch({.target = "/who"})->body;
  };
  EXPECT_EQ(ask(""), "- presented=0 rejection=");
  EXPECT_EQ(ask("client"), "alice,system:masters,team presented=1 rejection=");
  EXPECT_EQ(ask("stranger"), "- presented=1 rejection=unable to get local issuer certificate");
  EXPECT_EQ(ask("server"), "- presented=1 rejection=unsuitable certificate purpose");
}

TEST(ServerTls, CertificateIsReplacedAtRunTime) {
  TestServer server;
  server.start();
  const auto old_client = server.client();
  EXPECT_TRUE(old_client->fetch({.target = "/echo"}));
  server.server->set_tls(make_server_tls({test_file("server2.crt"), test_file("server2.key"), ""}).value());
  EXPECT_TRUE(old_client->fetch({.target = "/echo"}));  // an open connection stays
  EXPECT_FALSE(server.client()->fetch({.target = "/echo"}));
  const auto trusting = [](ClientOptions& options) { options.tls.ca_pem = test_file("other-ca.crt"); };
  EXPECT_TRUE(server.client(trusting)->fetch({.target = "/echo"}));
}

TEST(ServerTls, BadPemIsAnError) {
  EXPECT_FALSE(make_server_tls({"", "", ""}));
  EXPECT_FALSE(make_server_tls({test_file("server.crt"), test_file("client.key"), ""}));
  EXPECT_FALSE(make_server_tls({test_file("server.crt"), test_file("server.key"), "no CA"}));
}

}  // namespace
}  // namespace net
