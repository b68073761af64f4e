// Clients that misbehave: half-open, slow, aborting, oversized, garbage. The server answers or hangs up, and goes on.
#include <gtest/gtest.h>

#include "net/test_server.h"

namespace net {
namespace {

using std::chrono::milliseconds;

class FaultTest : public testing::Test {
 protected:
  void start(Transport transport) {
    server_ = std::make_unique<TestServer>(transport, [&](ServerOptions& options) {
      options.handshake_timeout = limits_.handshake;
      options.header_timeout = limits_.header;
      options.body_timeout = limits_.body;
      options.idle_timeout = limits_.idle;
      options.write_stall_timeout = limits_.stall;
      options.max_concurrent_streams = 3;
    });
    server_->start();
  }
  // Whatever happened before, the next client is served.
  void expect_alive() {
    const auto response = server_->client()->fetch({.target = "/echo"});
    ASSERT_TRUE(response) << response.error().message;
    EXPECT_EQ(response->status, 200);
  }

  struct {
    milliseconds handshake{10'000}, header{10'000}, body{10'000}, idle{10'000}, stall{10'000};
  } limits_;
  std::unique_ptr<TestServer> server_;
};

TEST_F(FaultTest, HalfOpenConnectionIsClosed) {
  limits_.handshake = milliseconds(50);
  start(Transport::kTls);
  RawSocket silent(server_->port);
  EXPECT_TRUE(silent.read_to_end());
  expect_alive();
}

TEST_F(FaultTest, IdleConnectionIsClosed) {
  limits_.idle = milliseconds(50);
  start(Transport::kPlain);
  RawSocket http1(server_->port);
  http1.send("GET /echo HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_TRUE(http1.read_to_end());
  EXPECT_TRUE(http1.received.starts_with("HTTP/1.1 200 OK\r\n"));
  expect_alive();
}

TEST_F(FaultTest, SlowHeadersAndBodies) {
  limits_.header = limits_.body = milliseconds(50);
  start(Transport::kPlain);
  for (const char* part : {"GET /ec", "GET /echo HTTP/1.1\r\nHost: h\r\nX",
                           "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nab"}) {
    RawSocket slow(server_->port);
    slow.send(part);
    EXPECT_TRUE(slow.read_to_end());
    EXPECT_TRUE(slow.received.starts_with("HTTP/1.1 408 Request Timeout\r\n")) << slow.received;
  }
  expect_alive();
}

TEST_F(FaultTest, GarbageOnTheTlsPort) {
  start(Transport::kTls);
  for (const std::string& garbage :
       {std::string(100, '\0'), std::string("\x16\x03\x01\xff\xff garbage"), std::string("\x80\x01")}) {
    RawSocket client(server_->port);
    client.send(garbage);
    if (garbage[0] == '\x16') client.reset();
  }
  RawSocket plain(server_->port);
  plain.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_TRUE(plain.read_to_end());
  EXPECT_EQ(plain.received, "HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n");
  expect_alive();
}

TEST_F(FaultTest, MalformedRequests) {
  start(Transport::kPlain);
  const std::pair<const char*, const char*> cases[] = {
      {"\x01\x02\x03 garbage\r\n\r\n", "400 Bad Request"},
      {"GET /echo\r\n\r\n", "400 Bad Request"},
      {"GET /echo HTTP/1.1\r\n\r\n", "400 Bad Request"},
      {"GET /echo HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "400 Bad Request"},
      {"GET /echo HTTP/1.1\r\nHost: h\r\nBad Name: x\r\n\r\n", "400 Bad Request"},
      {"POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
       "400 Bad Request"},
      {"POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: -3\r\n\r\n", "400 Bad Request"},
      {"POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "400 Bad Request"},
      {"POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999\r\n\r\n", "413 Request Entity Too Large"},
      {"PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n", "505 HTTP Version Not Supported"},
  };
  for (const auto& [request, status] : cases) {
    RawSocket client(server_->port);
    client.send(request);
    EXPECT_TRUE(client.read_to_end());
    EXPECT_TRUE(client.received.starts_with(std::string("HTTP/1.1 ") + status + "\r\n")) << request << client.received;
    EXPECT_NE(client.received.find("Connection: close\r\n"), std::string::npos);
  }
  EXPECT_EQ(server_->server->stats().requests_refused, std::size(cases));
  expect_alive();
}

TEST_F(FaultTest, PipelinedRequestsAreAnsweredInOrder) {
  start(Transport::kPlain);
  std::vector<std::thread> workers;
  server_->handler->table["/later"] = [&](RequestPointer request, WriterPointer writer) {
    workers.emplace_back([request, writer] { writer->send(200, {}, "<" + request->target + ">"); });
  };
  RawSocket client(server_->port);
  std::string requests;
  for (int i = 0; i < 20; ++i) {
    requests += "GET /later?" + std::to_string(i) + " HTTP/1.1\r\nHost: h\r\n" +
                (i == 19 ? "Connection: close\r\n\r\n" : "\r\n");
  }
  client.send(requests);
  EXPECT_TRUE(client.read_to_end());
  size_t at = 0;
  for (int i = 0; i < 20; ++i) {
    at = client.received.find("</later?" + std::to_string(i) + ">", at);
    ASSERT_NE(at, std::string::npos) << i;
  }
  for (auto& worker : workers) worker.join();
}

TEST_F(FaultTest, ExpectContinueAndChunkedRequest) {
  start(Transport::kPlain);
  RawSocket client(server_->port);
  client.send("POST /echo HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n");
  ASSERT_TRUE(client.read_until("HTTP/1.1 100 Continue\r\n\r\n"));
  client.send("3\r\nabc\r\n2\r\nde\r\n0\r\nX-Trailer: t\r\n\r\n");
  EXPECT_TRUE(client.read_until("/echo|abcde"));
  client.send("GET http://h/echo?abs HTTP/1.0\r\n\r\n");
  EXPECT_TRUE(client.read_to_end());
  EXPECT_NE(client.received.find("/echo?abs|"), std::string::npos);
}

TEST_F(FaultTest, ClientThatAbortsIsForgotten) {
  start(Transport::kPlain);
  Signal closed;
  server_->handler->table["/never"] = [&](RequestPointer, WriterPointer writer) {
    writer->on_closed([&, writer] { closed.set(); });
  };
  RawSocket half(server_->port);
  half.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nhalf");
  half.reset();
  RawSocket waiting(server_->port);
  waiting.send("GET /never HTTP/1.1\r\nHost: h\r\n\r\n");
  waiting.reset();
  EXPECT_TRUE(closed.wait());
  expect_alive();
}

TEST_F(FaultTest, ClientThatDoesNotReadIsCutOff) {
  limits_.stall = milliseconds(100);
  start(Transport::kPlain);
  Signal closed;
  const base::SharedBytes megabyte(std::string(1 << 20, 'm'));
  server_->handler->table["/endless"] = [&](RequestPointer, WriterPointer writer) {
    writer->start(200, {});
    writer->on_closed([&, writer] { closed.set(); });
    writer->write(std::vector<base::SharedBytes>(64, megabyte));
  };
  RawSocket client(server_->port);
  client.send("GET /endless HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_TRUE(closed.wait());
  expect_alive();
}

// --- HTTP/2, frame by frame ---

std::string frame(uint8_t type, uint8_t flags, uint32_t stream, const std::string& payload) {
  std::string bytes;
  const auto size = static_cast<uint32_t>(payload.size());
  for (const int shift : {16, 8, 0}) bytes += static_cast<char>(size >> shift);
  bytes += static_cast<char>(type);
  bytes += static_cast<char>(flags);
  for (const int shift : {24, 16, 8, 0}) bytes += static_cast<char>(stream >> shift);
  return bytes + payload;
}

const std::string kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
constexpr uint8_t kHeaders = 1, kReset = 3, kSettings = 4, kGoAway = 7, kContinuation = 9;
constexpr uint8_t kEndStream = 1, kEndHeaders = 4;

// GET <path>: static table entries, and the path as a literal.
std::string get_block(const std::string& path) {
  return std::string("\x82\x86\x04") + static_cast<char>(path.size()) + path + "\x41\x01h";
}

TEST_F(FaultTest, TooManyStreamsAreRefused) {
  start(Transport::kPlain);
  std::vector<WriterPointer> writers;
  server_->handler->table["/never"] = [&](RequestPointer, WriterPointer writer) {
    writers.push_back(std::move(writer));
  };
  std::string four;
  for (uint32_t i = 0; i < 4; ++i) four += frame(kHeaders, kEndStream | kEndHeaders, 2 * i + 1, get_block("/never"));
  RawSocket unaware(server_->port);
  unaware.send(kPreface + frame(kSettings, 0, 0, "") + four);
  EXPECT_TRUE(unaware.read_until(frame(kReset, 0, 7, std::string("\0\0\0\x07", 4))));
  RawSocket aware(server_->port);
  aware.send(kPreface + frame(kSettings, 0, 0, ""));
  ASSERT_TRUE(aware.read_until(frame(kSettings, 1, 0, "")));
  aware.send(frame(kSettings, 1, 0, "") + four);
  EXPECT_TRUE(aware.read_to_end());
  expect_alive();
}

TEST_F(FaultTest, EndlessHeadersAreCutOff) {
  start(Transport::kPlain);
  RawSocket client(server_->port);
  std::string bytes = kPreface + frame(kSettings, 0, 0, "") + frame(kHeaders, kEndStream, 1, get_block("/echo"));
  for (int i = 0; i < 64; ++i) bytes += frame(kContinuation, 0, 1, "");
  client.send(bytes);
  EXPECT_TRUE(client.read_to_end());
  expect_alive();
}

TEST_F(FaultTest, GarbageInsideHttp2) {
  start(Transport::kPlain);
  for (const std::string& bad :
       {frame(kHeaders, kEndHeaders, 1, "\xff\xff\xff\xff\xff\xff"), frame(kHeaders, kEndHeaders, 2, get_block("/")),
        frame(kSettings, 0, 0, "odd"), std::string(50, '\xff')}) {
    RawSocket client(server_->port);
    client.send(kPreface + frame(kSettings, 0, 0, "") + bad);
    EXPECT_TRUE(client.read_to_end());
  }
  expect_alive();
}

TEST_F(FaultTest, RapidResetsEndTheConnection) {
  start(Transport::kPlain);
  RawSocket client(server_->port);
  std::string bytes = kPreface + frame(kSettings, 0, 0, "");
  for (uint32_t i = 0; i < 3000; ++i) {
    bytes += frame(kHeaders, kEndStream | kEndHeaders, 2 * i + 1, get_block("/echo"));
    bytes += frame(kReset, 0, 2 * i + 1, std::string("\0\0\0\x08", 4));
  }
  client.send(bytes);
  EXPECT_TRUE(client.read_to_end());
  expect_alive();
}

TEST_F(FaultTest, StreamWhoseWindowStaysClosedIsReset) {
  limits_.stall = milliseconds(100);
  start(Transport::kPlain);
  server_->handler->table["/large"] = [](RequestPointer, WriterPointer writer) {
    writer->send(200, {}, std::string(1 << 20, 'x'));
  };
  RawSocket client(server_->port);
  client.send(kPreface + frame(kSettings, 0, 0, "") +
              frame(kHeaders, kEndStream | kEndHeaders, 1, get_block("/large")));
  EXPECT_TRUE(client.read_until(frame(kReset, 0, 1, std::string("\0\0\0\x08", 4))));
  expect_alive();
}

TEST_F(FaultTest, SlowHttp2RequestIsReset) {
  limits_.body = milliseconds(50);
  start(Transport::kPlain);
  RawSocket client(server_->port);
  client.send(kPreface + frame(kSettings, 0, 0, "") + frame(kHeaders, kEndHeaders, 1, get_block("/echo")));
  EXPECT_TRUE(client.read_until(frame(kReset, 0, 1, std::string("\0\0\0\x08", 4))));
  expect_alive();
}

TEST_F(FaultTest, IdleHttp2ConnectionIsToldToGoAway) {
  limits_.idle = milliseconds(50);
  start(Transport::kPlain);
  RawSocket client(server_->port);
  client.send(kPreface + frame(kSettings, 0, 0, ""));
  EXPECT_TRUE(client.read_to_end());
  EXPECT_NE(client.received.find(frame(kGoAway, 0, 0, std::string(8, '\0'))), std::string::npos);
}

TEST_F(FaultTest, ConnectionLimit) {
  server_ =
      std::make_unique<TestServer>(Transport::kPlain, [](ServerOptions& options) { options.max_connections = 1; });
  server_->start();
  RawSocket first(server_->port);
  first.send("GET /echo HTTP/1.1\r\nHost: h\r\n\r\n");
  ASSERT_TRUE(first.read_until("/echo|"));
  RawSocket second(server_->port);
  EXPECT_TRUE(second.read_to_end());
  EXPECT_EQ(second.received, "");
  EXPECT_EQ(server_->server->stats().connections_refused, 1u);
}

// curl, when it is there, is a client that we did not write.
TEST_F(FaultTest, CurlOverBothProtocols) {
  if (std::system("curl --version >/dev/null 2>&1") != 0) GTEST_SKIP() << "no curl";
  start(Transport::kTls);
  for (const std::string version : {"--http2", "--http1.1"}) {
    const std::string command =
        "curl -sS -m 10 " + version +
        " --cacert src/net/testdata/ca.crt -d hello -o /dev/null -w '%{http_version} %{http_code}' https://localhost:" +
        std::to_string(server_->port) + "/echo";
    FILE* pipe = ::popen(command.c_str(), "r");
    char output[64] = "";
    ASSERT_NE(fgets(output, sizeof output, pipe), nullptr);
    EXPECT_EQ(::pclose(pipe), 0);
    EXPECT_EQ(std::string(output), version == "--http2" ? "2 200" : "1.1 200");
  }
}

}  // namespace
}  // namespace net
