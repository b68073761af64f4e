// RequestContext: one request on its way through the pipeline, whether it came over the network or from a component of
// the same process. Owned by the thread that serves it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "apiserver/endpoint.h"
#include "apiserver/negotiate.h"
#include "apiserver/request_info.h"
#include "base/clock.h"
#include "client/transport.h"
#include "kv/store.h"
#include "net/server.h"

namespace apiserver {

class Core;  // core.h: what all requests share

// Components of this process are trusted by the composition root; everyone else is what authentication found.
enum class Origin : uint8_t { kNetwork, kInProcess };

struct User {
  std::string name;
  std::string uid;
  std::vector<std::string> groups;
  bool in_group(std::string_view group) const;
};

struct RequestContext {
  Core* core = nullptr;
  Origin origin = Origin::kNetwork;
  std::shared_ptr<net::Request> http;           // null in process
  std::shared_ptr<net::ResponseWriter> writer;  // null in process
  RequestInfo info;
  Query query;
  User user;
  const Endpoint* endpoint = nullptr;  // of resource requests
  EndpointPtr endpoint_owner;          // keeps it alive
  base::WallTime now;
  Accepted accepted;
  CborServing cbor = CborServing::kOff;  // what comes before the verbs knows no CBOR
  std::string audit_id;
  std::vector<std::string> warnings;
  bool refused_by_authorizer = false;  // Compat: such answers carry X-Content-Type-Options
  bool under_flow_control = false;     // Compat: such answers carry the headers that name who was in charge

  // The body and how it is encoded.
  std::string_view body;
  MediaType body_type = MediaType::kJson;
  client::PatchType patch_type = client::PatchType::kMerge;

  // Paths of the lists that the body gives as []. Protobuf cannot tell them from lists that are not there, but whoever
  // wrote them owns them.
  std::vector<std::vector<std::string>> empty_lists;

  std::string_view header(std::string_view name) const { return http ? http->header(name) : std::string_view(); }
  api::RuleContext rule_context();
};

// What a verb answers with: one object, as message bytes without resourceVersion, or a Status.
struct Answer {
  int code = 200;
  // The object's type and bytes in the served version; message null = a Status (error, below, or success).
  const schema::Message* message = nullptr;
  std::string api_version, kind;
  std::string raw;
  int64_t revision = 0;                       // 0 = none is shown (dry run)
  const Endpoint* endpoint = nullptr;         // of objects that can be shown as a Table
  std::optional<base::ErrorDetails> success;  // a Status "Success" with these details, else with the code
  // The answer must wait until this is durable.
  std::optional<kv::Ticket> ticket;
  // What the request holds until it is answered.
  std::shared_ptr<void> held;
};

}  // namespace apiserver
