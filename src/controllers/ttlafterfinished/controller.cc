#include "controllers/ttlafterfinished/controller.h"

#include "gen/batch/v1.h"
#include "object/time.h"

namespace controllers::ttlafterfinished {
namespace {

using api::batch::v1::Job;

// When the Job's time is over; nothing = never.
std::optional<base::WallTime> expiry(const Job& job) {
  if (!job.spec.ttl_seconds_after_finished || job.metadata.deletion_timestamp) return std::nullopt;
  for (const auto& condition : job.status.conditions) {
    if ((condition.type == "Complete" || condition.type == "Failed") && condition.status == "True") {
      return object::to_wall_time(condition.last_transition_time) +
             std::chrono::seconds(*job.spec.ttl_seconds_after_finished);
    }
  }
  return std::nullopt;
}

class TtlController final : public Controller {
 public:
  explicit TtlController(const Dependencies& dependencies)
      : client_(dependencies.transport), clock_(dependencies.clock), jobs_(dependencies.informers->get<Job>()) {}

  std::string_view name() const override { return "ttl-after-finished-controller"; }
  std::vector<WatchSpec> watches() override { return {{&jobs_, enqueue_self()}}; }

  base::Result<Requeue> reconcile(const std::string& key) override {
    const auto job = jobs_.get_as<Job>(client::parse_key(key));
    if (!job) return Requeue{};
    const auto due = expiry(*job);
    if (!due) return Requeue{};
    const base::WallTime now = clock_->wall_now();
    if (now < *due) return Requeue{*due - now};
    client::DeleteOptions options;
    options.propagation = client::Propagation::kForeground;
    options.precondition_uid = job->metadata.uid;
    options.precondition_revision = std::stoll(job->metadata.resource_version);
    auto removed = client_.remove<Job>(job->metadata.namespace_, job->metadata.name, options);
    if (!removed && removed.error().reason != base::Reason::kNotFound) return base::fail(removed.error());
    return Requeue{};
  }

 private:
  const client::Client client_;
  base::Clock* const clock_;
  client::Informer& jobs_;
};

}  // namespace

std::unique_ptr<Controller> make_controller(const Dependencies& dependencies) {
  return std::make_unique<TtlController>(dependencies);
}

}  // namespace controllers::ttlafterfinished
