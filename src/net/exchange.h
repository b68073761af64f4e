// Internal to net: one request on a server connection and the answer on its way: what stands behind a ResponseWriter.
// Calls from other threads are queued in an inbox that the loop empties; calls on the loop apply at once.
// Threads: the ResponseWriter methods any; the rest, and all state outside the inbox, the loop's.
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "base/mutex.h"
#include "net/loop.h"
#include "net/server.h"

namespace net {

class Exchange;

// What an exchange needs of the session it belongs to.
class ExchangeHost {
 public:
  virtual ~ExchangeHost() = default;
  // There is a head, a chunk, an end or an abort to send.
  virtual void exchange_changed(Exchange& exchange) = 0;
  // The handler let the writer go unanswered.
  virtual void exchange_dropped(Exchange& exchange) = 0;
};

class Exchange final : public ResponseWriter, public FanoutTarget, public std::enable_shared_from_this<Exchange> {
 public:
  Exchange(std::shared_ptr<Loop> loop, ExchangeHost* host) : host_(host), loop_(std::move(loop)) {}

  void send(int status, Headers headers, Body body) override;
  void start(int status, Headers headers) override;
  size_t write(Body chunk) override;
  size_t write_later(base::SharedBytes chunk) override;
  void flush() override;
  std::shared_ptr<FanoutTarget> fanout_target() override { return shared_from_this(); }
  void finish() override;
  void abort() override;
  size_t buffered() const override { return buffered_.load(std::memory_order_relaxed); }
  bool closed() const override { return ended_.load(std::memory_order_acquire); }
  void on_drained(size_t low_water, base::Task callback) override;
  void on_closed(base::Task callback) override;
  const std::shared_ptr<Loop>& target_loop() const override { return loop_; }
  size_t write_now(std::span<const base::SharedBytes> pieces) override;

  // What the handler holds: its last reference going away is noticed.
  std::shared_ptr<ResponseWriter> make_writer();

  // --- the session's side, on the loop ---
  std::shared_ptr<Request> request;
  size_t header_bytes = 0;   // received
  size_t ignored_bytes = 0;  // of the body, after the request was refused
  base::MonoTime began{};
  // From here to loop_: what every piece of a stream needs, side by side.
  base::MonoTime last_progress{};
  int32_t stream_id = 0;
  bool request_complete = false;
  bool refused = false;    // answered before it was complete; what still arrives is ignored
  bool head_sent = false;  // submitted to the protocol
  bool counted = false;    // HTTP/2: among the session's waiting exchanges
  bool deferred = false;   // HTTP/2: the data source sleeps until resumed
  size_t index = 0;        // in the session's list

  bool has_head() const { return status_ != 0; }
  int status() const { return status_; }
  Headers& headers() { return headers_; }
  // Whole answer: the body's length is known (Content-Length).
  bool whole() const { return whole_; }
  size_t whole_size() const { return whole_size_; }
  bool complete() const { return complete_; }
  bool aborted() const { return aborted_; }
  bool streaming() const { return has_head() && !complete_; }
  // The next bytes to send, empty when none wait; consume() after they went out.
  std::string_view front() const;
  size_t pending() const { return pending_; }
  void consume(size_t count);
  void drop_pending();  // HEAD
  // The exchange is over. Callbacks follow from it.
  enum class End { kAnswered, kCutOff };
  void end(End how);
  // The server stops: tells who streams that it should finish.
  void notify_stopping();

 private:
  struct Op {
    enum class Kind { kSend, kStart, kWrite, kFinish, kAbort, kDrained, kClosed, kDropped } kind;
    int status = 0;
    Headers headers;
    Body body;
    base::SharedBytes shared;  // kWrite: instead of a body
    size_t low_water = 0;
    base::Task callback;
    size_t size() const { return body.size() + shared.size(); }
  };
  enum class Wake { kNow, kLater };
  void submit(Op op, Wake wake = Wake::kNow);
  void empty_inbox();
  void apply(Op op);
  void begin(int status, Headers headers);
  void add(Body body);
  void add(base::SharedBytes bytes);
  void will_add(size_t size);
  void check_drained();
  void call_later(base::Task callback);

  bool whole_ = false;
  bool complete_ = false;
  bool aborted_ = false;
  bool cut_off_ = false;
  int status_ = 0;
  std::atomic<bool> ended_{false};
  std::atomic<bool> inbox_filled_{false};
  std::atomic<size_t> buffered_{0};
  ExchangeHost* host_;  // null once ended
  std::vector<Chunk> chunks_;
  size_t first_chunk_ = 0;
  size_t offset_ = 0;  // in the first chunk
  size_t pending_ = 0;
  base::Task drained_;
  const std::shared_ptr<Loop> loop_;

  base::Mutex mutex_;
  std::vector<Op> inbox_ GUARDED_BY(mutex_);
  bool awaited_ GUARDED_BY(mutex_) = false;  // the loop will empty the inbox

  // Loop only.
  std::vector<Op> emptied_;  // the inbox's other buffer
  Headers headers_;
  size_t whole_size_ = 0;
  size_t low_water_ = 0;
  base::Task closed_callback_;
};

}  // namespace net
