#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <regex>

#include "base/box.h"
#include "base/bytes.h"
#include "base/executor.h"
#include "base/result.h"
#include "base/rng.h"

namespace base {
namespace {

TEST(Result, ReasonNamesRoundTrip) {
  for (int i = 1; i <= static_cast<int>(Reason::kServiceUnavailable); ++i) {
    Reason reason = static_cast<Reason>(i);
    EXPECT_EQ(reason_from_name(reason_name(reason)), reason);
  }
  EXPECT_EQ(reason_from_name("NoSuchReason"), Reason::kUnknown);
}

Result<int> half(int value) {
  if (value % 2 != 0) return fail(Reason::kInvalid, "odd");
  return value / 2;
}
Result<int> quarter(int value) {
  TRY_ASSIGN(int h, half(value));
  return half(h);
}

TEST(Result, TryAssignPassesTheErrorOn) {
  EXPECT_EQ(*quarter(8), 2);
  EXPECT_EQ(quarter(6).error().message, "odd");
}

TEST(SharedBytes, SharesOneBlock) {
  SharedBytes a("hello");
  SharedBytes b = a;
  EXPECT_TRUE(a.same(b));
  EXPECT_EQ(b.view(), "hello");
  a = SharedBytes();
  EXPECT_EQ(b.view(), "hello");
  EXPECT_TRUE(a.empty());
}

TEST(Box, CopiesWhatItPointsTo) {
  Box<std::string> a = std::string("x");
  Box<std::string> b = a;
  EXPECT_EQ(a, b);
  *b = "y";
  EXPECT_EQ(*a, "x");
  b = nullptr;
  EXPECT_FALSE(b);
  EXPECT_EQ(b.ensure(), "");
}

TEST(Rng, UuidHasVersionAndVariant) {
  auto rng = seeded_rng(7);
  std::regex form("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}");
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(std::regex_match(new_uuid(*rng), form));
  EXPECT_EQ(random_suffix(*rng, 5).size(), 5U);
}

TEST(ThreadPool, RunsTasksAndTimersInOrderOfTheirTime) {
  ThreadPool pool("test", 1);
  std::promise<std::string> done;
  std::string order;
  pool.post_after(std::chrono::milliseconds(20), [&] {
    order += "c";
    done.set_value(order);
  });
  pool.post_after(std::chrono::milliseconds(1), [&] { order += "b"; });
  pool.post([&] { order += "a"; });
  EXPECT_EQ(done.get_future().get(), "abc");
}

TEST(ThreadPool, StopDropsWhatIsQueued) {
  std::atomic<int> ran = 0;
  ThreadPool pool("test", 1);
  pool.post_after(std::chrono::hours(1), [&] { ++ran; });
  pool.stop();
  pool.post([&] { ++ran; });
  EXPECT_EQ(ran, 0);
}

}  // namespace
}  // namespace base
