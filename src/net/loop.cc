#include "net/loop.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>

#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/post.hpp>
#include <asio/steady_timer.hpp>
#include <atomic>
#include <cstring>
#include <map>
#include <thread>
#include <unordered_set>

#include "base/check.h"
#include "base/mutex.h"

namespace net {

std::string SocketAddress::to_string() const {
  char text[INET6_ADDRSTRLEN] = "";
  if (storage.ss_family == AF_INET) {
    const auto* in = reinterpret_cast<const sockaddr_in*>(&storage);
    inet_ntop(AF_INET, &in->sin_addr, text, sizeof text);
    return std::string(text) + ":" + std::to_string(ntohs(in->sin_port));
  }
  if (storage.ss_family == AF_INET6) {
    const auto* in = reinterpret_cast<const sockaddr_in6*>(&storage);
    inet_ntop(AF_INET6, &in->sin6_addr, text, sizeof text);
    if (std::string_view(text).starts_with("::ffff:") && IN6_IS_ADDR_V4MAPPED(&in->sin6_addr)) {
      return std::string(text + 7) + ":" + std::to_string(ntohs(in->sin6_port));
    }
    return "[" + std::string(text) + "]:" + std::to_string(ntohs(in->sin6_port));
  }
  return "unknown";
}

base::Result<SocketAddress> SocketAddress::parse(const std::string& host, uint16_t port) {
  SocketAddress address;
  auto* v4 = reinterpret_cast<sockaddr_in*>(&address.storage);
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&address.storage);
  if (inet_pton(AF_INET, host.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    address.size = sizeof(sockaddr_in);
    return address;
  }
  if (inet_pton(AF_INET6, host.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    address.size = sizeof(sockaddr_in6);
    return address;
  }
  return base::fail(base::Reason::kInvalid, "\"" + host + "\" is not an IP address");
}

namespace {
class WatchImpl;
}

class Loop::Impl : public std::enable_shared_from_this<Loop::Impl> {
 public:
  Impl() : io(1), work(asio::make_work_guard(io)), timer(io), resolver(io) {}

  void run(const std::string& name);
  void post(Task task);
  void drain();
  // Runs something on behalf of an event, then what it deferred.
  template <typename F>
  void enter(F&& f) {
    now = std::chrono::steady_clock::now();
    f();
    while (!deferred.empty()) {
      std::vector<Task> batch;
      batch.swap(deferred);
      for (auto& task : batch) task();
    }
  }
  void arm_timer();
  void on_timer();
  void end();

  asio::io_context io;
  asio::executor_work_guard<asio::io_context::executor_type> work;
  asio::steady_timer timer;
  asio::ip::tcp::resolver resolver;
  std::thread thread;
  std::atomic<std::thread::id> thread_id;

  base::Mutex mutex;
  std::vector<Task> tasks GUARDED_BY(mutex);
  bool wake_pending GUARDED_BY(mutex) = false;
  bool stopped GUARDED_BY(mutex) = false;

  // Loop thread only.
  std::vector<Task> deferred;
  struct Timer {
    TimerId id;
    Task task;
  };
  std::multimap<base::MonoTime, Timer> timers;
  std::map<TimerId, base::MonoTime> timer_times;
  TimerId last_timer = 0;
  base::MonoTime armed_for = base::MonoTime::max();
  base::MonoTime now{};
  bool ended = false;
  std::unordered_set<WatchImpl*> watches;
  Scratch scratch;
};

namespace {

class WatchImpl final : public Loop::Watch, public std::enable_shared_from_this<WatchImpl> {
 public:
  WatchImpl(std::shared_ptr<Loop::Impl> loop, int fd) : loop_(std::move(loop)), descriptor_(loop_->io, fd) {
    loop_->watches.insert(this);
  }
  ~WatchImpl() override { close(); }
  int fd() const override { return const_cast<asio::posix::stream_descriptor&>(descriptor_).native_handle(); }
  void wait_readable(Task task) override { wait(asio::posix::stream_descriptor::wait_read, std::move(task)); }
  void wait_writable(Task task) override { wait(asio::posix::stream_descriptor::wait_write, std::move(task)); }
  void close() override {
    if (!descriptor_.is_open()) return;
    loop_->watches.erase(this);
    asio::error_code ignored;
    descriptor_.close(ignored);
  }

 private:
  void wait(asio::posix::stream_descriptor::wait_type type, Task task) {
    if (!descriptor_.is_open()) return;
    auto* loop = loop_.get();
    descriptor_.async_wait(type, [loop, task = std::move(task)](const asio::error_code& error) mutable {
      if (!error && !loop->ended) loop->enter(task);
    });
  }

  std::shared_ptr<Loop::Impl> loop_;
  asio::posix::stream_descriptor descriptor_;
};

}  // namespace

void Loop::Impl::run(const std::string& name) {
  pthread_setname_np(pthread_self(), name.substr(0, 15).c_str());
  thread_id = std::this_thread::get_id();
  io.run();
  end();
}

// On the loop's thread, last: nothing that was waiting survives, so that no connection outlives its loop.
void Loop::Impl::end() {
  std::vector<Task> dropped;
  {
    base::MutexLock lock(mutex);
    stopped = true;
    dropped.swap(tasks);
  }
  ended = true;
  while (!watches.empty()) (*watches.begin())->close();
  timer.cancel();
  resolver.cancel();
  timers.clear();
  timer_times.clear();
  deferred.clear();
  io.restart();
  io.poll();
}

void Loop::Impl::post(Task task) {
  {
    base::MutexLock lock(mutex);
    if (!stopped) {
      tasks.push_back(std::move(task));
      if (wake_pending) return;
      wake_pending = true;
    }
  }
  if (task) return;  // stopped: dropped here, outside the lock
  asio::post(io, [this] { drain(); });
}

void Loop::Impl::drain() {
  std::vector<Task> batch;
  {
    base::MutexLock lock(mutex);
    batch.swap(tasks);
    wake_pending = false;
  }
  enter([&] {
    for (auto& task : batch) task();
  });
}

void Loop::Impl::arm_timer() {
  if (timers.empty()) return;
  const auto first = timers.begin()->first;
  if (first >= armed_for) return;
  armed_for = first;
  timer.expires_at(std::chrono::time_point_cast<std::chrono::steady_clock::duration>(first));
  timer.async_wait([this](const asio::error_code& error) {
    if (!error) on_timer();
  });
}

void Loop::Impl::on_timer() {
  if (ended) return;
  armed_for = base::MonoTime::max();
  enter([&] {
    while (!timers.empty() && timers.begin()->first <= now) {
      auto node = timers.extract(timers.begin());
      timer_times.erase(node.mapped().id);
      node.mapped().task();
    }
  });
  arm_timer();
}

Loop::Loop(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

std::shared_ptr<Loop> Loop::start(const std::string& name) {
  auto impl = std::make_shared<Impl>();
  impl->thread = std::thread([impl, name] { impl->run(name); });
  return std::shared_ptr<Loop>(new Loop(std::move(impl)));
}

Loop::~Loop() {
  stop();
  // The last holder was a task of the loop itself: the thread ends by itself and nobody is left to wait for it.
  if (impl_->thread.joinable()) impl_->thread.detach();
}

void Loop::post(Task task) { impl_->post(std::move(task)); }
bool Loop::in_loop() const { return impl_->thread_id.load(std::memory_order_relaxed) == std::this_thread::get_id(); }

void Loop::stop() {
  impl_->post([impl = impl_.get()] { impl->io.stop(); });
  if (!in_loop() && impl_->thread.joinable()) impl_->thread.join();
}

void Loop::defer(Task task) {
  CHECK(in_loop());
  impl_->deferred.push_back(std::move(task));
}

TimerId Loop::run_after(base::Duration delay, Task task) {
  CHECK(in_loop());
  const auto when = std::chrono::steady_clock::now() + delay;
  const TimerId id = ++impl_->last_timer;
  impl_->timers.emplace(when, Impl::Timer{id, std::move(task)});
  impl_->timer_times.emplace(id, when);
  impl_->arm_timer();
  return id;
}

void Loop::cancel(TimerId id) {
  const auto found = impl_->timer_times.find(id);
  if (found == impl_->timer_times.end()) return;
  auto [begin, end] = impl_->timers.equal_range(found->second);
  impl_->timer_times.erase(found);
  for (auto it = begin; it != end; ++it) {
    if (it->second.id != id) continue;
    const Task dropped = std::move(it->second.task);  // destroyed after the map is in order again
    impl_->timers.erase(it);
    return;
  }
}

base::MonoTime Loop::now() const { return impl_->now; }

void Loop::resolve(const std::string& host, uint16_t port,
                   std::move_only_function<void(base::Result<std::vector<SocketAddress>>)> done) {
  if (auto numeric = SocketAddress::parse(host, port)) {
    post([address = *numeric, done = std::move(done)]() mutable { done(std::vector<SocketAddress>{address}); });
    return;
  }
  auto* impl = impl_.get();
  impl->resolver.async_resolve(
      host, std::to_string(port),
      [impl, host, done = std::move(done)](const asio::error_code& error,
                                           const asio::ip::tcp::resolver::results_type& found) mutable {
        if (error == asio::error::operation_aborted || impl->ended) return;
        base::Result<std::vector<SocketAddress>> result;
        for (const auto& entry : found) {
          SocketAddress address;
          address.size = static_cast<socklen_t>(entry.endpoint().size());
          std::memcpy(&address.storage, entry.endpoint().data(), address.size);
          result->push_back(address);
        }
        if (error) {
          result = base::fail(base::Reason::kServiceUnavailable, "lookup " + host + ": " + error.message());
        }
        impl->enter([&] { done(std::move(result)); });
      });
}

std::shared_ptr<Loop::Watch> Loop::watch(int fd) {
  CHECK(in_loop());
  return std::make_shared<WatchImpl>(impl_, fd);
}

Loop::Scratch& Loop::scratch() { return impl_->scratch; }

}  // namespace net
