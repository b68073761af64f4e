#include "client/events.h"

#include <algorithm>
#include <atomic>
#include <charconv>
#include <set>
#include <unordered_map>
#include <utility>

#include "base/log.h"
#include "base/mutex.h"
#include "object/json.h"
#include "object/time.h"
#include "object/value.h"

namespace client {
namespace {

using api::core::v1::Event;
using api::core::v1::ObjectReference;

constexpr size_t kMaxKeys = 4096;  // of each table; beyond it the table starts anew
constexpr size_t kMaxSimilar = 10;
constexpr base::Duration kSimilarWindow = std::chrono::minutes(10);
constexpr double kSpamBurst = 25;
constexpr double kSpamRefillPerSecond = 1.0 / 300;
constexpr std::string_view kCombinedPrefix = "(combined from similar events): ";

struct Similar {
  std::set<std::string> messages;
  base::MonoTime last{};
};
struct Bucket {
  double tokens = kSpamBurst;
  base::MonoTime last{};
};
struct Recorded {
  std::string ns;
  std::string name;
  int32_t count = 0;
};

std::string object_key(const ObjectReference& about) {
  return about.kind + '\0' + about.namespace_ + '\0' + about.name + '\0' + about.uid + '\0' + about.api_version;
}

std::string hex(int64_t value) {
  char digits[17];
  const auto end = std::to_chars(digits, digits + sizeof digits, value, 16).ptr;
  return {digits, end};
}

template <typename T>
T& slot(std::unordered_map<std::string, T>& table, const std::string& key) {
  if (table.size() >= kMaxKeys && !table.contains(key)) table.clear();
  return table[key];
}

}  // namespace

ObjectReference make_reference(const schema::Resource& resource, const api::meta::v1::ObjectMeta& metadata) {
  ObjectReference reference;
  reference.kind = resource.kind;
  reference.api_version = resource.group.empty() ? std::string(resource.version)
                                                 : std::string(resource.group) + "/" + std::string(resource.version);
  reference.namespace_ = metadata.namespace_;
  reference.name = metadata.name;
  reference.uid = metadata.uid;
  reference.resource_version = metadata.resource_version;
  return reference;
}

class EventRecorder::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(std::shared_ptr<Transport> transport, const base::Clock* clock, std::string component, std::string host)
      : transport_(std::move(transport)), clock_(clock), component_(std::move(component)), host_(std::move(host)) {}

  void record(const ObjectReference& about, EventType type, std::string_view reason, std::string message) {
    const std::string object = object_key(about);
    const std::string type_name = type == EventType::kNormal ? "Normal" : "Warning";
    const std::string similar_key = object + '\0' + type_name + '\0' + std::string(reason);
    const base::WallTime now = clock_->wall_now();
    Event event = make_event(about, type_name, reason, now);
    std::string key;
    int32_t count = 1;
    {
      base::MutexLock lock(mutex_);
      key = correlate(similar_key, message, about.field_path);
      event.message = std::move(message);
      Recorded& recorded = slot(recorded_, key);
      count = ++recorded.count;
      if (!take_token(object)) {
        --recorded.count;
        return;
      }
      if (count == 1) {
        recorded.ns = event.metadata.namespace_;
        recorded.name = event.metadata.name;
      } else {
        event.metadata.name = recorded.name;
      }
    }
    event.count = count;
    if (count == 1) return create(event);
    patch(std::move(event));
  }

 private:
  Event make_event(const ObjectReference& about, const std::string& type, std::string_view reason,
                   base::WallTime now) const {
    Event event;
    event.metadata.namespace_ = about.namespace_.empty() ? "default" : about.namespace_;
    event.metadata.name = about.name + "." + hex(now.time_since_epoch().count() + sequence_++);
    event.involved_object = about;
    event.reason = reason;
    event.type = type;
    event.source.component = component_;
    event.source.host = host_;
    event.first_timestamp = object::to_time(now);
    event.last_timestamp = event.first_timestamp;
    event.reporting_component = component_;
    event.reporting_instance = host_;
    return event;
  }

  // The key under which the event counts; rewrites the message when it is one too many of its kind.
  std::string correlate(const std::string& similar_key, std::string& message, const std::string& field_path)
      REQUIRES(mutex_) {
    Similar& similar = slot(similar_, similar_key);
    const base::MonoTime now = clock_->mono_now();
    if (now - similar.last > kSimilarWindow) similar.messages.clear();
    similar.last = now;
    if (similar.messages.size() < kMaxSimilar || similar.messages.contains(message))
      similar.messages.insert(message);
    else {
      message.insert(0, kCombinedPrefix);
      return similar_key;
    }
    return similar_key + '\0' + message + '\0' + field_path;
  }

  bool take_token(const std::string& object) REQUIRES(mutex_) {
    Bucket& bucket = slot(buckets_, object);
    const base::MonoTime now = clock_->mono_now();
    if (bucket.last != base::MonoTime{}) {
      const double seconds = std::chrono::duration<double>(now - bucket.last).count();
      bucket.tokens = std::min(kSpamBurst, bucket.tokens + seconds * kSpamRefillPerSecond);
    }
    bucket.last = now;
    if (bucket.tokens < 1) return false;
    bucket.tokens -= 1;
    return true;
  }

  void create(const Event& event) {
    Call call;
    call.verb = Verb::kCreate;
    call.resource = &resource_of<Event>();
    call.ns = event.metadata.namespace_;
    call.body = encode_object(event);
    transport_->call(std::move(call), [reason = event.reason](base::Result<RawObject> result) {
      // A namespace that is going away takes no more events.
      if (result || result.error().reason == base::Reason::kForbidden) return;
      base::log::warning("event not written", {{"reason", reason}, {"error", result.error().message}});
    });
  }

  void patch(Event event) {
    object::Object fields;
    fields.set("count", object::Value(static_cast<int64_t>(event.count)));
    fields.set("lastTimestamp", object::Value(object::format_time(event.last_timestamp)));
    fields.set("message", object::Value(event.message));
    Call call;
    call.verb = Verb::kPatch;
    call.resource = &resource_of<Event>();
    call.ns = event.metadata.namespace_;
    call.name = event.metadata.name;
    call.patch_type = PatchType::kStrategicMerge;
    call.body = object::to_json(object::Value(std::move(fields)));
    transport_->call(std::move(call), [self = shared_from_this(), event = std::move(event)](auto result) mutable {
      // The first event has reached the end of its life: this one takes its place.
      if (!result && result.error().reason == base::Reason::kNotFound) self->create(event);
    });
  }

  const std::shared_ptr<Transport> transport_;
  const base::Clock* const clock_;
  const std::string component_;
  const std::string host_;
  mutable std::atomic<int64_t> sequence_ = 0;  // keeps names apart within one tick of the clock
  base::Mutex mutex_;
  std::unordered_map<std::string, Similar> similar_ GUARDED_BY(mutex_);
  std::unordered_map<std::string, Recorded> recorded_ GUARDED_BY(mutex_);
  std::unordered_map<std::string, Bucket> buckets_ GUARDED_BY(mutex_);
};

EventRecorder::EventRecorder(std::shared_ptr<Transport> transport, const base::Clock* clock, std::string component,
                             std::string host)
    : impl_(std::make_shared<Impl>(std::move(transport), clock, std::move(component), std::move(host))) {}
EventRecorder::~EventRecorder() = default;
void EventRecorder::event(const ObjectReference& about, EventType type, std::string_view reason, std::string message) {
  impl_->record(about, type, reason, std::move(message));
}

}  // namespace client
