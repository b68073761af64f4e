#include "client/election.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/log.h"
#include "base/mutex.h"
#include "client/client.h"
#include "gen/coordination/v1.h"
#include "object/time.h"

namespace client {
namespace {

using api::coordination::v1::Lease;
using api::coordination::v1::LeaseSpec;
using base::Reason;

constexpr double kJitter = 1.2;  // Compat: upstream's JitterFactor

std::string holder_of(const Lease& lease) { return lease.spec.holder_identity.value_or(""); }

}  // namespace

base::Result<void> check_election(const ElectionOptions& options) {
  const auto invalid = [](const char* what) { return base::fail(Reason::kInvalid, what); };
  if (options.lease_duration <= options.renew_deadline)
    return invalid("leaseDuration must be greater than renewDeadline");
  if (static_cast<double>(options.renew_deadline.count()) <=
      kJitter * static_cast<double>(options.retry_period.count()))
    return invalid("renewDeadline must be greater than retryPeriod*JitterFactor");
  if (options.lease_duration < std::chrono::seconds(1)) return invalid("leaseDuration must be at least one second");
  if (options.retry_period <= base::Duration::zero()) return invalid("retryPeriod must be greater than zero");
  if (options.name.empty()) return invalid("the lease has no name");
  if (options.identity.empty()) return invalid("the candidate has no identity");
  return {};
}

class LeaderElector::Impl final : public std::enable_shared_from_this<Impl> {
 public:
  Impl(ElectionDependencies dependencies, ElectionOptions options, ElectionCallbacks callbacks)
      : dependencies_(std::move(dependencies)), options_(std::move(options)), callbacks_(std::move(callbacks)) {}

  void start() { post({}, &Impl::attempt); }

  void stop() {
    Lease lease;
    {
      const base::MutexLock lock(mutex_);
      if (std::exchange(ended_, true) || !leading_) return;
      leading_ = false;
      lease = *observed_;
    }
    if (options_.on_stop == OnStop::kReleaseLease) release(std::move(lease));
  }

  bool leading() const {
    const base::MutexLock lock(mutex_);
    return leading_;
  }
  std::string leader() const {
    const base::MutexLock lock(mutex_);
    return reported_;
  }
  bool healthy(base::Duration tolerance) const {
    const base::MutexLock lock(mutex_);
    return !leading_ || now() <= observed_at_ + options_.lease_duration + tolerance;
  }

 private:
  base::MonoTime now() const { return dependencies_.clock->mono_now(); }

  void post(base::Duration delay, void (Impl::*step)()) {
    auto task = [weak = weak_from_this(), step] {
      if (auto self = weak.lock()) ((*self).*step)();
    };
    if (delay <= base::Duration::zero()) return dependencies_.executor->post(std::move(task));
    dependencies_.executor->post_after(delay, std::move(task));
  }

  // ---- one attempt to acquire or renew: at most one runs ----

  void attempt() {
    std::optional<Lease> renewal;
    {
      const base::MutexLock lock(mutex_);
      if (ended_) return;
      if (leading_ && lease_valid_locked()) renewal = renewed_locked(*observed_);
    }
    // The holder needs no look first: the record that it wrote is current, as long as nobody took it.
    if (!renewal) return look();
    write(Verb::kUpdate, *renewal, [](Impl& self, base::Result<RawObject> answer) {
      if (!answer) return self.look();
      self.written(*answer);
    });
  }

  void look() {
    Call call;
    call.verb = Verb::kGet;
    call.resource = &resource_of<Lease>();
    call.ns = options_.ns;
    call.name = options_.name;
    send(std::move(call), [](Impl& self, base::Result<RawObject> answer) { self.seen(std::move(answer)); });
  }

  void seen(base::Result<RawObject> answer) {
    if (!answer) {
      if (answer.error().reason == Reason::kNotFound) return create();
      base::log::warning("lease not read", {{"lease", options_.name}, {"error", answer.error().message}});
      return finish(Outcome::kFailed);
    }
    auto lease = decode_object<Lease>(*answer);
    if (!lease) {
      base::log::warning("lease not understood", {{"lease", options_.name}, {"error", lease.error().message}});
      return finish(Outcome::kFailed);
    }
    std::optional<Lease> wanted;
    {
      const base::MutexLock lock(mutex_);
      // Only a change starts the time anew: somebody is alive.
      if (!observed_ || !(observed_->spec == lease->spec)) observed_at_ = now();
      observed_ = *lease;
      const std::string holder = holder_of(*lease);
      const bool taken = !holder.empty() && holder != options_.identity && lease_valid_locked();
      if (!taken) wanted = renewed_locked(*lease);
    }
    report();
    if (!wanted) return finish(Outcome::kFailed);
    write(Verb::kUpdate, *wanted,
          [](Impl& self, base::Result<RawObject> written) { self.written_or_failed(std::move(written)); });
  }

  void create() {
    Lease lease;
    lease.metadata.name = options_.name;
    lease.metadata.namespace_ = options_.ns;
    {
      const base::MutexLock lock(mutex_);
      lease = renewed_locked(lease);
      lease.spec.lease_transitions = 0;
    }
    write(Verb::kCreate, lease,
          [](Impl& self, base::Result<RawObject> written) { self.written_or_failed(std::move(written)); });
  }

  void written_or_failed(base::Result<RawObject> answer) {
    if (answer) return written(*answer);
    // Somebody else was quicker: no more than that.
    if (answer.error().reason != Reason::kConflict && answer.error().reason != Reason::kAlreadyExists)
      base::log::warning("lease not written", {{"lease", options_.name}, {"error", answer.error().message}});
    finish(Outcome::kFailed);
  }

  void written(const RawObject& answer) {
    auto lease = decode_object<Lease>(answer);
    if (!lease) return finish(Outcome::kFailed);
    {
      const base::MutexLock lock(mutex_);
      observed_ = std::move(*lease);
      observed_at_ = now();
    }
    report();
    finish(Outcome::kHeld);
  }

  // The record that makes or keeps this candidate the holder.
  Lease renewed_locked(Lease lease) const REQUIRES(mutex_) {
    const auto wall = object::to_micro_time(dependencies_.clock->wall_now());
    LeaseSpec& spec = lease.spec;
    if (spec.holder_identity.value_or("") != options_.identity) {
      spec.acquire_time = wall;
      spec.lease_transitions = spec.lease_transitions.value_or(0) + 1;
    }
    spec.holder_identity = options_.identity;
    spec.lease_duration_seconds =
        static_cast<int32_t>(std::chrono::duration_cast<std::chrono::seconds>(options_.lease_duration).count());
    spec.renew_time = wall;
    return lease;
  }

  bool lease_valid_locked() const REQUIRES(mutex_) {
    return observed_ && observed_at_ + std::chrono::seconds(observed_->spec.lease_duration_seconds.value_or(0)) > now();
  }

  using Step = void (*)(Impl& self, base::Result<RawObject> answer);
  void write(Verb verb, const Lease& lease, Step next) {
    Call call;
    call.verb = verb;
    call.resource = &resource_of<Lease>();
    call.ns = options_.ns;
    call.name = verb == Verb::kCreate ? "" : options_.name;
    call.body = encode_object(lease);
    send(std::move(call), next);
  }
  void send(Call call, Step next) {
    dependencies_.transport->call(std::move(call), [weak = weak_from_this(), next](base::Result<RawObject> answer) {
      auto self = weak.lock();
      if (!self) return;
      self->dependencies_.executor->post([weak, next, answer = std::move(answer)]() mutable {
        if (auto again = weak.lock()) next(*again, std::move(answer));
      });
    });
  }

  // ---- what follows from it ----

  enum class Outcome : uint8_t { kHeld, kFailed };
  void finish(Outcome outcome) {
    bool started = false;
    base::Duration delay = options_.retry_period;
    {
      const base::MutexLock lock(mutex_);
      if (ended_) return;
      started = outcome == Outcome::kHeld && !std::exchange(leading_, leading_ || outcome == Outcome::kHeld);
      if (outcome == Outcome::kHeld) {
        // Compat: the deadline counts from when the next renewal begins; never beyond the lease that others see.
        deadline_ = now() + std::min(options_.retry_period + options_.renew_deadline, options_.lease_duration);
        if (!watching_deadline_) post_deadline_locked();
      } else if (!leading_) {
        const double spread = static_cast<double>(dependencies_.rng->below(1'000'000)) / 1e6;
        delay += base::Duration(static_cast<int64_t>(kJitter * spread * static_cast<double>(delay.count())));
      }
    }
    post(delay, &Impl::attempt);
    if (!started) return;
    base::log::info("became leader", {{"lease", options_.ns + "/" + options_.name}, {"identity", options_.identity}});
    record("became leader");
    if (callbacks_.on_started_leading) callbacks_.on_started_leading();
  }

  void post_deadline_locked() REQUIRES(mutex_) {
    watching_deadline_ = true;
    post(deadline_ - now(), &Impl::check_deadline);
  }
  void check_deadline() {
    {
      const base::MutexLock lock(mutex_);
      watching_deadline_ = false;
      if (ended_ || !leading_) return;
      if (now() < deadline_) return post_deadline_locked();
      leading_ = false;
      ended_ = true;
    }
    base::log::error("leadership lost",
                     {{"lease", options_.ns + "/" + options_.name}, {"identity", options_.identity}});
    record("stopped leading");
    if (callbacks_.on_stopped_leading) callbacks_.on_stopped_leading();
  }

  void report() {
    std::string holder;
    {
      const base::MutexLock lock(mutex_);
      holder = holder_of(*observed_);
      if (ended_ || holder.empty() || holder == reported_) return;
      reported_ = holder;
    }
    if (holder != options_.identity) base::log::info("new leader", {{"lease", options_.name}, {"identity", holder}});
    if (callbacks_.on_new_leader) callbacks_.on_new_leader(holder);
  }

  void record(const char* what) {
    if (!dependencies_.events) return;
    Lease lease;
    {
      const base::MutexLock lock(mutex_);
      lease = *observed_;
    }
    dependencies_.events->event_on(lease, EventType::kNormal, "LeaderElection", options_.identity + " " + what);
  }

  void release(Lease lease) {
    const auto wall = object::to_micro_time(dependencies_.clock->wall_now());
    lease.spec.holder_identity = "";
    lease.spec.lease_duration_seconds = 1;
    lease.spec.renew_time = wall;
    lease.spec.acquire_time = wall;
    if (auto released = Client(dependencies_.transport).update(lease); !released)
      base::log::warning("lease not released", {{"lease", options_.name}, {"error", released.error().message}});
  }

  const ElectionDependencies dependencies_;
  const ElectionOptions options_;
  const ElectionCallbacks callbacks_;
  mutable base::Mutex mutex_;
  std::optional<Lease> observed_ GUARDED_BY(mutex_);
  base::MonoTime observed_at_ GUARDED_BY(mutex_){};
  base::MonoTime deadline_ GUARDED_BY(mutex_){};
  std::string reported_ GUARDED_BY(mutex_);
  bool leading_ GUARDED_BY(mutex_) = false;
  bool watching_deadline_ GUARDED_BY(mutex_) = false;
  bool ended_ GUARDED_BY(mutex_) = false;
};

LeaderElector::LeaderElector(ElectionDependencies dependencies, ElectionOptions options, ElectionCallbacks callbacks)
    : impl_(std::make_shared<Impl>(std::move(dependencies), std::move(options), std::move(callbacks))) {}
LeaderElector::~LeaderElector() { stop(); }
void LeaderElector::start() { impl_->start(); }
void LeaderElector::stop() { impl_->stop(); }
bool LeaderElector::leading() const { return impl_->leading(); }
std::string LeaderElector::leader() const { return impl_->leader(); }
bool LeaderElector::healthy(base::Duration tolerance) const { return impl_->healthy(tolerance); }

}  // namespace client
