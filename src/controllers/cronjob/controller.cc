#include "controllers/cronjob/controller.h"

#include <algorithm>

#include "client/events.h"
#include "controllers/cronjob/plan.h"
#include "controllers/runtime/owners.h"
#include "controllers/runtime/write_barrier.h"
#include "object/time.h"

namespace controllers::cronjob {
namespace {

using api::batch::v1::CronJob;
using api::batch::v1::Job;
using client::EventType;

class CronJobController final : public Controller {
 public:
  explicit CronJobController(const Dependencies& dependencies)
      : client_(dependencies.transport),
        clock_(dependencies.clock),
        events_(dependencies.transport, dependencies.clock, "cronjob-controller"),
        cron_jobs_(dependencies.informers->get<CronJob>()),
        jobs_(dependencies.informers->get<Job>()) {
    index_by_owner(jobs_);
  }

  std::string_view name() const override { return "cronjob-controller"; }
  int workers() const override { return 5; }
  std::vector<WatchSpec> watches() override {
    return {{&cron_jobs_, enqueue_self()}, {&jobs_, enqueue_controller_owner("batch", "CronJob")}};
  }

  base::Result<Requeue> reconcile(const std::string& key) override {
    if (!jobs_barrier_.passed(key, jobs_) || !status_barrier_.passed(key, cron_jobs_))
      return Requeue{WriteBarrier::kRetry};
    auto found = cron_jobs_.get_as<CronJob>(client::parse_key(key));
    if (!found) return Requeue{};
    Observed observed{std::move(*found), {}, nullptr, nullptr, clock_->wall_now()};
    for (Job& job : jobs_.by_index_as<Job>(kOwnerIndex, observed.cron_job.metadata.uid)) {
      const auto* owner = controller_of(job.metadata);
      if (owner && owner->uid == observed.cron_job.metadata.uid) observed.jobs.push_back(std::move(job));
    }
    const auto zone = zone_of(observed.cron_job);
    const auto schedule = schedule_of(observed.cron_job);
    if (zone && schedule) {
      observed.zone = &*zone;
      observed.schedule = &*schedule;
    }
    Plan todo = plan(observed);
    for (const Message& message : todo.events) say(observed.cron_job, message);
    TRY(remove(observed, todo));
    if (todo.create) {
      TRY(create(key, observed, todo));
    }
    TRY(write_status(key, observed.cron_job, todo));
    return Requeue{todo.look_again};
  }

 private:
  void say(const CronJob& cron_job, const Message& message) {
    events_.event_on(cron_job, message.warning ? EventType::kWarning : EventType::kNormal, message.reason,
                     message.text);
  }

  std::optional<api::TimeZone> zone_of(const CronJob& cron_job) {
    const std::string name = cron_job.spec.time_zone.value_or("");
    auto zone = api::TimeZone::load(name);
    if (zone) return *std::move(zone);
    say(cron_job, {true, "UnknownTimeZone", "invalid timeZone: \"" + name + "\": " + zone.error().message});
    return std::nullopt;
  }
  std::optional<api::CronSchedule> schedule_of(const CronJob& cron_job) {
    auto schedule = api::CronSchedule::parse(cron_job.spec.schedule);
    if (schedule) return *std::move(schedule);
    say(cron_job, {true, "UnparseableSchedule",
                   "unparseable schedule: \"" + cron_job.spec.schedule + "\" : " + schedule.error().message});
    return std::nullopt;
  }

  base::Result<void> remove(const Observed& observed, Plan& todo) {
    for (const size_t at : todo.remove) {
      const Job& job = observed.jobs[at];
      client::DeleteOptions options;
      options.propagation = client::Propagation::kBackground;
      options.precondition_uid = job.metadata.uid;
      auto removed = client_.remove<Job>(job.metadata.namespace_, job.metadata.name, options);
      if (!removed && removed.error().reason != base::Reason::kNotFound) {
        say(observed.cron_job, {true, "FailedDelete", "Deleted job: " + removed.error().message});
        return removed;
      }
      std::erase_if(todo.status.active, [&](const auto& reference) { return reference.uid == job.metadata.uid; });
      say(observed.cron_job, {false, "SuccessfulDelete", "Deleted job " + job.metadata.name});
    }
    return {};
  }

  base::Result<void> create(const std::string& key, const Observed& observed, Plan& todo) {
    auto created = client_.create(make_job(observed.cron_job, *todo.create, *observed.zone));
    if (!created) {
      // Somebody's Job of that name: this time has had its turn.
      if (created.error().reason == base::Reason::kAlreadyExists) return {};
      const auto& details = created.error().details;
      const bool terminating = details && std::ranges::any_of(details->causes, [](const base::Cause& cause) {
                                 return cause.reason == "NamespaceTerminating";
                               });
      if (terminating) return {};
      say(observed.cron_job, {true, "FailedCreate", "Error creating job: " + created.error().message});
      return base::fail(created.error());
    }
    jobs_barrier_.note(key, std::stoll(created->metadata.resource_version));
    say(observed.cron_job, {false, "SuccessfulCreate", "Created job " + created->metadata.name});
    todo.status.active.push_back(client::reference_to(*created));
    todo.status.last_schedule_time.ensure() = object::to_time(*todo.create);
    return {};
  }

  base::Result<void> write_status(const std::string& key, CronJob& cron_job, Plan& todo) {
    if (cron_job.status == todo.status) return {};
    cron_job.status = std::move(todo.status);
    auto updated = client_.update_status(cron_job);
    if (updated) status_barrier_.note(key, std::stoll(updated->metadata.resource_version));
    if (!updated && updated.error().reason != base::Reason::kNotFound) return base::fail(updated.error());
    return {};
  }

  const client::Client client_;
  base::Clock* const clock_;
  client::EventRecorder events_;
  client::Informer& cron_jobs_;
  client::Informer& jobs_;
  WriteBarrier jobs_barrier_, status_barrier_;
};

}  // namespace

std::unique_ptr<Controller> make_controller(const Dependencies& dependencies) {
  return std::make_unique<CronJobController>(dependencies);
}

}  // namespace controllers::cronjob
