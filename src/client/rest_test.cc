#include "client/rest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "client/client.h"
#include "client/discovered.h"
#include "codec/wire.h"
#include "gen/coordination/v1.h"
#include "gen/core/v1.h"
#include "gen/meta/v1.h"
#include "gen/policy/v1.h"
#include "schema/envelope.h"
#include "schema/metadata_view.h"

namespace client {
namespace {

using api::core::v1::ConfigMap;
using api::core::v1::Pod;
using testing::ElementsAre;

Call call_of(Verb verb, const schema::Resource& resource, std::string ns, std::string name) {
  Call call;
  call.verb = verb;
  call.resource = &resource;
  call.ns = std::move(ns);
  call.name = std::move(name);
  return call;
}
std::string line(const net::ClientRequest& request) { return request.method + " " + request.target; }

TEST(RestRequest, PathsAndQueries) {
  const auto& pods = resource_of<Pod>();
  const auto& leases = resource_of<api::coordination::v1::Lease>();
  const auto& nodes = resource_of<api::core::v1::Node>();
  const auto line_of = [](const Call& call) { return line(make_request(call, Encoding::kProtobuf, "me")); };
  EXPECT_EQ(line_of(call_of(Verb::kGet, pods, "n", "p")), "GET /api/v1/namespaces/n/pods/p");
  EXPECT_EQ(line_of(call_of(Verb::kGet, nodes, "", "a")), "GET /api/v1/nodes/a");
  EXPECT_EQ(line_of(call_of(Verb::kCreate, leases, "n", "")),
            "POST /apis/coordination.k8s.io/v1/namespaces/n/leases?fieldManager=me");
  EXPECT_EQ(line_of(call_of(Verb::kUpdate, resource_of<Pod>("status"), "n", "p")),
            "PUT /api/v1/namespaces/n/pods/p/status?fieldManager=me");
  EXPECT_EQ(line_of(call_of(Verb::kCreate, resource_of<Pod>("binding"), "n", "p")),
            "POST /api/v1/namespaces/n/pods/p/binding?fieldManager=me");
  Call all = call_of(Verb::kDeleteCollection, pods, "n", "");
  all.label_selector = "a in (b,c)";
  EXPECT_EQ(line_of(all), "DELETE /api/v1/namespaces/n/pods?labelSelector=a%20in%20%28b%2Cc%29");
  ListCall list{&pods, "", "", "spec.nodeName=n"};
  EXPECT_EQ(line(make_list_request(list, {500, "tok=="})),
            "GET /api/v1/pods?fieldSelector=spec.nodeName%3Dn&limit=500&continue=tok%3D%3D");
  EXPECT_EQ(line(make_watch_request(list, 7, std::chrono::seconds(300))),
            "GET /api/v1/pods?watch=true&allowWatchBookmarks=true&resourceVersion=7&timeoutSeconds=300"
            "&fieldSelector=spec.nodeName%3Dn");
}

// A row of what is not built in.
schema::Resource notes() {
  schema::Resource row{};
  row.group = "a.io";
  row.version = "v1";
  row.name = "notes";
  row.kind = "Note";
  row.namespaced = true;
  return row;
}

TEST(RestRequest, OfUnknownKindsMetadataIsAskedFor) {
  const schema::Resource row = notes();
  const std::string partial = "as=PartialObjectMetadata;g=meta.k8s.io;v=v1";
  const auto get = make_request(call_of(Verb::kGet, row, "n", "x"), Encoding::kProtobuf, "");
  EXPECT_EQ(line(get), "GET /apis/a.io/v1/namespaces/n/notes/x");
  EXPECT_THAT(net::header_value(get.headers, "accept"), testing::HasSubstr(partial));
  const ListCall list{&row, "", "", ""};
  EXPECT_THAT(net::header_value(make_list_request(list, {}).headers, "accept"),
              testing::HasSubstr("as=PartialObjectMetadataList;"));
  EXPECT_THAT(net::header_value(make_watch_request(list, 1, std::chrono::seconds(1)).headers, "accept"),
              testing::HasSubstr(partial));

  net::Response answer;
  answer.status = 200;
  answer.headers = {{"content-type", "application/json"}};
  answer.body = R"({"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1",)"
                R"("metadata":{"name":"x","uid":"u","resourceVersion":"7"}})";
  const auto object = read_object(row, answer);
  ASSERT_TRUE(object);
  EXPECT_EQ(object->revision, 7);
  EXPECT_EQ(schema::view_metadata(object->payload())->uid, "u");
}

TEST(Discovery, ListsWhatIsNotBuiltIn) {
  const auto document = [](std::string_view freshness) {
    return R"({"kind":"APIGroupDiscoveryList","items":[{"metadata":{"name":"apps"},"versions":[{"version":"v1",)"
           R"("resources":[{"resource":"deployments","responseKind":{"kind":"Deployment"},"scope":"Namespaced"}]}]},)"
           R"({"metadata":{"name":"a.io"},"versions":[{"version":"v2","freshness":")" +
           std::string(freshness) +
           R"(","resources":[{"resource":"notes","responseKind":{"kind":"Note"},"scope":"Namespaced",)"
           R"("verbs":["get","list","delete"]}]},{"version":"v1","resources":[{"resource":"notes",)"
           R"("responseKind":{"kind":"Note"},"scope":"Namespaced"},{"resource":"olds","scope":"Cluster"}]}]}]})";
  };
  const auto rows = read_discovery(document("Current"));
  ASSERT_TRUE(rows);
  std::vector<std::string> seen;
  for (const auto& row : *rows) seen.push_back(std::string(row->version) + "/" + std::string(row->name));
  EXPECT_THAT(seen, ElementsAre("v2/notes", "v1/olds"));
  EXPECT_TRUE(rows->front()->namespaced);
  EXPECT_EQ(rows->front()->verbs.size(), 3u);
  EXPECT_EQ(read_discovery(document("Stale")).error().message,
            "unable to retrieve the complete list of server APIs: a.io/v2: stale GroupVersion discovery: a.io/v2");
  EXPECT_FALSE(read_discovery(R"({"kind":"APIGroupList"})"));
}

TEST(RestRequest, Bodies) {
  ConfigMap map;
  map.metadata.name = "m";
  map.data["k"] = "v";
  Call create = call_of(Verb::kCreate, resource_of<ConfigMap>(), "n", "");
  create.body = encode_object(map);
  const auto protobuf = make_request(create, Encoding::kProtobuf, "");
  EXPECT_EQ(net::header_value(protobuf.headers, "content-type"), "application/vnd.kubernetes.protobuf");
  const std::string bytes = protobuf.body.to_string();
  const auto envelope = schema::unwrap(bytes);
  ASSERT_TRUE(envelope);
  EXPECT_EQ(envelope->type.kind, "ConfigMap");
  EXPECT_EQ(envelope->type.api_version, "v1");
  EXPECT_EQ(envelope->raw, create.body);
  EXPECT_EQ(make_request(create, Encoding::kJson, "").body.to_string(),
            R"({"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"m"},"data":{"k":"v"}})");

  Call evict = call_of(Verb::kCreate, resource_of<Pod>("eviction"), "n", "p");
  evict.body = encode_object(api::policy::v1::Eviction());
  const std::string eviction = make_request(evict, Encoding::kProtobuf, "").body.to_string();
  EXPECT_EQ(schema::unwrap(eviction)->type.api_version, "policy/v1") << "a body of another group";

  Call remove = call_of(Verb::kDelete, resource_of<Pod>(), "n", "p");
  remove.grace_period_seconds = 0;
  remove.precondition_uid = "u";
  remove.precondition_revision = 5;
  remove.propagation = Propagation::kForeground;
  EXPECT_EQ(make_request(remove, Encoding::kProtobuf, "").body.to_string(),
            R"({"kind":"DeleteOptions","apiVersion":"v1","gracePeriodSeconds":0,)"
            R"("preconditions":{"uid":"u","resourceVersion":"5"},"propagationPolicy":"Foreground"})");
  Call patch = call_of(Verb::kPatch, resource_of<Pod>(), "n", "p");
  patch.patch_type = PatchType::kStrategicMerge;
  EXPECT_EQ(net::header_value(make_request(patch, Encoding::kProtobuf, "").headers, "content-type"),
            "application/strategic-merge-patch+json");
}

TEST(RestAnswer, Errors) {
  const base::Error conflict = read_error(
      409, {{"content-type", "application/json"}},
      R"({"kind":"Status","status":"Failure","message":"no","reason":"AlreadyExists","details":{"name":"x"}})");
  EXPECT_EQ(conflict.reason, base::Reason::kAlreadyExists);
  EXPECT_EQ(conflict.message, "no");
  EXPECT_EQ(conflict.details->name, "x");
  const base::Error busy = read_error(429, {{"retry-after", "3"}}, "slow down");
  EXPECT_EQ(busy.reason, base::Reason::kTooManyRequests);
  EXPECT_EQ(busy.details->retry_after_seconds, 3);
  EXPECT_EQ(read_error(502, {}, "<html>").reason, base::Reason::kInternalError);
  EXPECT_EQ(read_error(502, {}, "<html>").message, "the server answered 502 Bad Gateway");
}

TEST(RestAnswer, ListsInJson) {
  net::Response response;
  response.status = 200;
  response.headers = {{"content-type", "application/json"}};
  response.body = R"({"kind":"ConfigMapList","metadata":{"resourceVersion":"9","continue":"c"},)"
                  R"("items":[{"metadata":{"name":"a","resourceVersion":"4"},"data":{"k":"v"}}]})";
  const auto page = read_list(resource_of<ConfigMap>(), response);
  ASSERT_TRUE(page) << page.error().message;
  EXPECT_EQ(page->result.revision, 9);
  EXPECT_EQ(page->continue_token, "c");
  ASSERT_EQ(page->result.items.size(), 1u);
  EXPECT_EQ(page->result.items[0].revision, 4);
  EXPECT_EQ(decode_object<ConfigMap>(page->result.items[0])->data["k"], "v");
}

std::string event_frame(std::string_view type, std::string_view object) {
  std::string extension, event;
  codec::append_bytes_field(extension, 1, object);
  codec::append_bytes_field(event, 1, type);
  codec::append_bytes_field(event, 2, extension);
  std::string frame;
  for (int shift = 24; shift >= 0; shift -= 8) frame += static_cast<char>((event.size() >> shift) & 0xff);
  return frame + event;
}
std::string envelope_of(const ConfigMap& map) {
  std::string out;
  schema::wrap({"v1", "ConfigMap"}, encode_object(map), out);
  return out;
}

class WatchReaderTest : public testing::TestWithParam<Encoding> {
 protected:
  WatchReaderTest()
      : reader_(resource_of<ConfigMap>(), GetParam() == Encoding::kProtobuf
                                              ? "application/vnd.kubernetes.protobuf;stream=watch"
                                              : "application/json") {}
  std::string event(const std::string& type, const std::string& name, int revision) const {
    if (GetParam() == Encoding::kJson) {
      return R"({"type":")" + type + R"(","object":{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":")" + name +
             R"(","resourceVersion":")" + std::to_string(revision) + R"("}}})" + "\n";
    }
    ConfigMap map;
    map.metadata.name = name;
    map.metadata.resource_version = std::to_string(revision);
    return event_frame(type, envelope_of(map));
  }
  base::Result<void> feed(std::string_view bytes) {
    return reader_.feed(bytes, [this](const WatchEvent& event) {
      auto map = decode_object<ConfigMap>(event.object);
      seen_.push_back(std::to_string(static_cast<int>(event.type)) + (map ? map->metadata.name : "") + "@" +
                      std::to_string(event.revision));
    });
  }

  WatchReader reader_;
  std::vector<std::string> seen_;
};

TEST_P(WatchReaderTest, EventsInAnyPieces) {
  const std::string all = event("ADDED", "a", 1) + event("MODIFIED", "a", 2) + event("DELETED", "a", 3) +
                          event("BOOKMARK", "", 9) + event("ADDED", "b", 10);
  for (const size_t piece : {all.size(), size_t{1}, size_t{7}, size_t{100}}) {
    seen_.clear();
    for (size_t at = 0; at < all.size(); at += piece) ASSERT_TRUE(feed(std::string_view(all).substr(at, piece)));
    EXPECT_THAT(seen_, ElementsAre("0a@1", "1a@2", "2a@3", "3@9", "0b@10")) << piece;
  }
}

TEST_P(WatchReaderTest, AnErrorEndsIt) {
  const std::string json = R"({"kind":"Status","apiVersion":"v1","status":"Failure","message":"old",)"
                           R"("reason":"Expired","code":410})";
  std::string frame = R"({"type":"ERROR","object":)" + json + "}\n";
  if (GetParam() == Encoding::kProtobuf) {
    api::meta::v1::Status status;
    status.message = "old";
    status.reason = "Expired";
    std::string raw;
    schema::encode_struct(gen::message_of<api::meta::v1::Status>(), &status, raw);
    std::string object;
    schema::wrap({"v1", "Status"}, raw, object);
    frame = event_frame("ERROR", object);
  }
  auto fed = feed(event("ADDED", "a", 1) + frame);
  ASSERT_FALSE(fed);
  EXPECT_EQ(fed.error().reason, base::Reason::kExpired);
  EXPECT_EQ(fed.error().message, "old");
  EXPECT_THAT(seen_, ElementsAre("0a@1"));
}

TEST_P(WatchReaderTest, NonsenseIsAnError) {
  const std::string nonsense = GetParam() == Encoding::kJson ? "nonsense\n" : std::string("\xff\xff\xff\xff....");
  EXPECT_EQ(feed(nonsense).error().reason,
            GetParam() == Encoding::kJson ? base::Reason::kBadRequest : base::Reason::kInternalError);
}

INSTANTIATE_TEST_SUITE_P(Encodings, WatchReaderTest, testing::Values(Encoding::kProtobuf, Encoding::kJson));

}  // namespace
}  // namespace client
