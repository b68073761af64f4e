// An event loop on one thread: posted tasks, timers, sockets. Everything that belongs to a connection happens on its
// connection's loop. A loop that has nothing to do sleeps: there is no periodic timer.
// Thread: post() from any thread; everything else on the loop's thread (in_loop()).
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/executor.h"
#include "base/result.h"

namespace net {

using base::Task;
using TimerId = uint64_t;

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;
  // "127.0.0.1:80", "[::1]:80"
  std::string to_string() const;
  // A numeric address ("127.0.0.1", "::1"); an error for names.
  static base::Result<SocketAddress> parse(const std::string& host, uint16_t port);
};

class Loop : public std::enable_shared_from_this<Loop> {
 public:
  // Starts the thread, named `name` (15 characters are seen).
  static std::shared_ptr<Loop> start(const std::string& name);
  ~Loop();
  Loop(const Loop&) = delete;

  // Runs the task on the loop's thread, after those posted before it. Tasks posted while the loop is busy are run in
  // one batch, with one wakeup. After stop() tasks are dropped (destroyed) unrun.
  void post(Task task);
  bool in_loop() const;
  // Runs what was posted before, ends the thread and waits for it (from the loop's own thread: only asks). Idempotent.
  // Servers and clients that use the loop end first: what still watches sockets then is cut off unheard.
  void stop();

  // --- on the loop's thread ---
  // Runs the task after the callback or batch that is running now: how answers of one batch share one write.
  void defer(Task task);
  TimerId run_after(base::Duration delay, Task task);
  void cancel(TimerId id);
  base::MonoTime now() const;  // cached per batch
  // Looks the name up (numeric addresses at once) and calls back on the loop, never inline.
  void resolve(const std::string& host, uint16_t port,
               std::move_only_function<void(base::Result<std::vector<SocketAddress>>)> done);

  // A file descriptor that the loop watches. Owns and closes it.
  class Watch;
  std::shared_ptr<Watch> watch(int fd);

  // Buffers that whoever runs now may use as scratch space until it returns to the loop: what connections do not need
  // while they are idle.
  struct Scratch {
    std::string received;  // ciphertext, or plaintext without TLS
    std::string plain;     // decrypted input
    std::string output;    // plaintext to send
    std::string cipher;    // encrypted output
  };
  Scratch& scratch();

  class Impl;

 private:
  explicit Loop(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

// One wait of each kind may be pending. Closing drops the pending ones uncalled.
class Loop::Watch {
 public:
  virtual ~Watch() = default;
  virtual int fd() const = 0;
  virtual void wait_readable(Task task) = 0;
  virtual void wait_writable(Task task) = 0;
  virtual void close() = 0;
};

}  // namespace net
