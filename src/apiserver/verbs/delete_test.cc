#include <gtest/gtest.h>

#include "apiserver/body.h"
#include "apiserver/testing.h"
#include "apiserver/verbs/verbs.h"
#include "apiserver/write.h"
#include "gen/codec.h"
#include "gen/core/v1.h"

namespace apiserver {
namespace {

using ConfigMap = ::api::core::v1::ConfigMap;
using Pod = ::api::core::v1::Pod;

class DeleteTest : public ::testing::Test {
 protected:
  const Endpoint& endpoint(std::string_view resource) const {
    return *test_.core->endpoints().find("", "v1", resource, "");
  }
  RequestContext context() const {
    RequestContext made = test_.context();
    made.info.ns = "ns";
    return made;
  }
  template <typename T>
  int64_t create(std::string_view resource, const T& object) {
    RequestContext request = context();
    auto stored = to_stored(endpoint(resource), gen::encode(object));
    auto answer = create_object(request, endpoint(resource), std::move(*stored), {}, FieldOwnership::kDone);
    if (!answer) ADD_FAILURE() << answer.error().message;
    return answer ? answer->revision : 0;
  }
  base::Result<Answer> remove(std::string_view resource, const DeleteOptions& options = {}) {
    RequestContext request = context();
    return delete_object(request, endpoint(resource), "a", options);
  }
  int64_t accepted() const { return test_.store->status().accepted_revision; }

  static Pod pod() {
    Pod out;
    out.metadata.name = "a";
    auto& container = out.spec.containers.emplace_back();
    container.name = "c";
    container.image = "image";
    return out;
  }
  static ConfigMap config_map(std::vector<std::string> finalizers) {
    ConfigMap out;
    out.metadata.name = "a";
    out.metadata.finalizers = std::move(finalizers);
    return out;
  }

  testing::TestCore test_;
};

TEST_F(DeleteTest, AnObjectWithoutGraceGoesInOneWrite) {
  const int64_t made = create("configmaps", config_map({}));
  auto answer = remove("configmaps");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->message, nullptr);  // a Status
  EXPECT_EQ(accepted(), made + 1);
}

TEST_F(DeleteTest, APodWithoutGraceIsMarkedBeforeItGoesAndShowsTheRevisionOfItsEnd) {
  const int64_t made = create("pods", pod());
  auto answer = remove("pods");
  ASSERT_TRUE(answer);
  EXPECT_EQ(accepted(), made + 2);
  EXPECT_EQ(answer->revision, made + 2);
  auto last = gen::decode<Pod>(answer->raw);
  ASSERT_TRUE(last);
  EXPECT_TRUE(last->metadata.deletion_timestamp);
  EXPECT_EQ(last->metadata.deletion_grace_period_seconds, 0);
  EXPECT_FALSE(test_.core->get("", "pods", "ns", "a"));
}

TEST_F(DeleteTest, ADryRunWritesNothing) {
  const int64_t made = create("pods", pod());
  DeleteOptions options;
  options.dry_run = DryRun::kYes;
  ASSERT_TRUE(remove("pods", options));
  EXPECT_EQ(accepted(), made);
}

TEST_F(DeleteTest, ThePodOfANodeKeepsItsGraceUntilItIsCutShort) {
  Pod bound = pod();
  bound.spec.node_name = "n";
  const int64_t made = create("pods", bound);
  ASSERT_TRUE(remove("pods"));
  EXPECT_EQ(accepted(), made + 1);
  DeleteOptions now;
  now.grace_period_seconds = 0;
  ASSERT_TRUE(remove("pods", now));
  EXPECT_EQ(accepted(), made + 3);
}

TEST_F(DeleteTest, TheUpdateThatTakesTheLastFinalizerAnswersWithTheVersionThatTheObjectHad) {
  create("configmaps", config_map({"example.com/f"}));
  ASSERT_TRUE(remove("configmaps"));
  const int64_t marked = accepted();
  RequestContext request = context();
  const UpdateRequest update{"a", "", {}, {}, FieldOwnership::kDone};
  auto answer = update_object(request, endpoint("configmaps"), update, [&](const Live& live) {
    auto object = decode_stored(endpoint("configmaps"), live.raw);
    object->as<ConfigMap>().metadata.finalizers.clear();
    return object;
  });
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->revision, marked);
  EXPECT_EQ(accepted(), marked + 1);
  EXPECT_FALSE(test_.core->get("", "configmaps", "ns", "a"));
}

}  // namespace
}  // namespace apiserver
