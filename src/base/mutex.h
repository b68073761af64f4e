// A mutex that clang's thread-safety analysis understands. Members are GUARDED_BY one of these; no lock is held while
// calling out.
#pragma once

#include <mutex>
#include <shared_mutex>

#if defined(__clang__)
#define THREAD_ANNOTATION_(x) __attribute__((x))
#else
#define THREAD_ANNOTATION_(x)
#endif
#define GUARDED_BY(x) THREAD_ANNOTATION_(guarded_by(x))
#define REQUIRES(...) THREAD_ANNOTATION_(requires_capability(__VA_ARGS__))
#define EXCLUDES(...) THREAD_ANNOTATION_(locks_excluded(__VA_ARGS__))
#define NO_THREAD_SAFETY_ANALYSIS THREAD_ANNOTATION_(no_thread_safety_analysis)

namespace base {

class THREAD_ANNOTATION_(capability("mutex")) Mutex {
 public:
  void lock() THREAD_ANNOTATION_(acquire_capability()) { mutex_.lock(); }
  void unlock() THREAD_ANNOTATION_(release_capability()) { mutex_.unlock(); }
  std::mutex& native() { return mutex_; }

 private:
  std::mutex mutex_;
};

// Scoped lock without a wait.
class THREAD_ANNOTATION_(scoped_lockable) MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) THREAD_ANNOTATION_(acquire_capability(mutex)) : mutex_(mutex) { mutex_.lock(); }
  ~MutexLock() THREAD_ANNOTATION_(release_capability()) { mutex_.unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

// Scoped lock for std::condition_variable: wait(lock.native()).
class THREAD_ANNOTATION_(scoped_lockable) UniqueLock {
 public:
  explicit UniqueLock(Mutex& mutex) THREAD_ANNOTATION_(acquire_capability(mutex)) : lock_(mutex.native()) {}
  ~UniqueLock() THREAD_ANNOTATION_(release_capability()) {}
  std::unique_lock<std::mutex>& native() { return lock_; }

 private:
  std::unique_lock<std::mutex> lock_;
};

}  // namespace base
