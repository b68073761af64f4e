// A list that passes over what signatures rule out shows exactly what a walk over everything shows.
#include "apiserver/list_plan.h"

#include <gtest/gtest.h>

#include <array>
#include <future>
#include <map>
#include <string>
#include <vector>

#include "apiserver/selection.h"
#include "apiserver/testing.h"
#include "codec/wire.h"
#include "object/status.h"
#include "schema/envelope.h"
#include "storage/keys.h"
#include "storage/stored_object.h"

namespace apiserver {
namespace {

// An object whose nested string field has field number `number` in message 2: a Pod's spec.nodeName, an Event's
// involvedObject.name.
std::string object(base::Rng& rng, std::string_view kind, uint32_t number) {
  static constexpr std::array<std::string_view, 4> kValues = {"", "a", "b", "17"};
  std::string metadata, nested, raw, out;
  for (std::string_view key : {"app", "tier", "x/y"}) {
    if (rng.below(3) == 0) continue;
    std::string entry;
    codec::append_bytes_field(entry, 1, key);
    codec::append_bytes_field(entry, 2, kValues[rng.below(kValues.size())]);
    codec::append_bytes_field(metadata, 11, entry);
  }
  if (rng.below(3) != 0) codec::append_bytes_field(nested, number, "node-" + std::to_string(rng.below(4)));
  codec::append_bytes_field(raw, 1, metadata);
  codec::append_bytes_field(raw, 2, nested);
  schema::wrap({"v1", kind}, raw, out);
  return out;
}

void write(testing::TestCore& test, kv::Write write) {
  auto ticket = test.store->write(std::move(write));
  if (!ticket) return;  // a delete of nothing
  std::promise<bool> durable;
  test.store->when_durable(*ticket, [&](base::Result<void> done) { durable.set_value(done.has_value()); });
  ASSERT_TRUE(durable.get_future().get());
}

struct Case {
  const Endpoint* endpoint;
  std::string ns;
  ListOptions options;
};

std::string text(const kv::KeyValueRef& kv) {
  return std::string(kv->key.view()) + "@" + std::to_string(kv->mod_revision) + " ";
}

// Every object of the snapshot, one by one.
std::string walked(const Case& wanted, const kv::Snapshot& snapshot) {
  auto selection = Selection::compile(*wanted.endpoint, wanted.options);
  EXPECT_TRUE(selection);
  std::string out;
  const std::string start = storage::range_start(wanted.endpoint->prefix(), wanted.ns);
  snapshot.range(start, kv::prefix_end(start), [&](const kv::KeyValueRef& kv) {
    if (selection->matches(storage::open_stored(kv)->raw)) out += text(kv);
    return kv::Visit::kContinue;
  });
  return out;
}

// All pages of the list.
std::string listed(testing::TestCore& test, Case wanted) {
  std::string out;
  for (int pages = 0; pages < 1000; ++pages) {
    auto plan = plan_list(*test.core, *wanted.endpoint, wanted.ns, wanted.options);
    if (!plan) return plan.error().message;
    for (const auto& kv : plan->items) out += text(kv);
    if (plan->continue_token.empty()) return out;
    wanted.options.continue_token = plan->continue_token;
    wanted.options.resource_version.clear();
    wanted.options.match = VersionMatch::kUnset;
  }
  return "no end";
}

Case random_case(testing::TestCore& test, base::Rng& rng) {
  static constexpr const char* kLabels[] = {"app=a",
                                            "app==b",
                                            "app=",
                                            "app!=a",
                                            "app in (a,b)",
                                            "app notin (a,b)",
                                            "tier",
                                            "!tier",
                                            "app>3",
                                            "app=a,tier=b",
                                            "app in (a,17),tier in (b)",
                                            "x/y in (a,b,17),tier!=a",
                                            "app=none",
                                            ""};
  static constexpr const char* kNodes[] = {"=node-1", "=node-3", "!=node-1", "=", "=nowhere"};
  const bool events = rng.below(4) == 0;
  Case made{test.core->endpoints().find("", "v1", events ? "events" : "pods", ""), "", {}};
  if (rng.below(3) == 0) made.ns = "ns" + std::to_string(rng.below(3));
  made.options.labels = *object::LabelSelector::parse(kLabels[rng.below(std::size(kLabels))]);
  if (rng.below(2) == 0) {
    made.options.fields = *object::FieldSelector::parse((events ? "involvedObject.name" : "spec.nodeName") +
                                                        std::string(kNodes[rng.below(std::size(kNodes))]));
  }
  if (rng.below(2) == 0) made.options.limit = static_cast<int64_t>(1 + rng.below(9));
  return made;
}

void compare(testing::TestCore& test, base::Rng& rng, int64_t oldest) {
  for (int i = 0; i < 150; ++i) {
    Case wanted = random_case(test, rng);
    kv::SnapshotPtr snapshot = test.store->snapshot();
    if (rng.below(3) == 0) {
      const auto span = static_cast<uint64_t>(snapshot->revision() - oldest + 1);
      snapshot = *test.store->snapshot_at(oldest + static_cast<int64_t>(rng.below(span)));
      wanted.options.resource_version = std::to_string(snapshot->revision());
      wanted.options.match = VersionMatch::kExact;
    } else if (rng.below(2) == 0) {
      wanted.options.resource_version = "0";
    }
    ASSERT_EQ(listed(test, wanted), walked(wanted, *snapshot))
        << wanted.options.labels.to_string() << " " << wanted.options.fields.to_string() << " ns " << wanted.ns;
  }
}

TEST(ListPlan, ShowsWhatAWalkShows) {
  for (uint64_t seed = 1; seed <= 3; ++seed) {
    testing::TestCore test;
    auto rng = base::seeded_rng(seed);
    for (int i = 0; i < 400; ++i) {
      const bool event = rng->below(4) == 0;
      const std::string key =
          storage::object_key(event ? "/registry/events" : "/registry/pods", "ns" + std::to_string(rng->below(3)),
                              "n" + std::to_string(rng->below(60)));
      kv::Write change{base::SharedBytes(key), std::nullopt, std::nullopt, 0};
      if (rng->below(5) != 0) {
        change.value = base::SharedBytes(object(*rng, event ? "Event" : "Pod", event ? 3 : 10));
      }
      ASSERT_NO_FATAL_FAILURE(write(test, std::move(change)));
    }
    ASSERT_NO_FATAL_FAILURE(compare(test, *rng, 1));
    test.reopen();
    ASSERT_NO_FATAL_FAILURE(compare(test, *rng, test.store->compacted_revision() + 1));
  }
}

TEST(ListPlan, AnExpiredTokenComesBackAsOneThatGoesOn) {
  testing::TestCore test;
  auto rng = base::seeded_rng(1);
  for (int i = 0; i < 5; ++i) {
    const std::string key = storage::object_key("/registry/pods", "ns", "n" + std::to_string(i));
    ASSERT_NO_FATAL_FAILURE(
        write(test, {base::SharedBytes(key), base::SharedBytes(object(*rng, "Pod", 10)), std::nullopt, 0}));
  }
  const Endpoint& pods = *test.core->endpoints().find("", "v1", "pods", "");
  ListOptions options;
  options.limit = 2;
  const auto first = plan_list(*test.core, pods, "ns", options);
  ASSERT_TRUE(first);
  const std::string key = storage::object_key("/registry/pods", "ns", "n9");
  ASSERT_NO_FATAL_FAILURE(
      write(test, {base::SharedBytes(key), base::SharedBytes(object(*rng, "Pod", 10)), std::nullopt, 0}));
  ASSERT_TRUE(test.store->compact(test.store->snapshot()->revision()));
  options.continue_token = first->continue_token;
  const auto expired = plan_list(*test.core, pods, "ns", options);
  ASSERT_FALSE(expired);
  const object::Value status = object::status_value(expired.error(), 410);
  EXPECT_EQ(status.find("details"), nullptr);
  options.continue_token = status.string_at({"metadata", "continue"});
  const auto second = plan_list(*test.core, pods, "ns", options);
  ASSERT_TRUE(second);
  EXPECT_EQ(second->revision, test.store->snapshot()->revision());
  ASSERT_EQ(second->items.size(), 2u);
  EXPECT_TRUE(second->items[0]->key.view().ends_with("/n2"));
  EXPECT_EQ(second->remaining, 2);
}

TEST(ListPlan, SelectorsThatFixAValueHaveSignatures) {
  testing::TestCore test;
  const auto signatures = [&](const char* resource, const char* labels, const char* fields) {
    ListOptions options;
    options.labels = *object::LabelSelector::parse(labels);
    options.fields = *object::FieldSelector::parse(fields);
    auto selection = Selection::compile(*test.core->endpoints().find("", "v1", resource, ""), options);
    return selection ? static_cast<int>(selection->signatures().size()) : -1;
  };
  EXPECT_EQ(signatures("pods", "app=a,tier!=b", ""), 1);
  EXPECT_EQ(signatures("pods", "app in (a,b,c),tier in (x,y)", "spec.nodeName=n"), 2);
  EXPECT_EQ(signatures("pods", "", "spec.nodeName=n"), 1);
  EXPECT_EQ(signatures("pods", "", "spec.nodeName="), 1);
  EXPECT_EQ(signatures("events", "", "involvedObject.name=n"), 1);
  for (const char* loose : {"app", "!app", "app!=a", "app notin (a)", "app>3"})
    EXPECT_EQ(signatures("pods", loose, ""), 0);
  EXPECT_EQ(signatures("pods", "", "spec.nodeName!=n"), 0);
  EXPECT_EQ(signatures("pods", "", "status.phase=Running"), 0);
}

}  // namespace
}  // namespace apiserver
