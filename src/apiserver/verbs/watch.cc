// WATCH: the state first if the request asks for it, streamed with a bounded buffer like a list; then every change from
// that revision on.
#include <algorithm>
#include <deque>
#include <utility>

#include "apiserver/core.h"
#include "apiserver/crd/batch_conversion.h"
#include "apiserver/crd/custom_endpoints.h"
#include "apiserver/crd/custom_kind.h"
#include "apiserver/limits.h"
#include "apiserver/list_plan.h"
#include "apiserver/respond.h"
#include "apiserver/verbs/verbs.h"
#include "apiserver/watch/encoder.h"
#include "apiserver/watch/hub.h"
#include "net/websocket.h"
#include "object/status.h"

namespace apiserver {
namespace {

using ContextPtr = std::shared_ptr<RequestContext>;

enum class Framing : uint8_t { kNone, kWebSocket };

// Whether what the request found is still what is served.
bool is_current(const RequestContext& context) {
  const Endpoint& main = *context.endpoint->main;
  if (!main.custom) return true;
  const EndpointPtr now =
      context.core->endpoints().custom().find(main.resource->group, main.resource->version, main.resource->name, "");
  return now && now->serial == main.serial;
}

class HttpWatch final : public Watcher, public std::enable_shared_from_this<HttpWatch> {
 public:
  HttpWatch(ContextPtr context, WatchScope scope, ListOptions options, IncludeObject include)
      : context_(std::move(context)),
        scope_(std::move(scope)),
        options_(std::move(options)),
        include_(include),
        encoder_(*context_, include, &context_->core->watches().encoded()) {}

  // Events of the state at `plan` come first, then changes after `revision`.
  void start(ListPlan plan, int64_t revision) {
    initial_ = std::move(plan);
    revision_ = revision;
    net::Headers headers = answer_headers(*context_, watch_content_type(context_->accepted));
    // Compat: a watch may come over WebSocket; each event is then a message of its own.
    framing_ = context_->http && net::wants_websocket(*context_->http) ? Framing::kWebSocket : Framing::kNone;
    if (framing_ == Framing::kWebSocket) {
      for (net::Header& header : net::websocket_headers(*context_->http)) headers.push_back(std::move(header));
    }
    context_->writer->start(framing_ == Framing::kWebSocket ? 101 : 200, std::move(headers));
    context_->writer->on_closed([weak = weak_from_this()] {
      if (auto self = weak.lock()) self->close();
    });
    schedule_timeout();
    if (initial_.items.size() > kInlineListKeys) {
      context_->core->pool_for(*context_->endpoint).post([self = shared_from_this()] { self->send_initial(); });
    } else {
      send_initial();
    }
  }

  void on_item(const WatchItem& item) override {
    if (!waits_) return deliver(item);
    enqueue(item);
  }
  void on_items_end() override {
    if (!waits_) context_->writer->flush();
  }
  void on_bookmark(int64_t revision) override {
    if (options_.bookmarks == Bookmarks::kNo) return;
    if (waits_) return enqueue({EventType::kBookmark, {}, revision});
    deliver_bookmark(revision);
  }
  void on_end(const base::Error& error) override { fail(error); }
  // Those of one form, whose encoder keeps nothing of its own, are served together.
  std::string relay_key() override {
    const Accepted& form = context_->accepted;
    if (waits_ || framing_ != Framing::kNone || form.form == Form::kTable) return {};
    if (!context_->writer->fanout_target()) return {};
    std::string key;
    for (const std::string_view part :
         {std::string_view(scope_.ns), std::string_view(context_->info.name), context_->query.get("labelSelector"),
          context_->query.get("fieldSelector"), std::string_view(form.form_version)}) {
      key += std::to_string(part.size()) + ":";
      key += part;
    }
    for (const int choice : {static_cast<int>(form.type), static_cast<int>(form.form), static_cast<int>(form.pretty),
                             static_cast<int>(options_.bookmarks)}) {
      key += static_cast<char>('0' + choice);
    }
    const Endpoint* endpoint = context_->endpoint->main;
    return key + std::to_string(endpoint->serial) + "@" + std::to_string(reinterpret_cast<uintptr_t>(endpoint));
  }
  std::shared_ptr<Relay> make_relay() override;
  void join(net::Fanout& fanout) {
    fanout.add(context_->writer->fanout_target(), [weak = weak_from_this()] {
      if (auto self = weak.lock()) self->cut_off();
    });
  }
  void leave(net::Fanout& fanout) { fanout.remove(*context_->writer->fanout_target()); }

  // Compat: the stream just ends.
  void on_gone() override {
    context_->writer->finish();
    close();
  }

 private:
  void deliver(const WatchItem& item) {
    auto bytes = encoder_.encode(item);
    if (!bytes) return fail(bytes.error());
    const bool later = framing_ == Framing::kNone && !waits_;  // until on_items_end()
    const size_t buffered = later ? context_->writer->write_later(*std::move(bytes)) : put(*std::move(bytes));
    if (buffered > kWatchBufferBytes) cut_off();
  }
  // Too slow: it watches again from its last revision.
  void cut_off() {
    close();
    context_->writer->abort();
  }
  void deliver_bookmark(int64_t revision) {
    if (auto bytes = encoder_.bookmark(revision, EventEncoder::InitialEnd::kNo)) put(std::move(*bytes));
  }

  // Events whose encoding may wait for a conversion webhook wait in line, and the strand does not.
  void enqueue(WatchItem item) {
    base::MutexLock lock(mutex_);
    if (closed_) return;
    line_.push_back(std::move(item));
    if (std::exchange(draining_, true)) return;
    context_->core->pool_for(*context_->endpoint).post([self = shared_from_this()] { self->drain(); });
  }
  void drain() {
    for (;;) {
      WatchItem item;
      {
        base::MutexLock lock(mutex_);
        if (line_.empty() || closed_) {
          draining_ = false;
          return;
        }
        item = std::move(line_.front());
        line_.pop_front();
      }
      item.type == EventType::kBookmark ? deliver_bookmark(item.revision) : deliver(item);
    }
  }

  void send_initial() {
    while (next_ < initial_.items.size()) {
      if (context_->writer->closed()) return;
      if (auto converted = conversion_.ensure(initial_.items, next_); !converted) return fail(converted.error());
      net::Body chunk;
      while (next_ < initial_.items.size() && chunk.size() < kListChunkBytes && !conversion_.must_ask(next_)) {
        const kv::KeyValueRef& kv = initial_.items[next_];
        auto bytes = encoder_.encode({EventType::kAdded, kv, kv->mod_revision});
        if (!bytes) return fail(bytes.error());
        append_framed(chunk, std::move(*bytes));
        initial_.items[next_++] = {};
      }
      context_->writer->write(std::move(chunk));
      if (context_->writer->buffered() > kListBufferBytes) {
        context_->writer->on_drained(kListBufferBytes / 4, [self = shared_from_this()] {
          self->context_->core->pool_for(*self->context_->endpoint).post([self] { self->send_initial(); });
        });
        return;
      }
    }
    if (options_.send_initial_events.value_or(false) && options_.bookmarks == Bookmarks::kYes) {
      if (auto bytes = encoder_.bookmark(revision_, EventEncoder::InitialEnd::kYes)) put(std::move(*bytes));
    }
    subscribe();
  }

  void subscribe() {
    if (const int64_t born = context_->endpoint->main->born; revision_ < born) {
      return fail(object::too_old_resource_version(static_cast<uint64_t>(revision_), static_cast<uint64_t>(born)));
    }
    auto subscription =
        context_->core->watches().watch(*context_->endpoint->main, scope_, revision_, shared_from_this());
    // A definition that has changed since the request came has ended its watches without this one.
    if (subscription && !is_current(*context_)) return on_gone();
    if (!subscription) {
      base::Error error = subscription.error();
      if (error.reason == base::Reason::kExpired || error.reason == base::Reason::kGone) {
        error = object::too_old_resource_version(
            static_cast<uint64_t>(revision_), static_cast<uint64_t>(context_->core->store().compacted_revision() + 1));
      }
      return fail(error);
    }
    std::unique_ptr<Subscription> late;
    base::MutexLock lock(mutex_);
    if (closed_) {
      late = std::move(*subscription);
    } else {
      subscription_ = std::move(*subscription);
    }
  }

  void schedule_timeout() {
    const int64_t base_seconds = kMinWatchTimeout.count();
    const int64_t seconds =
        options_.timeout_seconds.value_or(0) > 0
            ? *options_.timeout_seconds
            : base_seconds + static_cast<int64_t>(context_->core->rng().below(static_cast<uint64_t>(base_seconds)));
    context_->core->pool().post_after(std::chrono::seconds(seconds), [weak = weak_from_this()] {
      if (auto self = weak.lock()) {
        self->close();
        self->finish();
      }
    });
  }

  void fail(const base::Error& error) {
    put(encoder_.error(error));
    finish();
    close();
  }

  // One event, as what carries it wants it.
  template <typename Bytes>
  void append_framed(net::Body& body, Bytes event) const {
    if (framing_ == Framing::kWebSocket) {
      const bool text = context_->accepted.type == MediaType::kJson;
      body.append(net::websocket_frame_header(text ? net::WebSocketOpcode::kText : net::WebSocketOpcode::kBinary,
                                              event.size()));
    }
    body.append(std::move(event));
  }
  template <typename Bytes>
  size_t put(Bytes event) {
    if (framing_ == Framing::kNone) return context_->writer->write(std::move(event));
    net::Body body;
    append_framed(body, std::move(event));
    return context_->writer->write(std::move(body));
  }
  void finish() {
    if (framing_ == Framing::kWebSocket) context_->writer->write(net::websocket_close_frame(1000));
    context_->writer->finish();
  }

  void close() {
    std::unique_ptr<Subscription> gone;
    base::MutexLock lock(mutex_);
    closed_ = true;
    gone = std::move(subscription_);
  }

  const ContextPtr context_;
  const WatchScope scope_;
  const ListOptions options_;
  const IncludeObject include_;
  EventEncoder encoder_;
  BatchConversion conversion_{context_->endpoint->custom};
  Framing framing_ = Framing::kNone;
  ListPlan initial_;
  size_t next_ = 0;
  int64_t revision_ = 0;
  const bool waits_ = context_->endpoint->custom && context_->endpoint->custom->waits();
  base::Mutex mutex_;
  std::deque<WatchItem> line_ GUARDED_BY(mutex_);
  bool draining_ GUARDED_BY(mutex_) = false;
  bool closed_ GUARDED_BY(mutex_) = false;
  std::unique_ptr<Subscription> subscription_ GUARDED_BY(mutex_);
};

// Serves watches whose relay_key() is equal.
class HttpRelay final : public Relay {
 public:
  HttpRelay(const RequestContext& context, IncludeObject include, Bookmarks bookmarks)
      : endpoint_owner_(context.endpoint_owner),
        bookmarks_(bookmarks),
        encoder_(context, include, &context.core->watches().encoded()),
        fanout_(kWatchBufferBytes) {}

  void add(Watcher& watcher) override { static_cast<HttpWatch&>(watcher).join(fanout_); }
  void remove(Watcher& watcher) override { static_cast<HttpWatch&>(watcher).leave(fanout_); }
  base::Result<void> on_item(const WatchItem& item) override {
    TRY_ASSIGN(base::SharedBytes bytes, encoder_.encode(item));
    fanout_.write_later(std::move(bytes));
    return {};
  }
  void on_items_end() override { fanout_.flush(); }
  void on_bookmark(int64_t revision) override {
    if (bookmarks_ == Bookmarks::kNo) return;
    auto bytes = encoder_.bookmark(revision, EventEncoder::InitialEnd::kNo);
    if (!bytes) return;
    fanout_.write_later(base::SharedBytes(*bytes));
    fanout_.flush();
  }

 private:
  const EndpointPtr endpoint_owner_;
  const Bookmarks bookmarks_;
  EventEncoder encoder_;
  net::Fanout fanout_;
};

std::shared_ptr<Relay> HttpWatch::make_relay() {
  return std::make_shared<HttpRelay>(*context_, include_, options_.bookmarks);
}

struct Start {
  ListPlan plan;
  int64_t revision = 0;
};

// Compat: without a resourceVersion, or at "0", a watch begins with the state, unless sendInitialEvents says no.
base::Result<Start> start_of(RequestContext& context, const std::string& ns, const ListOptions& options) {
  TRY_ASSIGN(uint64_t wanted, parse_resource_version(options.resource_version));
  Core& core = *context.core;
  const auto newest = static_cast<uint64_t>(core.store().snapshot()->revision());
  const bool initial = options.send_initial_events.value_or(wanted == 0);
  if (wanted > newest) {
    if (initial || !options.send_initial_events) return base::fail(object::too_large_resource_version(wanted, newest));
  }
  Start start;
  start.revision = wanted == 0 ? static_cast<int64_t>(newest) : static_cast<int64_t>(wanted);
  if (!initial) return start;
  ListOptions list = options;
  list.resource_version.clear();
  list.match = VersionMatch::kUnset;
  list.limit = 0;
  list.continue_token.clear();
  TRY_ASSIGN(start.plan, plan_list(core, *context.endpoint->main, ns, list));
  start.revision = start.plan.revision;
  return start;
}

}  // namespace

void watch_verb(const ContextPtr& context) {
  auto accepted = negotiate_answer(context->header("accept"), AnswerKind::kWatch, context->cbor);
  if (!accepted) return respond_error(*context, accepted.error());
  context->accepted = *accepted;
  const ListUse use = context->core->features().enabled("WatchList") ? ListUse::kWatch : ListUse::kPlainWatch;
  auto options = parse_list_options(context->query, use);
  if (!options) return respond_error(*context, options.error());
  // Compat: the old /watch/ form names one object in its path.
  if (!context->info.name.empty() && options->fields.empty()) {
    options->fields = *object::FieldSelector::parse("metadata.name=" + context->info.name);
  }
  base::Result<IncludeObject> include = IncludeObject::kMetadata;
  if (context->accepted.form == Form::kTable) include = parse_include_object(context->query);
  if (!include) return respond_error(*context, include.error());
  auto selection = Selection::compile(*context->endpoint->main, *options);
  if (!selection) return respond_error(*context, selection.error());
  const std::string ns = context->endpoint->namespaced() ? context->info.ns : std::string();
  auto start = start_of(*context, ns, *options);
  if (!start) return respond_error(*context, start.error());
  auto watch =
      std::make_shared<HttpWatch>(context, WatchScope{ns, std::move(*selection)}, std::move(*options), *include);
  watch->start(std::move(start->plan), start->revision);
}

}  // namespace apiserver
