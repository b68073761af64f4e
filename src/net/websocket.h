// WebSocket (RFC 6455) over HTTP/1.1, the server's side: who answers a request for it starts the answer with status 101
// and websocket_headers(), and then writes frames. The session adds what HTTP/1.1 wants, answers pings, and ends the
// exchange when the client closes; messages from the client are read over. Pure but for the session's use; thread: any.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "net/http.h"

namespace net {

enum class WebSocketOpcode : uint8_t { kContinuation = 0, kText = 1, kBinary = 2, kClose = 8, kPing = 9, kPong = 10 };

// Does the request ask to speak WebSocket version 13, in a way that can be answered?
bool wants_websocket(const Request& request);
// The headers of the answer: upgrade and key.
Headers websocket_headers(const Request& request);
// What stands before a message of that size sent by a server: a whole message in one frame, unmasked.
std::string websocket_frame_header(WebSocketOpcode opcode, size_t size);
// A frame that says goodbye with a status code (1000 = all is well).
std::string websocket_close_frame(uint16_t code);

// Reads a client's frames as they come. Control frames carry at most 125 bytes, whole; what data frames carry is
// dropped.
class WebSocketReader {
 public:
  enum class Event : uint8_t { kNone, kPing, kClose, kProtocolError };
  // Takes bytes up to the end of the next control frame, off the front of `bytes`. kNone: all of them are taken.
  Event read(std::string_view& bytes);
  // What the last control frame carried.
  const std::string& payload() const { return payload_; }

 private:
  bool begin_frame();
  Event end_frame();

  std::string header_;  // of the frame being read, as far as it came
  std::string payload_;
  uint64_t left_ = 0;  // of the frame's payload
  uint8_t opcode_ = 0;
};

}  // namespace net
