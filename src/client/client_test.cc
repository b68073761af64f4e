#include "client/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "client/events.h"
#include "client/informer.h"
#include "client/memory_transport.h"
#include "client/virtual_executor.h"
#include "client/workqueue.h"
#include "gen/apps/v1.h"
#include "gen/core/v1.h"
#include "schema/metadata_view.h"

namespace client {
namespace {

using api::core::v1::ConfigMap;
using api::core::v1::Event;
using api::core::v1::Pod;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;

ConfigMap config_map(std::string name, std::string value = "") {
  ConfigMap map;
  map.metadata.namespace_ = "ns";
  map.metadata.name = std::move(name);
  if (!value.empty()) map.data["key"] = std::move(value);
  return map;
}

TEST(ResourceOf, FindsTheResourceOfAStoredKind) {
  EXPECT_EQ(resource_of<Pod>().name, "pods");
  EXPECT_EQ(resource_of<Pod>("status").subresource, "status");
  EXPECT_EQ(resource_of<Event>().group, "");
  EXPECT_EQ(resource_of<api::apps::v1::ReplicaSet>().group, "apps");
}

TEST(Client, VerbsAndConflict) {
  VirtualExecutor clock;
  auto transport = std::make_shared<MemoryTransport>(&clock);
  const Client client(transport);
  auto created = client.create(config_map("a", "1"));
  ASSERT_TRUE(created);
  EXPECT_NE(created->metadata.resource_version, "");
  ConfigMap newer = *created;
  newer.data["key"] = "2";
  ASSERT_TRUE(client.update(newer));
  EXPECT_EQ(client.update(*created).error().reason, base::Reason::kConflict);
  EXPECT_EQ(client.get<ConfigMap>("ns", "a")->data["key"], "2");
  EXPECT_EQ(client.list<ConfigMap>("ns")->size(), 1u);
  EXPECT_EQ(client.list<ConfigMap>("other")->size(), 0u);
  EXPECT_EQ(client.patch<ConfigMap>("ns", "a", PatchType::kMerge, R"({"data":{"key":"3"}})")->data["key"], "3");
  ASSERT_TRUE(client.remove<ConfigMap>("ns", "a"));
  EXPECT_EQ(client.get<ConfigMap>("ns", "a").error().reason, base::Reason::kNotFound);
}

class InformerTest : public testing::Test {
 protected:
  InformerTest() {
    InformerOptions options;
    options.scope.resource = &resource_of<ConfigMap>();
    options.executor = &executor_;
    informer_ = std::make_unique<Informer>(transport_, options);
    informer_->add_handler([this](const Change& change) {
      log_.push_back(std::string(!change.before ? "+" : !change.after ? "-" : "~") + to_string(change.key));
    });
    informer_->add_index("value", [](const RawObject& object, std::vector<std::string>& values) {
      auto map = decode_object<ConfigMap>(object);
      if (map && map->data.contains("key")) values.push_back(map->data["key"]);
    });
  }
  std::vector<std::string> take() { return std::exchange(log_, {}); }

  VirtualExecutor executor_;
  std::shared_ptr<MemoryTransport> transport_ = std::make_shared<MemoryTransport>(&executor_);
  Client client_{transport_};
  std::unique_ptr<Informer> informer_;
  std::vector<std::string> log_;
};

TEST_F(InformerTest, ListsThenFollowsAndIndexes) {
  ASSERT_TRUE(client_.create(config_map("a", "x")));
  informer_->start();
  bool synced = false;
  informer_->when_synced([&] {
    synced = true;
    EXPECT_THAT(log_, ElementsAre("+ns/a"));
  });
  EXPECT_FALSE(informer_->has_synced());
  executor_.run();
  EXPECT_TRUE(synced);
  EXPECT_THAT(take(), ElementsAre("+ns/a"));

  ASSERT_TRUE(client_.create(config_map("b", "x")));
  EXPECT_EQ(informer_->size(), 2u) << "visible before the handlers ran";
  ASSERT_TRUE(client_.patch<ConfigMap>("ns", "a", PatchType::kMerge, R"({"data":{"key":"y"}})"));
  ASSERT_TRUE(client_.remove<ConfigMap>("ns", "b"));
  executor_.run();
  EXPECT_THAT(take(), ElementsAre("+ns/b", "~ns/a", "-ns/b"));
  EXPECT_THAT(informer_->by_index("value", "x"), IsEmpty());
  EXPECT_EQ(informer_->by_index_as<ConfigMap>("value", "y").size(), 1u);
  EXPECT_EQ(informer_->get_as<ConfigMap>({"ns", "b"}).error().reason, base::Reason::kNotFound);
}

TEST_F(InformerTest, AfterExpiryItHandsOnTheDifference) {
  ASSERT_TRUE(client_.create(config_map("gone")));
  ASSERT_TRUE(client_.create(config_map("kept")));
  informer_->start();
  executor_.run();
  take();
  transport_->end_watches({base::Reason::kExpired, "too old"});
  ASSERT_TRUE(client_.remove<ConfigMap>("ns", "gone"));
  ASSERT_TRUE(client_.create(config_map("new")));
  executor_.run();
  EXPECT_THAT(take(), IsEmpty());
  executor_.advance(seconds(1));
  EXPECT_THAT(take(), ElementsAre("+ns/new", "-ns/gone"));
}

TEST_F(InformerTest, ABrokenWatchResumesWithoutRepeats) {
  ASSERT_TRUE(client_.create(config_map("a")));
  informer_->start();
  executor_.run();
  take();
  transport_->end_watches({base::Reason::kServiceUnavailable, "connection lost"});
  ASSERT_TRUE(client_.create(config_map("b")));
  executor_.advance(seconds(1));
  EXPECT_THAT(take(), ElementsAre("+ns/b"));
}

// A server that may have the resource or not.
class Switchable final : public Transport {
 public:
  explicit Switchable(std::shared_ptr<Transport> inner) : inner_(std::move(inner)) {}
  void call(Call call, Callback done) override { inner_->call(std::move(call), std::move(done)); }
  base::Result<ListResult> list(const ListCall& call) override {
    ++lists;
    if (!served) return base::fail(base::Reason::kNotFound, "the server could not find the requested resource");
    return inner_->list(call);
  }
  base::Result<std::unique_ptr<WatchHandle>> watch(const ListCall& call, int64_t revision,
                                                   WatchReceiver* receiver) override {
    if (!served) return base::fail(base::Reason::kNotFound, "the server could not find the requested resource");
    return inner_->watch(call, revision, receiver);
  }
  bool served = false;
  int lists = 0;

 private:
  const std::shared_ptr<Transport> inner_;
};

TEST_F(InformerTest, WhatIsNotServedCountsAsListedAndIsAskedForSeldom) {
  auto server = std::make_shared<Switchable>(transport_);
  InformerOptions options;
  options.scope.resource = &resource_of<ConfigMap>();
  options.executor = &executor_;
  Informer informer(server, options);
  informer.start();
  executor_.run();
  EXPECT_TRUE(informer.has_synced()) << "nobody waits for it";
  executor_.advance(seconds(3600));
  EXPECT_LE(server->lists, 122);
  server->served = true;
  ASSERT_TRUE(client_.create(config_map("a")));
  executor_.advance(seconds(31));
  EXPECT_EQ(informer.size(), 1u);
  server->served = false;
  transport_->end_watches({base::Reason::kNotFound, "gone"});
  executor_.advance(seconds(61));
  EXPECT_EQ(informer.size(), 1u) << "nobody said that the object is gone";
  informer.stop();
}

TEST_F(InformerTest, AfterStopNoHandlerRuns) {
  informer_->start();
  executor_.run();
  ASSERT_TRUE(client_.create(config_map("a")));
  informer_->stop();
  executor_.advance(seconds(60));
  EXPECT_THAT(take(), IsEmpty());
}

TEST(Workqueue, HoldsAKeyOnceAndHandsItOutAgainAfterDone) {
  VirtualExecutor executor;
  int wakes = 0;
  Workqueue queue("q", &executor, &executor, [&] { ++wakes; });
  queue.add("a");
  queue.add("a");
  queue.add("b");
  EXPECT_EQ(wakes, 2);
  EXPECT_EQ(queue.try_get(), "a");
  queue.add("a");
  EXPECT_EQ(queue.try_get(), "b");
  EXPECT_EQ(queue.try_get(), std::nullopt);
  queue.done("a");
  EXPECT_EQ(wakes, 3);
  EXPECT_EQ(queue.try_get(), "a");
}

TEST(Workqueue, DelaysDoubleAndForgetStartsAnew) {
  VirtualExecutor executor;
  Workqueue queue("q", &executor, &executor, [] {});
  const auto ready_after = [&](base::Duration delay) {
    executor.advance(delay - milliseconds(1));
    EXPECT_EQ(queue.ready(), 0u);
    executor.advance(milliseconds(1));
    EXPECT_EQ(queue.try_get(), "k");
    queue.done("k");
  };
  for (int delay : {5, 10, 20}) {
    queue.add_rate_limited("k");
    ready_after(milliseconds(delay));
  }
  EXPECT_EQ(queue.failures("k"), 3);
  queue.forget("k");
  queue.add_rate_limited("k");
  ready_after(milliseconds(5));
}

TEST(Workqueue, TheEarlierOfTwoDelaysHolds) {
  VirtualExecutor executor;
  Workqueue queue("q", &executor, &executor, [] {});
  queue.add_after("k", seconds(10));
  queue.add_after("k", seconds(1));
  executor.advance(seconds(1));
  EXPECT_EQ(queue.try_get(), "k");
  queue.done("k");
  executor.advance(seconds(20));
  EXPECT_EQ(queue.ready(), 0u);
}

class EventsTest : public testing::Test {
 protected:
  std::vector<Event> events() { return *client_.list<Event>("ns"); }

  VirtualExecutor clock_;
  std::shared_ptr<MemoryTransport> transport_ = std::make_shared<MemoryTransport>(&clock_);
  Client client_{transport_};
  EventRecorder recorder_{transport_, &clock_, "some-controller"};
};

TEST_F(EventsTest, TheSameEventCounts) {
  const ConfigMap about = config_map("a");
  recorder_.event_on(about, EventType::kWarning, "Failed", "no");
  clock_.advance(seconds(5));
  recorder_.event_on(about, EventType::kWarning, "Failed", "no");
  const auto all = events();
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].count, 2);
  EXPECT_EQ(all[0].last_timestamp.seconds - all[0].first_timestamp.seconds, 5);
  EXPECT_EQ(all[0].type, "Warning");
  EXPECT_EQ(all[0].involved_object.kind, "ConfigMap");
  EXPECT_EQ(all[0].involved_object.api_version, "v1");
  EXPECT_EQ(all[0].source.component, "some-controller");
  EXPECT_EQ(all[0].reporting_component, "some-controller");
}

TEST_F(EventsTest, ManySimilarOnesAreCombined) {
  const ConfigMap about = config_map("a");
  for (int i = 0; i < 14; ++i) recorder_.event_on(about, EventType::kNormal, "Made", "item " + std::to_string(i));
  const auto all = events();
  ASSERT_EQ(all.size(), 11u);
  int combined = 0;
  for (const Event& event : all)
    combined += event.message == "(combined from similar events): item 13" ? event.count : 0;
  EXPECT_EQ(combined, 4);
}

TEST_F(EventsTest, ATalkativeSourceIsCutOff) {
  const ConfigMap about = config_map("a");
  for (int i = 0; i < 40; ++i) recorder_.event_on(about, EventType::kNormal, "R" + std::to_string(i), "m");
  EXPECT_EQ(events().size(), 25u);
  recorder_.event_on(config_map("b"), EventType::kNormal, "R", "m");
  EXPECT_EQ(events().size(), 26u);
}

}  // namespace
}  // namespace client
