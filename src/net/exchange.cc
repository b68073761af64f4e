#include "net/exchange.h"

#include <utility>

namespace net {

namespace {
constexpr size_t kKeptOps = 2;
}  // namespace

void Exchange::send(int status, Headers headers, Body body) {
  submit({.kind = Op::Kind::kSend, .status = status, .headers = std::move(headers), .body = std::move(body)});
}
void Exchange::start(int status, Headers headers) {
  submit({.kind = Op::Kind::kStart, .status = status, .headers = std::move(headers)});
}
size_t Exchange::write(Body chunk) {
  if (closed()) return 0;
  submit({.kind = Op::Kind::kWrite, .body = std::move(chunk)});
  return buffered();
}
size_t Exchange::write_later(base::SharedBytes chunk) {
  if (closed()) return 0;
  submit({.kind = Op::Kind::kWrite, .shared = std::move(chunk)}, Wake::kLater);
  return buffered();
}
void Exchange::flush() {
  {
    base::MutexLock lock(mutex_);
    if (inbox_.empty() || awaited_) return;
    awaited_ = true;
  }
  loop_->post([self = shared_from_this()] { self->empty_inbox(); });
}
size_t Exchange::write_now(std::span<const base::SharedBytes> pieces) {
  if (closed()) return 0;
  if (inbox_filled_.load(std::memory_order_acquire)) empty_inbox();
  if (closed() || complete_ || aborted_) return 0;
  const size_t before = pending_;
  for (const base::SharedBytes& piece : pieces) add(piece);
  const size_t waiting = buffered_.fetch_add(pending_ - before, std::memory_order_relaxed) + pending_ - before;
  host_->exchange_changed(*this);
  return waiting;
}
void Exchange::finish() { submit({.kind = Op::Kind::kFinish}); }
void Exchange::abort() { submit({.kind = Op::Kind::kAbort}); }
void Exchange::on_drained(size_t low_water, base::Task callback) {
  submit({.kind = Op::Kind::kDrained, .low_water = low_water, .callback = std::move(callback)});
}
void Exchange::on_closed(base::Task callback) { submit({.kind = Op::Kind::kClosed, .callback = std::move(callback)}); }

std::shared_ptr<ResponseWriter> Exchange::make_writer() {
  return std::shared_ptr<ResponseWriter>(this, [self = shared_from_this()](ResponseWriter*) {
    if (!self->closed()) self->submit({.kind = Op::Kind::kDropped});
  });
}

void Exchange::submit(Op op, Wake wake) {
  buffered_.fetch_add(op.size(), std::memory_order_relaxed);
  if (loop_->in_loop()) {
    empty_inbox();
    apply(std::move(op));
    return;
  }
  {
    base::MutexLock lock(mutex_);
    inbox_.push_back(std::move(op));
    inbox_filled_.store(true, std::memory_order_release);
    if (wake == Wake::kLater || awaited_) return;
    awaited_ = true;
  }
  loop_->post([self = shared_from_this()] { self->empty_inbox(); });
}

void Exchange::empty_inbox() {
  std::vector<Op> ops = std::exchange(emptied_, {});
  {
    base::MutexLock lock(mutex_);
    ops.swap(inbox_);
    inbox_filled_.store(false, std::memory_order_relaxed);
    awaited_ = false;
  }
  for (auto& op : ops) apply(std::move(op));
  ops.clear();
  if (ops.capacity() <= kKeptOps) emptied_ = std::move(ops);  // a stream's next events need no allocation
}

void Exchange::apply(Op op) {
  const bool over = closed() || complete_ || aborted_;
  switch (op.kind) {
    case Op::Kind::kDrained:
      low_water_ = op.low_water;
      drained_ = std::move(op.callback);
      check_drained();
      return;
    case Op::Kind::kClosed:
      if (cut_off_) {
        call_later(std::move(op.callback));
      } else if (!over) {
        closed_callback_ = std::move(op.callback);
      }
      return;
    case Op::Kind::kDropped:
      if (!over) host_->exchange_dropped(*this);
      return;
    default:
      break;
  }
  if (over) {
    buffered_.fetch_sub(op.size(), std::memory_order_relaxed);
    check_drained();
    return;
  }
  switch (op.kind) {
    case Op::Kind::kSend:
      if (!has_head()) {
        whole_ = true;
        whole_size_ = op.body.size();
        begin(op.status, std::move(op.headers));
      }
      add(std::move(op.body));
      complete_ = true;
      break;
    case Op::Kind::kStart:
      begin(op.status, std::move(op.headers));
      break;
    case Op::Kind::kWrite:
      op.shared.empty() ? add(std::move(op.body)) : add(std::move(op.shared));
      break;
    case Op::Kind::kFinish:
      if (!has_head()) begin(200, {});
      complete_ = true;
      break;
    default:
      aborted_ = true;
      break;
  }
  if (complete_ || aborted_) closed_callback_ = nullptr;
  host_->exchange_changed(*this);
}

void Exchange::begin(int status, Headers headers) {
  if (has_head()) return;
  status_ = status;
  headers_ = std::move(headers);
}

void Exchange::will_add(size_t size) {
  if (!has_head()) begin(200, {});
  if (pending_ == 0) last_progress = loop_->now();
  pending_ += size;
}

void Exchange::add(base::SharedBytes bytes) {
  will_add(bytes.size());
  chunks_.emplace_back(std::move(bytes));
}

void Exchange::add(Body body) {
  will_add(body.size());
  if (chunks_.empty()) {
    chunks_ = std::move(body.chunks());
  } else {
    for (auto& chunk : body.chunks()) chunks_.push_back(std::move(chunk));
  }
}

std::string_view Exchange::front() const {
  return first_chunk_ < chunks_.size() ? chunks_[first_chunk_].view().substr(offset_) : std::string_view();
}

void Exchange::consume(size_t count) {
  pending_ -= count;
  buffered_.fetch_sub(count, std::memory_order_relaxed);
  offset_ += count;
  last_progress = loop_->now();
  if (offset_ == chunks_[first_chunk_].size()) {
    chunks_[first_chunk_] = Chunk();
    offset_ = 0;
    if (++first_chunk_ == chunks_.size()) {
      chunks_.clear();
      first_chunk_ = 0;
    } else if (first_chunk_ >= 64 && first_chunk_ * 2 >= chunks_.size()) {
      chunks_.erase(chunks_.begin(), chunks_.begin() + static_cast<ptrdiff_t>(first_chunk_));
      first_chunk_ = 0;
    }
  }
  if (drained_) check_drained();
}

void Exchange::drop_pending() {
  buffered_.fetch_sub(std::exchange(pending_, 0), std::memory_order_relaxed);
  chunks_.clear();
  first_chunk_ = offset_ = 0;
  check_drained();
}

void Exchange::check_drained() {
  if (!drained_) return;
  if (pending_ > low_water_ && !closed()) return;
  call_later(std::exchange(drained_, nullptr));
}

void Exchange::call_later(base::Task callback) {
  if (callback) loop_->defer(std::move(callback));
}

void Exchange::end(End how) {
  if (closed()) return;
  const auto self = shared_from_this();
  cut_off_ = how == End::kCutOff && !complete_ && !aborted_;
  ended_.store(true, std::memory_order_release);
  host_ = nullptr;
  drop_pending();
  chunks_ = {};
  auto callback = std::exchange(closed_callback_, nullptr);
  if (cut_off_) call_later(std::move(callback));
}

void Exchange::notify_stopping() { call_later(std::exchange(closed_callback_, nullptr)); }

}  // namespace net
