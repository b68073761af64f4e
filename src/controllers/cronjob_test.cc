#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "controllers/cronjob/controller.h"
#include "controllers/cronjob/plan.h"
#include "controllers/test_support.h"
#include "gen/batch/v1.h"
#include "gen/core/v1.h"
#include "object/time.h"

namespace controllers::cronjob {
namespace {

using api::batch::v1::CronJob;
using api::batch::v1::Job;
using api::core::v1::Event;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::Contains;
using testing::ElementsAre;
using testing::Not;

base::WallTime at(const char* text) { return object::to_wall_time(*object::parse_time(text)); }

TEST(CronJobMissed, NewestAndHowMany) {
  const api::TimeZone utc;
  const auto hourly = *api::CronSchedule::parse("0 * * * *");
  const auto missed = [&](const char* from, const char* to) {
    const Missed result = missed_times(hourly, utc, at(from), at(to));
    return std::to_string(result.count) + " " +
           (result.newest ? object::format_time(object::to_time(*result.newest)) : "none");
  };
  EXPECT_EQ(missed("2024-01-01T10:00:00Z", "2024-01-01T10:59:59Z"), "0 none");
  EXPECT_EQ(missed("2024-01-01T10:00:00Z", "2024-01-01T11:00:00Z"), "1 2024-01-01T11:00:00Z");
  EXPECT_EQ(missed("2024-01-01T10:00:00Z", "2024-01-01T13:30:00Z"), "3 2024-01-01T13:00:00Z");
  EXPECT_EQ(missed("2024-01-01T10:00:00Z", "2024-01-11T10:30:00Z"), "240 2024-01-11T10:00:00Z");
  // Unequal distances: weekdays only.
  const auto weekdays = *api::CronSchedule::parse("0 9 * * 1-5");
  const Missed week = missed_times(weekdays, utc, at("2024-01-04T10:00:00Z"), at("2024-01-09T08:00:00Z"));
  EXPECT_EQ(*week.newest, at("2024-01-08T09:00:00Z"));
  EXPECT_FALSE(week.never);
  const auto february = *api::CronSchedule::parse("59 23 31 2 *");
  EXPECT_TRUE(missed_times(february, utc, at("2024-01-04T10:00:00Z"), at("2024-01-09T08:00:00Z")).never);
}

class CronJobTest : public testing::Test {
 protected:
  CronJobTest() {
    cluster_.add(make_controller(cluster_.dependencies()));
    cluster_.start();
  }
  // The cluster's time starts at 2023-11-14T22:13:20Z.
  void create(std::string policy = "Allow", const std::function<void(CronJob&)>& edit = {}) {
    CronJob cron;
    cron.metadata.namespace_ = "ns";
    cron.metadata.name = "c";
    cron.spec.schedule = "* * * * *";
    cron.spec.concurrency_policy = std::move(policy);
    cron.spec.successful_jobs_history_limit = 3;
    cron.spec.failed_jobs_history_limit = 1;
    cron.spec.job_template.metadata.labels = {{"l", "v"}};
    if (edit) edit(cron);
    ASSERT_TRUE(cluster_.client.create(cron));
    cluster_.settle();
  }
  std::vector<Job> jobs() { return *cluster_.client.list<Job>("ns"); }
  CronJob cron() { return *cluster_.client.get<CronJob>("ns", "c"); }
  void pass(base::Duration time) { cluster_.executor.advance(time); }
  void end(Job job, const std::string& condition) {
    job.status.conditions.resize(1);
    job.status.conditions[0].type = condition;
    job.status.conditions[0].status = "True";
    job.status.start_time.ensure() = job.metadata.creation_timestamp;
    if (condition == "Complete") job.status.completion_time.ensure() = object::to_time(cluster_.executor.wall_now());
    ASSERT_TRUE(cluster_.client.update_status(job));
    cluster_.settle();
  }
  std::vector<std::string> events() {
    std::vector<std::string> found;
    for (const Event& event : *cluster_.client.list<Event>("ns")) found.push_back(event.reason + ": " + event.message);
    return found;
  }

  Cluster cluster_;
};

TEST_F(CronJobTest, MakesAJobAtItsTime) {
  create();
  EXPECT_EQ(jobs().size(), 0u);
  pass(seconds(41));
  ASSERT_EQ(jobs().size(), 1u);
  const Job job = jobs()[0];
  EXPECT_EQ(job.metadata.name, "c-28333334");
  EXPECT_EQ(job.metadata.annotations.at(kScheduledAnnotation), "2023-11-14T22:14:00Z");
  EXPECT_EQ(job.metadata.labels.at("l"), "v");
  EXPECT_EQ(job.metadata.owner_references.at(0).kind, "CronJob");
  ASSERT_EQ(cron().status.active.size(), 1u);
  EXPECT_EQ(cron().status.active[0].name, job.metadata.name);
  EXPECT_EQ(object::format_time(*cron().status.last_schedule_time), "2023-11-14T22:14:00Z");
  EXPECT_THAT(events(), Contains("SuccessfulCreate: Created job c-28333334"));
  end(job, "Complete");
  EXPECT_EQ(cron().status.active.size(), 0u);
  EXPECT_TRUE(cron().status.last_successful_time);
  EXPECT_THAT(events(), Contains("SawCompletedJob: Saw completed job: c-28333334, condition: Complete"));
  pass(minutes(1));
  EXPECT_EQ(jobs().size(), 2u);
}

TEST_F(CronJobTest, ConcurrencyPolicies) {
  create("Forbid");
  pass(minutes(3));
  EXPECT_EQ(jobs().size(), 1u);
  EXPECT_THAT(events(), Contains("JobAlreadyActive: Not starting job because prior execution is running and "
                                 "concurrency policy is Forbid"));
  CronJob changed = cron();
  changed.spec.concurrency_policy = "Replace";
  ASSERT_TRUE(cluster_.client.update(changed));
  const std::string before = jobs()[0].metadata.name;
  pass(minutes(1));
  ASSERT_EQ(jobs().size(), 1u);
  EXPECT_NE(jobs()[0].metadata.name, before);
  EXPECT_EQ(cron().status.active.size(), 1u);
}

TEST_F(CronJobTest, HistoryIsKeptShort) {
  create();
  for (int i = 0; i < 6; ++i) {
    pass(minutes(1));
    for (const Job& job : jobs()) {
      if (job.status.conditions.empty()) end(job, i % 3 == 2 ? "Failed" : "Complete");
    }
  }
  size_t complete = 0, failed = 0;
  for (const Job& job : jobs()) (job.status.conditions[0].type == "Complete" ? complete : failed) += 1;
  EXPECT_EQ(complete, 3u);
  EXPECT_EQ(failed, 1u);
}

TEST_F(CronJobTest, SuspendedAndBrokenOnesMakeNothing) {
  create("Allow", [](CronJob& cron) { cron.spec.suspend = true; });
  pass(minutes(3));
  EXPECT_EQ(jobs().size(), 0u);
  CronJob changed = cron();
  changed.spec.suspend = false;
  changed.spec.schedule = "nonsense";
  ASSERT_TRUE(cluster_.client.update(changed));
  pass(minutes(3));
  EXPECT_EQ(jobs().size(), 0u);
  EXPECT_THAT(events(), Contains(testing::HasSubstr("UnparseableSchedule: unparseable schedule: \"nonsense\"")));
  changed = cron();
  changed.spec.schedule = "59 23 31 2 *";
  ASSERT_TRUE(cluster_.client.update(changed));
  pass(minutes(3));
  EXPECT_EQ(jobs().size(), 0u);
  EXPECT_THAT(events(), Contains("InvalidSchedule: invalid schedule: 59 23 31 2 * : time difference between two "
                                 "schedules is less than 1 second"));
}

TEST_F(CronJobTest, ATimeThatIsTooLateIsMissed) {
  create("Forbid", [](CronJob& cron) { cron.spec.starting_deadline_seconds = 10; });
  pass(seconds(41));
  ASSERT_EQ(jobs().size(), 1u);
  pass(minutes(5));
  EXPECT_EQ(jobs().size(), 1u);
  pass(seconds(30));  // the last time is more than ten seconds ago
  end(jobs()[0], "Complete");
  EXPECT_EQ(jobs().size(), 1u);
  pass(minutes(1));
  EXPECT_EQ(jobs().size(), 2u);
}

}  // namespace
}  // namespace controllers::cronjob
