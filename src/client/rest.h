// The API over HTTP, without a network: calls to requests, answers to objects and errors, a watch's bytes to events.
// Objects are protobuf with upstream's envelope, or JSON where a server has no protobuf; what comes out is always the
// message's protobuf. Pure. Thread: a WatchReader has one owner, the rest any.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "client/transport.h"
#include "net/client.h"

namespace client {

// Of request bodies; answers tell themselves what they are.
enum class Encoding : uint8_t { kProtobuf, kJson };

net::ClientRequest make_request(const Call& call, Encoding encoding, const std::string& field_manager);
struct ListPosition {
  int64_t limit = 0;  // 0 = everything
  std::string continue_token;
};
net::ClientRequest make_list_request(const ListCall& call, const ListPosition& position);
net::ClientRequest make_watch_request(const ListCall& call, int64_t revision, base::Duration timeout);

bool is_success(int status);
// Of an answer whose status is none of success. Compat: the reasons that client-go gives to answers without a Status.
base::Error read_error(int status, const net::Headers& headers, std::string_view body);
// The object of an answer; empty when it is a Status. The caller has looked at the HTTP status.
base::Result<RawObject> read_object(const schema::Resource& resource, const net::Response& response);
struct ListPage {
  ListResult result;
  std::string continue_token;  // "" = the last page
};
base::Result<ListPage> read_list(const schema::Resource& resource, const net::Response& response);

// Cuts a watch's bytes into events.
class WatchReader {
 public:
  WatchReader(const schema::Resource& resource, std::string_view content_type);
  // Hands out every event that is whole by now. An error ends the watch: the server's (kExpired, kGone, …), or
  // kInternalError when the bytes are no events.
  base::Result<void> feed(std::string_view bytes, const std::function<void(const WatchEvent&)>& each);

 private:
  base::Result<size_t> next_frame(std::string_view bytes, std::string_view& frame) const;
  base::Result<WatchEvent> read_frame(std::string_view frame) const;

  const schema::Resource& resource_;
  const Encoding encoding_;
  std::string left_;  // the start of an event whose rest has not come
};

}  // namespace client
