// The same pieces to many streams: order, joining and leaving while pieces go out, members that are too slow.
#include "net/fanout.h"

#include <gtest/gtest.h>

#include <atomic>
#include <set>

#include "net/test_server.h"

namespace net {
namespace {

constexpr int kClients = 8;

// Clients of a server with two loops; each has one stream, of which the test holds the writer.
class FanoutTest : public testing::TestWithParam<ProtocolChoice> {
 protected:
  struct Stream {
    std::string body;
    Signal ended;
    std::shared_ptr<Client> client;
    std::shared_ptr<Call> call;
  };
  FanoutTest() : server_(Transport::kTls, [](ServerOptions& options) { options.loops = 2; }) {
    server_.handler->table["/stream"] = [this](RequestPointer, WriterPointer writer) {
      writer->start(200, {});
      const std::lock_guard lock(mutex_);
      writers_.push_back(writer);
      if (writers_.size() == kClients) all_open_.set();
    };
    server_.start();
    for (int i = 0; i < kClients; ++i) {
      Stream& stream = streams_[i];
      stream.client = server_.client([](ClientOptions& options) { options.protocol = GetParam(); });
      stream.call = stream.client->stream({.target = "/stream"}, {},
                                          {.on_headers = nullptr,
                                           .on_data = [&stream](std::string_view data) { stream.body += data; },
                                           .on_end = [&stream](base::Result<void>) { stream.ended.set(); }});
    }
    EXPECT_TRUE(all_open_.wait());
  }

  TestServer server_;
  std::mutex mutex_;
  std::vector<WriterPointer> writers_;
  Signal all_open_;
  Stream streams_[kClients];
};

INSTANTIATE_TEST_SUITE_P(Net, FanoutTest, testing::Values(ProtocolChoice::kAuto, ProtocolChoice::kHttp1Only),
                         [](const auto& info) { return info.param == ProtocolChoice::kAuto ? "h2" : "h1"; });

TEST_P(FanoutTest, EveryMemberGetsWhatWasWrittenWhileItWasIn) {
  Fanout fanout(1 << 20);
  std::string expected[kClients];
  for (int round = 0; round < 400; ++round) {
    const auto slot = static_cast<size_t>(round / 20 % kClients);
    // In turn one joins, with something of its own before it, and halfway through the test one leaves.
    if (round % 20 == 10 && round < 20 * kClients) {
      writers_[slot]->write_later(base::SharedBytes("own " + std::to_string(round) + "\n"));
      fanout.add(writers_[slot]->fanout_target(), nullptr);
      expected[slot] = "own " + std::to_string(round) + "\n";
    }
    if (round % 20 == 10 && round >= 240 && round < 320) {
      fanout.flush();
      fanout.remove(*writers_[slot]->fanout_target());
    }
    const std::string piece = std::string(static_cast<size_t>(round * 7 % 3000), 'p') + std::to_string(round) + "\n";
    fanout.write_later(base::SharedBytes(piece));
    for (size_t i = 0; i < kClients; ++i) {
      const bool left = round >= 250 && i >= 4 && round >= 250 + 20 * static_cast<int>(i - 4);
      if (!expected[i].empty() && !left) expected[i] += piece;
    }
    if (round % 3 == 0) fanout.flush();
  }
  fanout.flush();
  // A task behind those of the fanout: what was written has reached the streams when they end.
  std::vector<std::shared_ptr<Signal>> passed;
  for (auto& writer : writers_) {
    auto signal = passed.emplace_back(std::make_shared<Signal>());
    writer->fanout_target()->target_loop()->post([writer, signal] {
      writer->finish();
      signal->set();
    });
  }
  for (auto& signal : passed) EXPECT_TRUE(signal->wait());
  std::multiset<std::string> got, wanted(expected, expected + kClients);
  for (Stream& stream : streams_) {
    EXPECT_TRUE(stream.ended.wait());
    got.insert(stream.body);
  }
  EXPECT_TRUE(got == wanted);
}

TEST_P(FanoutTest, WhoIsTooSlowIsToldOnce) {
  Fanout fanout(100'000);
  std::atomic<int> told = 0;
  Signal first;
  for (auto& writer : writers_) {
    fanout.add(writer->fanout_target(), [&, writer] {
      ++told;
      writer->abort();
      if (told == kClients) first.set();
    });
  }
  fanout.write_later(base::SharedBytes(std::string(100'001, 'x')));
  fanout.flush();
  EXPECT_TRUE(first.wait());
  fanout.write_later(base::SharedBytes("more"));
  fanout.flush();
  for (Stream& stream : streams_) EXPECT_TRUE(stream.ended.wait());
  for (auto& writer : writers_) fanout.remove(*writer->fanout_target());
  EXPECT_EQ(told, kClients);
}

// The loop does nothing for a while: what waits for it has a limit too.
TEST_P(FanoutTest, ALoopThatIsTooFarBehindCutsItsMembersOff) {
  Fanout fanout(100'000);
  std::atomic<int> told = 0;
  Signal all, go_on;
  std::set<Loop*> loops;
  for (auto& writer : writers_) {
    loops.insert(writer->fanout_target()->target_loop().get());
    fanout.add(writer->fanout_target(), [&, writer] {
      writer->abort();
      if (++told == kClients) all.set();
    });
  }
  for (Loop* loop : loops) loop->post([&] { EXPECT_TRUE(go_on.wait()); });
  for (int i = 0; i < 3; ++i) {
    fanout.write_later(base::SharedBytes(std::string(90'000, 'x')));
    fanout.flush();
  }
  go_on.set();
  EXPECT_TRUE(all.wait());
  for (auto& writer : writers_) fanout.remove(*writer->fanout_target());
}

}  // namespace
}  // namespace net
