#include "net/fanout.h"

#include <algorithm>
#include <atomic>
#include <utility>

#include "base/check.h"

namespace net {

namespace {
struct Member {
  std::shared_ptr<FanoutTarget> target;
  base::Task too_slow;
};
}  // namespace

// The members on one loop. What happens to `members` happens in tasks of the loop, in the order of the calls.
struct Fanout::Lane {
  explicit Lane(std::shared_ptr<Loop> its_loop) : loop(std::move(its_loop)) {}

  void write(std::span<const base::SharedBytes> pieces, size_t limit);
  void cut_off();
  // Calls back outside of any walk over the members: who is called may remove some.
  static void tell(std::vector<base::Task> slow) {
    for (base::Task& each : slow) {
      if (each) each();
    }
  }

  const std::shared_ptr<Loop> loop;
  size_t count = 0;               // guarded by the fanout's mutex
  std::atomic<size_t> queued{0};  // bytes in tasks that the loop has not run
  std::vector<Member> members;    // the loop's
};

void Fanout::Lane::write(std::span<const base::SharedBytes> pieces, size_t limit) {
  std::vector<base::Task> slow;
  for (Member& member : members) {
    if (member.target->write_now(pieces) > limit) slow.push_back(std::exchange(member.too_slow, nullptr));
  }
  if (!slow.empty()) tell(std::move(slow));
}

// The loop itself is too far behind: every member has missed something.
void Fanout::Lane::cut_off() {
  std::vector<base::Task> slow;
  for (Member& member : members) slow.push_back(std::exchange(member.too_slow, nullptr));
  members.clear();  // who misses a piece gets no later one
  tell(std::move(slow));
}

Fanout::~Fanout() {
  base::MutexLock lock(mutex_);
  for (auto& lane : lanes_) {
    auto* loop = lane->loop.get();
    loop->post([lane = std::move(lane)] { lane->members.clear(); });
  }
}

void Fanout::add(std::shared_ptr<FanoutTarget> target, base::Task too_slow) {
  const std::shared_ptr<Loop>& loop = target->target_loop();
  base::MutexLock lock(mutex_);
  flush_locked();  // what was written before is not for the new one
  auto found = std::ranges::find(lanes_, loop, [](const auto& lane) { return lane->loop; });
  if (found == lanes_.end()) found = lanes_.insert(lanes_.end(), std::make_shared<Lane>(loop));
  ++(*found)->count;
  loop->post([lane = *found, member = Member{std::move(target), std::move(too_slow)}]() mutable {
    lane->members.push_back(std::move(member));
  });
}

void Fanout::remove(const FanoutTarget& target) {
  const std::shared_ptr<Loop>& loop = target.target_loop();
  base::MutexLock lock(mutex_);
  auto found = std::ranges::find(lanes_, loop, [](const auto& lane) { return lane->loop; });
  CHECK(found != lanes_.end());
  // The address tells which: a member keeps its target alive until it is taken out here.
  loop->post([lane = *found, address = &target] {
    auto at = std::ranges::find(lane->members, address, [](const Member& member) { return member.target.get(); });
    if (at == lane->members.end()) return;
    std::swap(*at, lane->members.back());
    lane->members.pop_back();
  });
  if (--(*found)->count == 0) lanes_.erase(found);
}

void Fanout::write_later(base::SharedBytes piece) {
  base::MutexLock lock(mutex_);
  pieces_.push_back(std::move(piece));
}

void Fanout::flush() {
  base::MutexLock lock(mutex_);
  flush_locked();
}

void Fanout::flush_locked() {
  const std::vector<base::SharedBytes> pieces = std::exchange(pieces_, {});
  size_t size = 0;
  for (const base::SharedBytes& piece : pieces) size += piece.size();
  if (size == 0) return;
  for (const auto& lane : lanes_) {
    if (lane->queued.fetch_add(size) > limit_) {
      lane->queued -= size;
      lane->loop->post([lane] { lane->cut_off(); });
      continue;
    }
    lane->loop->post([lane, pieces, size, limit = limit_] {
      lane->queued -= size;
      lane->write(pieces, limit);
    });
  }
}

}  // namespace net
