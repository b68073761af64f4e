#include "base/executor.h"

#include <pthread.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <queue>
#include <thread>
#include <utility>
#include <vector>

#include "base/mutex.h"

namespace base {

class ThreadPool::Impl {
 public:
  Impl(std::string name, int threads) : name_(std::move(name)) {
    for (int i = 0; i < threads; ++i) start("-" + std::to_string(i), &Impl::run_tasks);
    start("-timer", &Impl::run_timers);
  }

  void post(Task task) {
    {
      MutexLock lock(mutex_);
      if (stopping_) return;
      tasks_.push_back(std::move(task));
    }
    wake_worker_.notify_one();
  }

  void post_after(Duration delay, Task task) {
    bool is_next = false;
    {
      MutexLock lock(mutex_);
      if (stopping_) return;
      const uint64_t sequence = sequence_++;
      timers_.push_back({std::chrono::steady_clock::now() + delay, sequence, std::move(task)});
      std::ranges::push_heap(timers_, later);
      is_next = timers_.front().sequence == sequence;
    }
    if (is_next) wake_timer_.notify_one();  // else the timer thread wakes early enough by itself
  }

  void stop() {
    {
      MutexLock lock(mutex_);
      stopping_ = true;
    }
    wake_worker_.notify_all();
    wake_timer_.notify_all();
    for (std::thread& thread : threads_) {
      if (thread.joinable()) thread.join();
    }
    std::deque<Task> tasks;
    std::vector<Timer> timers;
    MutexLock lock(mutex_);
    tasks.swap(tasks_);  // destroyed outside of use: a task's captures may call back into the pool
    timers.swap(timers_);
  }

 private:
  struct Timer {
    MonoTime due;
    uint64_t sequence;
    Task task;
  };
  static bool later(const Timer& a, const Timer& b) {
    return std::pair(a.due, a.sequence) > std::pair(b.due, b.sequence);
  }

  void start(const std::string& suffix, void (Impl::*body)()) {
    threads_.emplace_back(body, this);
    pthread_setname_np(threads_.back().native_handle(), (name_ + suffix).substr(0, 15).c_str());
  }

  void run_tasks() {
    for (;;) {
      Task task;
      {
        UniqueLock lock(mutex_);
        wake_worker_.wait(lock.native(), [this]() NO_THREAD_SAFETY_ANALYSIS { return stopping_ || !tasks_.empty(); });
        if (stopping_) return;
        task = std::move(tasks_.front());
        tasks_.pop_front();
      }
      task();
    }
  }

  void run_timers() {
    UniqueLock lock(mutex_);
    while (!stopping_) {
      if (timers_.empty()) {
        wake_timer_.wait(lock.native());
      } else if (auto due = timers_.front().due; due > std::chrono::steady_clock::now()) {
        wake_timer_.wait_until(lock.native(), due);
      } else {
        std::ranges::pop_heap(timers_, later);
        tasks_.push_back(std::move(timers_.back().task));
        timers_.pop_back();
        wake_worker_.notify_one();
      }
    }
  }

  const std::string name_;
  Mutex mutex_;
  std::condition_variable wake_worker_;
  std::condition_variable wake_timer_;
  std::deque<Task> tasks_ GUARDED_BY(mutex_);
  std::vector<Timer> timers_ GUARDED_BY(mutex_);
  uint64_t sequence_ GUARDED_BY(mutex_) = 0;
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_;
};

ThreadPool::ThreadPool(std::string name, int threads) : impl_(std::make_unique<Impl>(std::move(name), threads)) {}
ThreadPool::~ThreadPool() { stop(); }
void ThreadPool::post(Task task) { impl_->post(std::move(task)); }
void ThreadPool::post_after(Duration delay, Task task) { impl_->post_after(delay, std::move(task)); }
void ThreadPool::stop() { impl_->stop(); }

}  // namespace base
