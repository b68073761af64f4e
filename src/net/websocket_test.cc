#include "net/websocket.h"

#include <gtest/gtest.h>

#include "net/test_server.h"

namespace net {
namespace {

// A client's frame: masked with 1 2 3 4.
std::string client_frame(uint8_t first, std::string_view payload) {
  std::string frame{static_cast<char>(first), static_cast<char>(0x80 | payload.size()), 1, 2, 3, 4};
  for (size_t i = 0; i < payload.size(); ++i) frame += static_cast<char>(payload[i] ^ (i % 4 + 1));
  return frame;
}

TEST(WebSocket, FrameHeadersHaveThreeLengths) {
  EXPECT_EQ(websocket_frame_header(WebSocketOpcode::kText, 125), "\x81\x7d");
  EXPECT_EQ(websocket_frame_header(WebSocketOpcode::kBinary, 126), std::string("\x82\x7e\x00\x7e", 4));
  EXPECT_EQ(websocket_frame_header(WebSocketOpcode::kText, 0x10000), std::string("\x81\x7f\0\0\0\0\0\x01\0\0", 10));
}

TEST(WebSocket, ReaderTakesFramesInAnyPieces) {
  const std::string bytes = client_frame(0x81, "hello") + client_frame(0x89, "beat") + client_frame(0x88, "");
  for (size_t piece = 1; piece <= bytes.size(); ++piece) {
    WebSocketReader reader;
    std::vector<WebSocketReader::Event> events;
    std::string pinged;
    for (size_t at = 0; at < bytes.size(); at += piece) {
      std::string_view rest = std::string_view(bytes).substr(at, piece);
      while (!rest.empty()) {
        const auto event = reader.read(rest);
        if (event == WebSocketReader::Event::kNone) continue;
        if (event == WebSocketReader::Event::kPing) pinged = reader.payload();
        events.push_back(event);
      }
    }
    EXPECT_EQ(events, (std::vector{WebSocketReader::Event::kPing, WebSocketReader::Event::kClose})) << piece;
    EXPECT_EQ(pinged, "beat");
  }
}

TEST(WebSocket, ReaderRefusesWhatNoClientMaySend) {
  std::string unmasked = "\x81\x01x-----";
  std::string long_ping = client_frame(0x89, std::string(126, 'x'));  // its length reads as "two bytes follow"
  std::string cut_ping = client_frame(0x09, "x");
  std::string reserved = client_frame(0xc1, "x");
  for (const std::string& bytes : {unmasked, long_ping, cut_ping, reserved}) {
    WebSocketReader reader;
    std::string_view rest = bytes;
    EXPECT_EQ(reader.read(rest), WebSocketReader::Event::kProtocolError);
  }
}

constexpr std::string_view kHandshake =
    "GET /ws HTTP/1.1\r\nHost: x\r\nConnection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

TEST(WebSocket, ServerSpeaksFramesAfterTheHandshake) {
  TestServer server(Transport::kPlain);
  Signal closed;
  WriterPointer kept;
  server.handler->table["/ws"] = [&](RequestPointer request, WriterPointer writer) {
    ASSERT_TRUE(wants_websocket(*request));
    writer->start(101, websocket_headers(*request));
    writer->write(websocket_frame_header(WebSocketOpcode::kText, 2) + "hi");
    writer->on_closed([&] { closed.set(); });
    kept = writer;
  };
  server.start();
  RawSocket client(server.port);
  client.send(kHandshake);
  ASSERT_TRUE(client.read_until("\x81\x02hi"));
  EXPECT_TRUE(client.received.starts_with("HTTP/1.1 101 Switching Protocols\r\n"));
  // The key and its answer stand in RFC 6455.
  EXPECT_NE(client.received.find("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"), std::string::npos);
  EXPECT_NE(client.received.find("Connection: Upgrade\r\n"), std::string::npos);
  EXPECT_EQ(client.received.find("Transfer-Encoding"), std::string::npos);
  client.send(client_frame(0x89, "beat"));
  ASSERT_TRUE(
      client.read_until("\x8a\x04"
                        "beat"));
  client.send(client_frame(0x88, ""));
  EXPECT_TRUE(client.read_to_end());
  EXPECT_TRUE(client.received.ends_with(websocket_close_frame(1000)));
  EXPECT_TRUE(closed.wait());
}

TEST(WebSocket, BrokenFramesEndTheConnection) {
  TestServer server(Transport::kPlain);
  WriterPointer kept;
  server.handler->table["/ws"] = [&](RequestPointer request, WriterPointer writer) {
    writer->start(101, websocket_headers(*request));
    writer->write(websocket_frame_header(WebSocketOpcode::kText, 2) + "hi");
    kept = writer;
  };
  server.start();
  RawSocket client(server.port);
  client.send(kHandshake);
  ASSERT_TRUE(client.read_until("hi"));
  client.send("this is no frame");
  EXPECT_TRUE(client.read_to_end());
  EXPECT_TRUE(client.received.ends_with(websocket_close_frame(1002)));
}

}  // namespace
}  // namespace net
