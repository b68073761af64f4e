// Custom objects as owners and dependents. The API in memory keeps the objects of the one custom kind, Widget, as
// Events: those are encoded the same way as far as metadata goes, and the collector leaves Events alone.
#include <gtest/gtest.h>

#include "controllers/garbagecollector/controller.h"
#include "controllers/test_support.h"
#include "gen/apiextensions/v1.h"
#include "gen/catalogue.h"
#include "gen/core/v1.h"

namespace controllers::garbagecollector {
namespace {

using api::apiextensions::v1::CustomResourceDefinition;
using api::core::v1::ConfigMap;
using Widget = api::core::v1::Event;
using client::Propagation;

class WidgetTransport final : public client::Transport {
 public:
  explicit WidgetTransport(std::shared_ptr<client::MemoryTransport> memory) : memory_(std::move(memory)) {}

  void call(client::Call call, client::Callback done) override {
    call.resource = kept(call.resource);
    memory_->call(std::move(call), std::move(done));
  }
  base::Result<client::ListResult> list(const client::ListCall& call) override {
    client::ListCall other = call;
    other.resource = kept(call.resource);
    if (is_widgets(*call.resource) && fail_lists) return base::fail(base::Reason::kInternalError, "not now");
    return memory_->list(other);
  }
  base::Result<std::unique_ptr<client::WatchHandle>> watch(const client::ListCall& call, int64_t revision,
                                                           client::WatchReceiver* receiver) override {
    client::ListCall other = call;
    other.resource = kept(call.resource);
    TRY_ASSIGN(auto handle, memory_->watch(other, revision, receiver));
    if (!is_widgets(*call.resource)) return handle;
    return std::make_unique<Counted>(std::move(handle), &watches);
  }
  bool carries_custom_objects() const override { return carries; }

  bool carries = true;
  bool fail_lists = false;
  int watches = 0;  // of widgets, open now

 private:
  class Counted final : public client::WatchHandle {
   public:
    Counted(std::unique_ptr<client::WatchHandle> handle, int* count) : handle_(std::move(handle)), count_(count) {
      ++*count_;
    }
    ~Counted() override { --*count_; }

   private:
    const std::unique_ptr<client::WatchHandle> handle_;
    int* const count_;
  };
  static bool is_widgets(const schema::Resource& resource) {
    return resource.group == "example.com" && resource.version == "v1" && resource.name == "widgets";
  }
  static const schema::Resource* kept(const schema::Resource* resource) {
    return is_widgets(*resource) ? &client::resource_of<Widget>() : resource;
  }
  const std::shared_ptr<client::MemoryTransport> memory_;
};

class CustomTest : public testing::Test {
 protected:
  CustomTest() {
    Dependencies dependencies = cluster_.dependencies();
    dependencies.transport = transport_;
    cluster_.add(make_controller(dependencies));
    cluster_.start();
  }
  void define() {
    CustomResourceDefinition definition;
    definition.metadata.name = "widgets.example.com";
    definition.spec.group = "example.com";
    definition.spec.scope = "Namespaced";
    definition.spec.versions.resize(2);
    definition.spec.versions[0].name = "v2";
    definition.spec.versions[0].served = true;
    definition.spec.versions[1].name = "v1";
    definition.spec.versions[1].served = definition.spec.versions[1].storage = true;
    call_definition(client::Verb::kCreate, definition, "");
    cluster_.settle();
    EXPECT_EQ(transport_->watches, 0) << "not established yet";
    definition.status.accepted_names.plural = "widgets";
    definition.status.accepted_names.kind = "Widget";
    auto& condition = definition.status.conditions.emplace_back();
    condition.type = "Established";
    condition.status = "True";
    call_definition(client::Verb::kUpdate, definition, "status");
    cluster_.settle();
  }
  client::RawObject read_definition() {
    client::Call call;
    call.resource = gen::find_resource("apiextensions.k8s.io", "v1", "customresourcedefinitions", "");
    call.name = "widgets.example.com";
    return *transport_->call_and_wait(std::move(call));
  }
  void call_definition(client::Verb verb, const CustomResourceDefinition& definition, std::string_view subresource) {
    client::Call call;
    call.verb = verb;
    call.resource = gen::find_resource("apiextensions.k8s.io", "v1", "customresourcedefinitions", subresource);
    if (verb != client::Verb::kCreate) call.name = definition.metadata.name;
    if (verb != client::Verb::kDelete) call.body = client::encode_object(definition);
    EXPECT_TRUE(transport_->call_and_wait(std::move(call)));
  }
  template <typename T>
  T make(const std::string& name) {
    T object;
    object.metadata.name = name;
    object.metadata.namespace_ = "ns";
    return object;
  }
  template <typename T>
  T make_owned(const std::string& name, std::string_view api_version, std::string_view kind, std::string owner,
               std::string uid) {
    T object = make<T>(name);
    auto& reference = object.metadata.owner_references.emplace_back();
    reference.api_version = api_version;
    reference.kind = kind;
    reference.name = std::move(owner);
    reference.uid = std::move(uid);
    reference.block_owner_deletion = true;
    return object;
  }
  // A Widget "w" that owns the ConfigMap "c", which its own finalizer holds.
  void make_pair(std::vector<std::string> finalizers = {}) {
    const Widget owner = *client_.create(make<Widget>("w"));
    ConfigMap owned = make_owned<ConfigMap>("c", "example.com/v2", "Widget", "w", owner.metadata.uid);
    owned.metadata.finalizers = std::move(finalizers);
    EXPECT_TRUE(client_.create(owned));
    cluster_.settle();
  }
  void remove_widget(Propagation propagation) {
    client::DeleteOptions options;
    options.propagation = propagation;
    EXPECT_TRUE(client_.remove<Widget>("ns", "w", options));
    cluster_.settle();
  }
  template <typename T>
  bool exists(const std::string& name) {
    return client_.get<T>("ns", name).has_value();
  }

  Cluster cluster_;
  std::shared_ptr<WidgetTransport> transport_ = std::make_shared<WidgetTransport>(cluster_.transport);
  client::Client& client_ = cluster_.client;
};

TEST_F(CustomTest, WhatACustomObjectOwnsGoesAfterIt) {
  define();
  make_pair();
  EXPECT_TRUE(exists<ConfigMap>("c"));
  remove_widget(Propagation::kBackground);
  EXPECT_FALSE(exists<Widget>("w"));
  EXPECT_FALSE(exists<ConfigMap>("c"));
}

TEST_F(CustomTest, ForegroundDeletionOfACustomObjectWaitsAndFinishes) {
  define();
  make_pair({"a.b/c"});
  remove_widget(Propagation::kForeground);
  EXPECT_TRUE(client_.get<ConfigMap>("ns", "c")->metadata.deletion_timestamp);
  EXPECT_TRUE(exists<Widget>("w"));
  ASSERT_TRUE(client_.patch<ConfigMap>("ns", "c", client::PatchType::kMerge, R"({"metadata":{"finalizers":null}})"));
  cluster_.settle();
  EXPECT_FALSE(exists<ConfigMap>("c"));
  EXPECT_FALSE(exists<Widget>("w"));
}

TEST_F(CustomTest, OrphaningACustomObjectsDependents) {
  define();
  make_pair();
  remove_widget(Propagation::kOrphan);
  EXPECT_FALSE(exists<Widget>("w"));
  ASSERT_TRUE(exists<ConfigMap>("c"));
  EXPECT_TRUE(client_.get<ConfigMap>("ns", "c")->metadata.owner_references.empty());
}

TEST_F(CustomTest, CustomObjectsGoWithTheirOwners) {
  define();
  const ConfigMap owner = *client_.create(make<ConfigMap>("owner"));
  const Widget first = *client_.create(make_owned<Widget>("w1", "v1", "ConfigMap", "owner", owner.metadata.uid));
  ASSERT_TRUE(client_.create(make_owned<Widget>("w2", "example.com/v1", "Widget", "w1", first.metadata.uid)));
  cluster_.settle();
  EXPECT_TRUE(exists<Widget>("w1") && exists<Widget>("w2"));
  client::DeleteOptions options;
  options.propagation = Propagation::kForeground;
  ASSERT_TRUE(client_.remove<ConfigMap>("ns", "owner", options));
  cluster_.settle();
  EXPECT_FALSE(exists<Widget>("w1") || exists<Widget>("w2") || exists<ConfigMap>("owner"));
}

TEST_F(CustomTest, AnOwnerIsMissedOnceItsKindIsKnown) {
  ASSERT_TRUE(client_.create(make_owned<ConfigMap>("c", "example.com/v1", "Widget", "w", "no such uid")));
  ASSERT_TRUE(client_.create(make_owned<ConfigMap>("other", "example.com/v1", "Gadget", "w", "another uid")));
  cluster_.settle();
  EXPECT_TRUE(exists<ConfigMap>("c"));
  define();
  EXPECT_FALSE(exists<ConfigMap>("c"));
  EXPECT_TRUE(exists<ConfigMap>("other")) << "nobody knows Gadgets";
}

TEST_F(CustomTest, AWatchEndsWithItsDefinition) {
  define();
  EXPECT_EQ(transport_->watches, 1);
  make_pair();
  // Both go before the collector looks: the owner cannot be asked for any more.
  ASSERT_TRUE(client_.remove<Widget>("ns", "w"));
  CustomResourceDefinition definition;
  definition.metadata.name = "widgets.example.com";
  call_definition(client::Verb::kDelete, definition, "");
  cluster_.settle();
  cluster_.settle();
  EXPECT_EQ(transport_->watches, 0);
  EXPECT_FALSE(exists<ConfigMap>("c"));
  define();
  EXPECT_EQ(transport_->watches, 1);
}

TEST_F(CustomTest, ADefinitionThatIsNotServedForNowKeepsWhatItsObjectsOwn) {
  define();
  make_pair();
  CustomResourceDefinition definition = *client::decode_object<CustomResourceDefinition>(read_definition());
  for (auto& version : definition.spec.versions) version.served = false;
  call_definition(client::Verb::kUpdate, definition, "");
  cluster_.settle();
  EXPECT_EQ(transport_->watches, 0);
  ASSERT_TRUE(client_.patch<ConfigMap>("ns", "c", client::PatchType::kMerge, R"({"data":{"a":"b"}})"));
  cluster_.settle();
  EXPECT_TRUE(exists<ConfigMap>("c"));
}

TEST_F(CustomTest, DecisionsAboutAllDependentsWaitForTheFirstList) {
  transport_->fail_lists = true;
  const ConfigMap owner = *client_.create(make<ConfigMap>("owner"));
  ASSERT_TRUE(client_.create(make_owned<Widget>("w", "v1", "ConfigMap", "owner", owner.metadata.uid)));
  define();
  client::DeleteOptions options;
  options.propagation = Propagation::kOrphan;
  ASSERT_TRUE(client_.remove<ConfigMap>("ns", "owner", options));
  cluster_.settle();
  EXPECT_TRUE(exists<ConfigMap>("owner"));
  transport_->fail_lists = false;
  cluster_.executor.advance(std::chrono::seconds(2));
  EXPECT_FALSE(exists<ConfigMap>("owner"));
  ASSERT_TRUE(exists<Widget>("w"));
  EXPECT_TRUE(client_.get<Widget>("ns", "w")->metadata.owner_references.empty());
}

TEST_F(CustomTest, ATransportWithoutCustomResourcesIsNotAskedForTheirObjects) {
  transport_->carries = false;
  define();
  make_pair();
  EXPECT_EQ(transport_->watches, 0);
  EXPECT_TRUE(exists<ConfigMap>("c"));
}

}  // namespace
}  // namespace controllers::garbagecollector
