// The words of HTTP that server and client share: headers, bodies made of shared pieces, requests. Plain data.
// Thread: a value belongs to whoever holds it; Body pieces may be shared between threads.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"

namespace net {

// Names arrive and leave in lower case on HTTP/2, as written on HTTP/1.1; look-ups ignore case.
struct Header {
  std::string name;
  std::string value;
};
using Headers = std::vector<Header>;

// The first header of that name, or null.
const std::string* find_header(const Headers& headers, std::string_view name);
// The first header's value, or "".
std::string_view header_value(const Headers& headers, std::string_view name);
// Every value of that name, in order.
std::vector<std::string_view> header_values(const Headers& headers, std::string_view name);
// Replaces every header of that name by one.
void set_header(Headers& headers, std::string_view name, std::string_view value);
bool equal_ignore_case(std::string_view a, std::string_view b);
// "Not Found" for 404; "" for codes without a registered phrase.
std::string_view status_phrase(int status);
// As headers write a time (RFC 9110): "Sun, 06 Nov 1994 08:49:37 GMT".
std::string http_date(base::WallTime time);

// A piece of a body: an own string, or a slice of shared bytes (no copy until TLS encrypts it).
class Chunk {
 public:
  Chunk() = default;
  explicit Chunk(std::string bytes) : owned_(std::move(bytes)), size_(owned_.size()) {}
  explicit Chunk(base::SharedBytes bytes) : shared_(std::move(bytes)), size_(shared_.size()) {}
  Chunk(base::SharedBytes bytes, size_t offset, size_t size)
      : shared_(std::move(bytes)), offset_(offset), size_(size) {}
  std::string_view view() const {
    return shared_.empty() ? std::string_view(owned_) : shared_.view().substr(offset_, size_);
  }
  size_t size() const { return size_; }

 private:
  std::string owned_;
  base::SharedBytes shared_;
  size_t offset_ = 0;
  size_t size_ = 0;
};

// A body, or a part of a streamed one: pieces in order.
class Body {
 public:
  Body() = default;
  Body(std::string bytes) { append(std::move(bytes)); }         // NOLINT(google-explicit-constructor)
  Body(std::string_view bytes) { append(std::string(bytes)); }  // NOLINT(google-explicit-constructor)
  Body(const char* bytes) { append(std::string(bytes)); }       // NOLINT(google-explicit-constructor)
  Body(base::SharedBytes bytes) { append(std::move(bytes)); }   // NOLINT(google-explicit-constructor)
  Body(std::vector<base::SharedBytes> pieces) {                 // NOLINT(google-explicit-constructor)
    for (auto& piece : pieces) append(std::move(piece));
  }
  void append(std::string bytes) { append(Chunk(std::move(bytes))); }
  void append(base::SharedBytes bytes) { append(Chunk(std::move(bytes))); }
  void append(base::SharedBytes bytes, size_t offset, size_t size) { append(Chunk(std::move(bytes), offset, size)); }
  void append(Chunk chunk) {
    if (chunk.size() == 0) return;
    size_ += chunk.size();
    chunks_.push_back(std::move(chunk));
  }
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  std::vector<Chunk>& chunks() { return chunks_; }
  const std::vector<Chunk>& chunks() const { return chunks_; }
  std::string to_string() const;

 private:
  std::vector<Chunk> chunks_;
  size_t size_ = 0;
};

enum class HttpVersion : uint8_t { kHttp10, kHttp11, kHttp2 };

// Who a verified client certificate says that the client is.
struct PeerIdentity {
  std::string common_name;                 // user name
  std::vector<std::string> organizations;  // groups
  std::string uid;                         // Compat: the subject attribute 1.3.6.1.4.1.57683.2, "" when absent
  std::string certificate_der;
  base::WallTime not_after;  // a connection may outlive the certificate: the authenticator looks at the time again
};

// What is the same for all requests of a connection. Immutable once requests arrive.
struct ConnectionInfo {
  std::string remote_address;  // "127.0.0.1:53210", "[::1]:53210"
  std::string local_address;
  std::string tls_version;                   // "TLSv1.3"; "" without TLS
  std::shared_ptr<const PeerIdentity> peer;  // null unless the client's chain verifies against the client CA
  // What the client presented, leaf first, verified or not: for authenticators with a CA of their own (front proxy).
  std::vector<std::string> presented_chain_der;
  std::string peer_rejection;  // why a presented certificate did not verify; "" when none was presented or it did
};

struct Request {
  std::string method;
  std::string target;  // raw path and query, as sent: "/api/v1/pods?watch=1"
  std::string host;    // ":authority" or Host
  Headers headers;     // without pseudo-headers
  std::string body;    // whole
  HttpVersion version = HttpVersion::kHttp11;
  std::shared_ptr<const PeerIdentity> peer;          // = connection->peer; here so that tests can set it alone
  std::shared_ptr<const ConnectionInfo> connection;  // null in requests that never crossed a network

  std::string_view path() const { return std::string_view(target).substr(0, target.find('?')); }
  // After the '?', without it.
  std::string_view query() const {
    const size_t mark = target.find('?');
    return mark == std::string::npos ? std::string_view() : std::string_view(target).substr(mark + 1);
  }
  std::string_view header(std::string_view name) const { return header_value(headers, name); }
};

struct Response {
  int status = 0;
  Headers headers;
  std::string body;
  HttpVersion version = HttpVersion::kHttp11;
  std::string_view header(std::string_view name) const { return header_value(headers, name); }
};

}  // namespace net
