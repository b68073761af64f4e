// What every Transport must do: the same tests on the memory, in-process and HTTPS transports.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <memory>

#include "client/client.h"
#include "client/memory_transport.h"
#include "gen/core/v1.h"
#include "testing/recording_receiver.h"
#include "testing/served_api.h"

namespace client {
namespace {

// One run of an API with a transport to it.
class TransportFixture {
 public:
  virtual ~TransportFixture() = default;
  virtual std::shared_ptr<Transport> transport() = 0;
  // Makes every watch from a revision seen so far impossible; false = this one cannot.
  virtual bool forget_history() { return false; }
};
struct TransportCase {
  std::string name;
  std::function<std::unique_ptr<TransportFixture>()> make;
};

class TransportContract : public testing::TestWithParam<TransportCase> {
 protected:
  using ConfigMap = api::core::v1::ConfigMap;
  using Pod = api::core::v1::Pod;

  static ConfigMap config_map(std::string name, std::string value = "") {
    ConfigMap map;
    map.metadata.namespace_ = "default";
    map.metadata.name = std::move(name);
    map.metadata.labels["suite"] = "contract";
    if (!value.empty()) map.data["key"] = std::move(value);
    return map;
  }
  static Pod pod(std::string name) {
    Pod made;
    made.metadata.namespace_ = "default";
    made.metadata.name = std::move(name);
    made.spec.containers.emplace_back();
    made.spec.containers[0].name = "c";
    made.spec.containers[0].image = "image";
    return made;
  }
  static ListCall maps() { return {&resource_of<ConfigMap>(), "default", "suite=contract", ""}; }
  static int64_t revision_of(const ConfigMap& map) { return std::stoll(map.metadata.resource_version); }

  std::unique_ptr<TransportFixture> fixture_ = GetParam().make();
  std::shared_ptr<Transport> transport_ = fixture_->transport();
  Client client_{transport_};
};

TEST_P(TransportContract, CreateGetUpdateDelete) {
  const auto created = client_.create(config_map("a", "1"));
  ASSERT_TRUE(created) << created.error().message;
  EXPECT_NE(created->metadata.uid, "");
  EXPECT_NE(created->metadata.resource_version, "");
  const auto read = client_.get<ConfigMap>("default", "a");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->metadata.resource_version, created->metadata.resource_version);
  ConfigMap newer = *read;
  newer.data["key"] = "2";
  const auto updated = client_.update(newer);
  ASSERT_TRUE(updated) << updated.error().message;
  EXPECT_GT(revision_of(*updated), revision_of(*created));
  EXPECT_EQ(client_.get<ConfigMap>("default", "a")->data["key"], "2");
  ASSERT_TRUE(client_.remove<ConfigMap>("default", "a"));
  EXPECT_EQ(client_.get<ConfigMap>("default", "a").error().reason, base::Reason::kNotFound);
}

TEST_P(TransportContract, ErrorsHaveTheirReasons) {
  const auto created = client_.create(config_map("a", "1"));
  ASSERT_TRUE(created);
  EXPECT_EQ(client_.create(config_map("a")).error().reason, base::Reason::kAlreadyExists);
  ConfigMap newer = *created;
  newer.data["key"] = "2";
  ASSERT_TRUE(client_.update(newer));
  EXPECT_EQ(client_.update(*created).error().reason, base::Reason::kConflict);
  EXPECT_EQ(client_.remove<ConfigMap>("default", "none").error().reason, base::Reason::kNotFound);
  DeleteOptions other;
  other.precondition_uid = "other";
  EXPECT_EQ(client_.remove<ConfigMap>("default", "a", other).error().reason, base::Reason::kConflict);
  EXPECT_TRUE(client_.get<ConfigMap>("default", "a"));
}

TEST_P(TransportContract, PatchStatusAndBinding) {
  ASSERT_TRUE(client_.create(config_map("a", "1")));
  EXPECT_EQ(client_.patch<ConfigMap>("default", "a", PatchType::kMerge, R"({"data":{"key":"3"}})")->data["key"], "3");

  const auto made = client_.create(pod("p"));
  ASSERT_TRUE(made) << made.error().message;
  Pod changed = *made;
  changed.status.message = "seen";
  changed.spec.containers[0].image = "not by status";
  const auto updated = client_.update_status(changed);
  ASSERT_TRUE(updated) << updated.error().message;
  EXPECT_EQ(updated->status.message, "seen");
  EXPECT_EQ(updated->spec.containers[0].image, "image");
  api::core::v1::Binding binding;
  binding.metadata.namespace_ = "default";
  binding.metadata.name = "p";
  binding.target.kind = "Node";
  binding.target.name = "n1";
  ASSERT_TRUE(client_.create_subresource(resource_of<Pod>("binding"), "default", "p", binding));
  const auto bound = client_.get<Pod>("default", "p");
  EXPECT_EQ(bound->spec.node_name, "n1");
  EXPECT_EQ(bound->status.message, "seen");
}

TEST_P(TransportContract, ListsAreOfOneRevision) {
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(client_.create(config_map("m" + std::to_string(i), std::to_string(i))));
  const auto listed = transport_->list(maps());
  ASSERT_TRUE(listed) << listed.error().message;
  ASSERT_EQ(listed->items.size(), 5u);
  int64_t newest = 0;
  for (const RawObject& item : listed->items) newest = std::max(newest, item.revision);
  EXPECT_GE(listed->revision, newest);
  EXPECT_EQ(decode_object<ConfigMap>(listed->items[3])->metadata.name, "m3") << "in key order";
  ListCall none = maps();
  none.label_selector = "suite=other";
  EXPECT_EQ(transport_->list(none)->items.size(), 0u);
}

TEST_P(TransportContract, AWatchSeesEachChangeOnceInOrder) {
  ASSERT_TRUE(client_.create(config_map("before")));
  const int64_t from = transport_->list(maps())->revision;
  ASSERT_TRUE(client_.create(config_map("a", "1")));
  RecordingReceiver receiver;
  const auto handle = transport_->watch(maps(), from, &receiver);
  ASSERT_TRUE(handle) << handle.error().message;
  ASSERT_TRUE(client_.patch<ConfigMap>("default", "a", PatchType::kMerge, R"({"data":{"key":"2"}})"));
  ASSERT_TRUE(client_.create(config_map("b", "1")));
  ASSERT_TRUE(client_.remove<ConfigMap>("default", "a"));
  EXPECT_THAT(receiver.events(4), testing::ElementsAre("+a", "~a", "+b", "-a"));
  const auto revisions = receiver.revisions();
  EXPECT_TRUE(std::ranges::is_sorted(revisions));
  EXPECT_GT(revisions.front(), from);
  EXPECT_EQ(receiver.ends(0).size(), 0u);

  RecordingReceiver resumed;
  const auto again = transport_->watch(maps(), revisions[1], &resumed);
  ASSERT_TRUE(again);
  EXPECT_THAT(resumed.events(2), testing::ElementsAre("+b", "-a"));
}

TEST_P(TransportContract, ADroppedWatchIsSilent) {
  const int64_t from = transport_->list(maps())->revision;
  RecordingReceiver dropped, kept;
  auto first = transport_->watch(maps(), from, &dropped);
  const auto second = transport_->watch(maps(), from, &kept);
  ASSERT_TRUE(first && second);
  ASSERT_TRUE(client_.create(config_map("a")));
  EXPECT_THAT(dropped.events(1), testing::ElementsAre("+a"));
  first->reset();
  ASSERT_TRUE(client_.create(config_map("b")));
  EXPECT_THAT(kept.events(2), testing::ElementsAre("+a", "+b"));
  EXPECT_THAT(dropped.events(0), testing::ElementsAre("+a"));
  EXPECT_EQ(dropped.ends(0).size(), 0u);
}

TEST_P(TransportContract, AWatchFromForgottenHistoryIsExpired) {
  const auto old = client_.create(config_map("a"));
  ASSERT_TRUE(old);
  ASSERT_TRUE(client_.create(config_map("b")));
  if (!fixture_->forget_history()) GTEST_SKIP() << "this one keeps its history";
  RecordingReceiver receiver;
  const auto handle = transport_->watch(maps(), revision_of(*old), &receiver);
  const base::Error error = handle ? receiver.ends(1).at(0) : handle.error();
  EXPECT_TRUE(error.reason == base::Reason::kExpired || error.reason == base::Reason::kGone) << error.message;
}

TEST_P(TransportContract, DeleteCollection) {
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(client_.create(config_map("m" + std::to_string(i))));
  Call call;
  call.verb = Verb::kDeleteCollection;
  call.resource = &resource_of<ConfigMap>();
  call.ns = "default";
  call.label_selector = "suite=contract";
  ASSERT_TRUE(transport_->call_and_wait(std::move(call)));
  EXPECT_EQ(transport_->list(maps())->items.size(), 0u);
}

class MemoryFixture final : public TransportFixture {
 public:
  std::shared_ptr<Transport> transport() override { return transport_; }
  bool forget_history() override {
    transport_->end_watches({base::Reason::kExpired, "forgotten"});
    return true;
  }

 private:
  base::SystemClock clock_;
  std::shared_ptr<MemoryTransport> transport_ = std::make_shared<MemoryTransport>(&clock_);
};

class ServedFixture : public TransportFixture {
 public:
  bool forget_history() override { return api_.compact().has_value(); }

 protected:
  in_process::ServedApi api_;
};
class InProcessFixture final : public ServedFixture {
 public:
  std::shared_ptr<Transport> transport() override { return api_.in_process(); }
};
class HttpsFixture final : public ServedFixture {
 public:
  std::shared_ptr<Transport> transport() override { return api_.https(); }
};
class JsonFixture final : public ServedFixture {
 public:
  std::shared_ptr<Transport> transport() override {
    return api_.https([](HttpsOptions& options) { options.encoding = Encoding::kJson; });
  }
};
class Http1Fixture final : public ServedFixture {
 public:
  std::shared_ptr<Transport> transport() override {
    return api_.https([](HttpsOptions& options) { options.connection.protocol = net::ProtocolChoice::kHttp1Only; });
  }
};

template <typename Fixture>
TransportCase make_case(std::string name) {
  return {std::move(name), [] { return std::make_unique<Fixture>(); }};
}
INSTANTIATE_TEST_SUITE_P(Transports, TransportContract,
                         testing::Values(make_case<MemoryFixture>("Memory"), make_case<InProcessFixture>("InProcess"),
                                         make_case<HttpsFixture>("Https"), make_case<JsonFixture>("HttpsJsonBodies"),
                                         make_case<Http1Fixture>("HttpsHttp1")),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace client
