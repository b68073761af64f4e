#include "net/websocket.h"

#include <openssl/evp.h>

#include <algorithm>

#include "codec/base64.h"

namespace net {
namespace {

constexpr std::string_view kKeySuffix = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
constexpr size_t kMaxControlBytes = 125;
constexpr size_t kMaskBytes = 4;
constexpr uint8_t kFinal = 0x80, kReserved = 0x70, kControl = 0x08, kMasked = 0x80;

// Is `token` among the comma-separated words of the headers of that name?
bool has_token(const Request& request, std::string_view name, std::string_view token) {
  for (std::string_view value : header_values(request.headers, name)) {
    while (!value.empty()) {
      const size_t comma = value.find(',');
      std::string_view word = value.substr(0, comma);
      value = comma == std::string_view::npos ? std::string_view() : value.substr(comma + 1);
      const size_t first = word.find_first_not_of(" \t");
      if (first == std::string_view::npos) continue;
      word = word.substr(first, word.find_last_not_of(" \t") - first + 1);
      if (equal_ignore_case(word, token)) return true;
    }
  }
  return false;
}

std::string accept_of(std::string_view key) {
  const std::string text = std::string(key) + std::string(kKeySuffix);
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  EVP_Digest(text.data(), text.size(), digest, &size, EVP_sha1(), nullptr);
  return codec::base64(std::string_view(reinterpret_cast<const char*>(digest), size));
}

}  // namespace

bool wants_websocket(const Request& request) {
  return request.version == HttpVersion::kHttp11 && request.method == "GET" &&
         has_token(request, "connection", "upgrade") && has_token(request, "upgrade", "websocket") &&
         request.header("sec-websocket-version") == "13" && !request.header("sec-websocket-key").empty();
}

Headers websocket_headers(const Request& request) {
  return {{"Upgrade", "websocket"}, {"Sec-WebSocket-Accept", accept_of(request.header("sec-websocket-key"))}};
}

std::string websocket_frame_header(WebSocketOpcode opcode, size_t size) {
  std::string out(1, static_cast<char>(kFinal | static_cast<uint8_t>(opcode)));
  int length_bytes = 0;
  if (size <= kMaxControlBytes) {
    out += static_cast<char>(size);
  } else {
    length_bytes = size <= 0xffff ? 2 : 8;
    out += static_cast<char>(length_bytes == 2 ? 126 : 127);
  }
  for (int shift = (length_bytes - 1) * 8; shift >= 0; shift -= 8) out += static_cast<char>(size >> shift & 0xff);
  return out;
}

std::string websocket_close_frame(uint16_t code) {
  std::string frame = websocket_frame_header(WebSocketOpcode::kClose, 2);
  frame += static_cast<char>(code >> 8);
  frame += static_cast<char>(code & 0xff);
  return frame;
}

namespace {

// Of a client's frame whose first two bytes are known: with length and mask.
size_t header_bytes(std::string_view start) {
  const int length = static_cast<uint8_t>(start[1]) & 0x7f;
  return 2 + (length == 126 ? 2 : length == 127 ? 8 : 0) + kMaskBytes;
}

}  // namespace

// False for what no client may send.
bool WebSocketReader::begin_frame() {
  const auto first = static_cast<uint8_t>(header_[0]), second = static_cast<uint8_t>(header_[1]);
  opcode_ = first & 0x0f;
  left_ = second & 0x7f;
  const size_t length_bytes = header_.size() - 2 - kMaskBytes;
  if (length_bytes > 0) left_ = 0;
  for (size_t i = 0; i < length_bytes; ++i) left_ = left_ << 8 | static_cast<uint8_t>(header_[2 + i]);
  const bool control = (opcode_ & kControl) != 0;
  if (control) payload_.clear();
  return (first & kReserved) == 0 && (second & kMasked) != 0 &&
         (!control || ((first & kFinal) != 0 && left_ <= kMaxControlBytes));
}

WebSocketReader::Event WebSocketReader::end_frame() {
  header_.clear();
  if (opcode_ == static_cast<uint8_t>(WebSocketOpcode::kClose)) return Event::kClose;
  if (opcode_ == static_cast<uint8_t>(WebSocketOpcode::kPing)) return Event::kPing;
  return Event::kNone;
}

WebSocketReader::Event WebSocketReader::read(std::string_view& bytes) {
  while (!bytes.empty()) {
    if (header_.size() < 2 || header_.size() < header_bytes(header_)) {
      header_ += bytes.front();
      bytes.remove_prefix(1);
      if (header_.size() < 2 || header_.size() < header_bytes(header_)) continue;
      if (!begin_frame()) return Event::kProtocolError;
    } else {
      const size_t count = static_cast<size_t>(std::min<uint64_t>(left_, bytes.size()));
      if ((opcode_ & kControl) != 0) {
        const std::string_view mask = std::string_view(header_).substr(header_.size() - kMaskBytes);
        for (char c : bytes.substr(0, count)) payload_ += static_cast<char>(c ^ mask[payload_.size() % kMaskBytes]);
      }
      bytes.remove_prefix(count);
      left_ -= count;
    }
    if (left_ > 0) continue;
    if (const Event event = end_frame(); event != Event::kNone) return event;
  }
  return Event::kNone;
}

}  // namespace net
