// Jobs: the pure plan, and the controllers of Jobs on an API in memory.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "controllers/job/controller.h"
#include "controllers/job/index_set.h"
#include "controllers/job/plan.h"
#include "controllers/podgc/controller.h"
#include "controllers/test_support.h"
#include "controllers/ttlafterfinished/controller.h"
#include "object/time.h"

namespace controllers {
namespace {

using api::batch::v1::Job;
using api::core::v1::Event;
using api::core::v1::Node;
using api::core::v1::Pod;
using std::chrono::minutes;
using std::chrono::seconds;

const base::WallTime kNow = base::WallTime(seconds(1'700'000'000));

TEST(IndexSet, TextAndBack) {
  for (const char* text : {"", "0", "1,3-5,7", "0-9", "2,3"}) {
    EXPECT_EQ(job::format_indexes(job::parse_indexes(text, 100)), text);
  }
  EXPECT_EQ(job::format_indexes(job::parse_indexes("1-5,x,-3,8", 4)), "1-3");
}

Job make_job(int32_t completions, int32_t parallelism, std::string mode = "NonIndexed") {
  Job job;
  job.metadata.name = "j";
  job.metadata.namespace_ = "ns";
  job.spec.completions = completions;
  job.spec.parallelism = parallelism;
  job.spec.completion_mode = std::move(mode);
  job.spec.backoff_limit = 2;
  job.spec.pod_replacement_policy = "TerminatingOrFailed";
  job.spec.template_.spec.restart_policy = "Never";
  job.spec.template_.spec.containers.resize(1);
  job.spec.template_.spec.containers[0].name = "c";
  return job;
}

Pod job_pod(std::string uid, std::string phase, std::optional<int32_t> index = std::nullopt) {
  Pod pod = job::make_pod(make_job(1, 1), index);
  pod.metadata.name = pod.metadata.uid = std::move(uid);
  pod.status.phase = std::move(phase);
  return pod;
}

TEST(JobPlan, MakesWhatIsMissing) {
  job::Observed observed{make_job(5, 3), {job_pod("a", "Running")}, kNow};
  job::Plan plan = job::plan(observed);
  EXPECT_EQ(plan.create.size(), 2u);
  EXPECT_EQ(plan.status.active, 3);
  EXPECT_EQ(plan.status.ready, 0);
  EXPECT_EQ(plan.status.terminating, 0);
  EXPECT_TRUE(plan.status.start_time);
  observed.job.status.succeeded = 4;
  EXPECT_TRUE(job::plan(observed).create.empty()) << "only one completion is left";
}

TEST(JobPlan, CountsInThreeSteps) {
  job::Observed observed{make_job(2, 1), {job_pod("a", "Succeeded")}, kNow};
  job::Plan plan = job::plan(observed);
  EXPECT_THAT(plan.status.uncounted_terminated_pods->succeeded, testing::ElementsAre("a"));
  EXPECT_EQ(plan.status.succeeded, 0);
  ASSERT_EQ(plan.release.size(), 1u);
  observed.job.status = plan.status;
  EXPECT_EQ(job::plan(observed).status.uncounted_terminated_pods->succeeded.size(), 1u) << "not counted twice";
  observed.pods[0].metadata.finalizers.clear();
  plan = job::plan(observed);
  EXPECT_EQ(plan.status.succeeded, 1);
  EXPECT_TRUE(plan.status.uncounted_terminated_pods->succeeded.empty());
  EXPECT_TRUE(plan.release.empty());
}

TEST(JobPlan, IndexesAreFilledAndWritten) {
  job::Observed observed{make_job(4, 2, "Indexed"), {job_pod("a", "Succeeded", 0), job_pod("b", "Running", 2)}, kNow};
  const job::Plan plan = job::plan(observed);
  ASSERT_EQ(plan.create.size(), 1u);
  EXPECT_EQ(plan.create[0], 1);
  EXPECT_EQ(plan.status.completed_indexes, "0");
  const Pod pod = job::make_pod(observed.job, 1);
  EXPECT_EQ(pod.metadata.generate_name, "j-1-");
  EXPECT_EQ(pod.spec.hostname, "j-1");
  EXPECT_EQ(pod.spec.containers[0].env[0].name, "JOB_COMPLETION_INDEX");
}

Pod failed_pod(const Job& job, std::string uid, int32_t code, std::optional<int32_t> index, int32_t failures) {
  Pod pod = job::make_pod(job, index, failures);
  pod.metadata.name = pod.metadata.uid = std::move(uid);
  pod.status.phase = "Failed";
  pod.status.container_statuses.resize(1);
  pod.status.container_statuses[0].name = "c";
  auto& terminated = pod.status.container_statuses[0].state.terminated.ensure();
  terminated.exit_code = code;
  terminated.finished_at = object::to_time(kNow);
  return pod;
}

std::string condition_of(const job::Plan& plan, std::string_view type) {
  for (const auto& condition : plan.status.conditions) {
    if (condition.type == type && condition.status == "True") return condition.reason + ": " + condition.message;
  }
  return "";
}

TEST(JobPlan, ThePodFailurePolicyDecides) {
  Job job = make_job(3, 3, "Indexed");
  job.spec.backoff_limit = 100;
  job.spec.backoff_limit_per_index = 1;
  auto& rules = job.spec.pod_failure_policy.ensure().rules;
  for (const char* action : {"FailJob", "Ignore", "FailIndex"}) {
    auto& rule = rules.emplace_back();
    rule.action = action;
    rule.on_exit_codes.ensure().operator_ = "In";
    rule.on_exit_codes->values = {static_cast<int32_t>(40 + rules.size())};  // 41, 42, 43
  }
  rules.emplace_back().action = "Ignore";
  rules.back().on_pod_conditions.resize(1);
  rules.back().on_pod_conditions[0].type = "DisruptionTarget";

  job::Plan plan = job::plan({job, {failed_pod(job, "a", 41, 0, 0)}, kNow});
  EXPECT_EQ(condition_of(plan, "FailureTarget"),
            "PodFailurePolicy: Container c for pod ns/a failed with exit code 41 matching FailJob rule at index 0");

  Pod disrupted = failed_pod(job, "b", 1, 1, 0);
  disrupted.status.conditions.resize(1);
  disrupted.status.conditions[0].type = "DisruptionTarget";
  disrupted.status.conditions[0].status = "True";
  plan = job::plan({job, {failed_pod(job, "a", 42, 0, 0), disrupted}, kNow});
  EXPECT_TRUE(plan.status.uncounted_terminated_pods->failed.empty()) << "ignored";
  EXPECT_EQ(plan.release.size(), 2u);
  EXPECT_EQ(plan.create.size(), 3u) << "and replaced at once";

  plan = job::plan({job, {failed_pod(job, "a", 43, 0, 0)}, kNow});
  EXPECT_EQ(plan.status.failed_indexes, "0");
  EXPECT_EQ(plan.create.size(), 2u) << "1 and 2";
}

TEST(JobPlan, AnIndexFailsAfterALimitOfItsOwn) {
  Job job = make_job(2, 2, "Indexed");
  job.spec.backoff_limit = 100;
  job.spec.backoff_limit_per_index = 1;
  EXPECT_EQ(job::make_pod(job, 0).metadata.annotations["batch.kubernetes.io/job-index-failure-count"], "0");
  job::Observed observed{job, {failed_pod(job, "a", 1, 0, 0), job_pod("b", "Running", 1)}, kNow};
  job::Plan plan = job::plan(observed);
  EXPECT_EQ(plan.status.failed_indexes, "");
  EXPECT_TRUE(plan.create.empty()) << "it waits";
  EXPECT_EQ(plan.look_again, base::Duration(seconds(10)));
  observed.now = kNow + seconds(10);
  plan = job::plan(observed);
  ASSERT_EQ(plan.create.size(), 1u);
  EXPECT_EQ(plan.failures[0], 1);

  observed.pods.push_back(failed_pod(job, "c", 1, 0, 1));
  observed.pods[1].status.phase = "Succeeded";
  plan = job::plan(observed);
  EXPECT_EQ(plan.status.failed_indexes, "0");
  EXPECT_EQ(condition_of(plan, "FailureTarget"), "FailedIndexes: Job has failed indexes");
  observed.job.spec.max_failed_indexes = 0;
  EXPECT_EQ(condition_of(job::plan(observed), "FailureTarget").substr(0, 24), "MaxFailedIndexesExceeded");
}

TEST(JobPlan, TheSuccessPolicyEndsItEarly) {
  Job job = make_job(4, 4, "Indexed");
  auto& rules = job.spec.success_policy.ensure().rules;
  rules.resize(2);
  rules[0].succeeded_indexes = "0,3";
  rules[1].succeeded_count = 3;
  const auto after = [&](std::vector<int32_t> succeeded) {
    job::Observed observed{job, {job_pod("x", "Running", 2)}, kNow};
    for (const int32_t index : succeeded) {
      observed.pods.push_back(job_pod("p" + std::to_string(index), "Succeeded", index));
    }
    const job::Plan plan = job::plan(observed);
    EXPECT_EQ(plan.remove.size(), condition_of(plan, "SuccessCriteriaMet").empty() ? 0u : 1u);
    return condition_of(plan, "SuccessCriteriaMet");
  };
  EXPECT_EQ(after({0, 1}), "");
  EXPECT_EQ(after({0, 3}), "SuccessPolicy: Matched rules at index 0");
  EXPECT_EQ(after({0, 1, 2}), "SuccessPolicy: Matched rules at index 1");
}

TEST(JobPlan, FailuresWaitAndThenEndIt) {
  Pod failed = job_pod("a", "Failed");
  failed.metadata.finalizers.clear();
  failed.status.container_statuses.resize(1);
  failed.status.container_statuses[0].state.terminated.ensure().finished_at = object::to_time(kNow);
  job::Observed observed{make_job(1, 1), {failed}, kNow + seconds(4)};
  observed.job.status.failed = 1;
  job::Plan plan = job::plan(observed);
  EXPECT_TRUE(plan.create.empty());
  EXPECT_EQ(plan.look_again, base::Duration(seconds(6)));
  observed.now = kNow + seconds(10);
  EXPECT_EQ(job::plan(observed).create.size(), 1u);

  observed.job.status.failed = 3;
  observed.pods.push_back(job_pod("b", "Running"));
  plan = job::plan(observed);
  EXPECT_EQ(plan.remove.size(), 1u);
  ASSERT_EQ(plan.status.conditions.size(), 1u) << "Failed only once nothing runs any more";
  EXPECT_EQ(plan.status.conditions[0].type, "FailureTarget");
  observed.job.status = plan.status;
  observed.pods.pop_back();
  plan = job::plan(observed);
  ASSERT_EQ(plan.status.conditions.size(), 2u);
  EXPECT_EQ(plan.status.conditions[1].type, "Failed");
  EXPECT_EQ(plan.status.conditions[1].reason, "BackoffLimitExceeded");
  EXPECT_EQ(plan.events[0].text, "Job has reached the specified backoff limit");
}

class JobTest : public testing::Test {
 protected:
  JobTest() {
    cluster_.add(job::make_controller(cluster_.dependencies()));
    cluster_.add(ttlafterfinished::make_controller(cluster_.dependencies()));
    cluster_.add(podgc::make_controller(cluster_.dependencies()));
    cluster_.start();
  }
  std::vector<Pod> pods() { return *client_.list<Pod>("ns"); }
  Job get() { return *client_.get<Job>("ns", "j"); }
  void end_pods(const std::string& phase) {
    for (Pod& pod : pods()) {
      if (pod.status.phase == "Succeeded" || pod.status.phase == "Failed") continue;
      pod.status.phase = phase;
      ASSERT_TRUE(client_.update_status(pod));
    }
    cluster_.settle();
  }

  Cluster cluster_;
  client::Client& client_ = cluster_.client;
};

TEST_F(JobTest, RunsToCompletionAndIsClearedAway) {
  Job job = make_job(4, 2);
  job.spec.ttl_seconds_after_finished = 60;
  ASSERT_TRUE(client_.create(job));
  cluster_.settle();
  EXPECT_EQ(get().status.active, 2);
  end_pods("Succeeded");
  EXPECT_EQ(get().status.succeeded, 2);
  end_pods("Succeeded");
  const Job done = get();
  EXPECT_EQ(done.status.succeeded, 4);
  EXPECT_EQ(done.status.active, 0);
  EXPECT_TRUE(done.status.completion_time);
  ASSERT_EQ(done.status.conditions.size(), 2u);
  EXPECT_EQ(done.status.conditions[0].type, "SuccessCriteriaMet");
  EXPECT_EQ(done.status.conditions[1].type, "Complete");
  EXPECT_EQ(done.status.conditions[1].message, "Reached expected number of succeeded pods");
  EXPECT_TRUE(done.status.uncounted_terminated_pods);
  for (const Pod& pod : pods()) EXPECT_TRUE(pod.metadata.finalizers.empty());
  cluster_.executor.advance(seconds(61));
  EXPECT_TRUE(get().metadata.deletion_timestamp) << "foreground: the garbage collector ends it";
}

TEST_F(JobTest, TakesInLostPodsAndLetsGoOfOthers) {
  Job job = make_job(1, 1);
  job.spec.selector.ensure().match_labels = {{"batch.kubernetes.io/job-name", "j"}};
  job.spec.template_.metadata.labels = {{"batch.kubernetes.io/job-name", "j"}};
  ASSERT_TRUE(client_.create(job));
  cluster_.settle();
  auto pods = *client_.list<Pod>("ns");
  ASSERT_EQ(pods.size(), 1u);
  pods[0].metadata.owner_references.clear();
  pods[0].metadata.finalizers.clear();
  ASSERT_TRUE(client_.update(pods[0]));
  cluster_.settle();
  pods = *client_.list<Pod>("ns");
  ASSERT_EQ(pods.size(), 1u);
  EXPECT_EQ(pods[0].metadata.owner_references.size(), 1u);
  EXPECT_THAT(pods[0].metadata.finalizers, testing::ElementsAre(job::kTrackingFinalizer));
  const std::string name = pods[0].metadata.name;
  pods[0].metadata.labels.clear();
  ASSERT_TRUE(client_.update(pods[0]));
  cluster_.settle();
  const auto released = client_.get<Pod>("ns", name);
  EXPECT_TRUE(released->metadata.owner_references.empty());
  EXPECT_TRUE(released->metadata.finalizers.empty());
  EXPECT_EQ(client_.list<Pod>("ns")->size(), 2u) << "another one is made";
}

TEST_F(JobTest, SuspendsAndResumes) {
  Job job = make_job(1, 1);
  job.spec.suspend = true;
  ASSERT_TRUE(client_.create(job));
  cluster_.settle();
  EXPECT_EQ(get().status.conditions[0].reason, "JobSuspended");
  EXPECT_FALSE(get().status.start_time);
  EXPECT_TRUE(pods().empty());
  ASSERT_TRUE(client_.patch<Job>("ns", "j", client::PatchType::kMerge, R"({"spec":{"suspend":false}})"));
  cluster_.settle();
  EXPECT_EQ(get().status.conditions[0].reason, "JobResumed");
  EXPECT_EQ(pods().size(), 1u);
}

TEST_F(JobTest, FailsAfterItsBackoffLimit) {
  ASSERT_TRUE(client_.create(make_job(1, 1)));
  cluster_.settle();
  for (int i = 0; i < 3; ++i) {
    end_pods("Failed");
    cluster_.executor.advance(minutes(1));
  }
  EXPECT_EQ(get().status.failed, 3);
  EXPECT_EQ(get().status.conditions.back().type, "Failed");
  EXPECT_EQ(pods().size(), 3u);
}

TEST_F(JobTest, TheDeadlineEndsRunningPods) {
  Job job = make_job(1, 1);
  job.spec.active_deadline_seconds = 30;
  ASSERT_TRUE(client_.create(job));
  cluster_.executor.advance(seconds(31));
  end_pods("Failed");
  EXPECT_EQ(get().status.conditions.back().reason, "DeadlineExceeded");
}

TEST_F(JobTest, PodsOfAJobThatIsGoneAreFree) {
  ASSERT_TRUE(client_.create(make_job(1, 1)));
  cluster_.settle();
  ASSERT_TRUE(client_.remove<Job>("ns", "j"));
  ASSERT_TRUE(client_.remove<Pod>("ns", pods()[0].metadata.name));
  cluster_.settle();
  EXPECT_TRUE(pods().empty());
}

TEST_F(JobTest, PodsOfAMissingNodeAreClearedAwayAfterQuarantine) {
  Pod pod;
  pod.metadata.name = "lost";
  pod.metadata.namespace_ = "ns";
  pod.spec.node_name = "gone";
  ASSERT_TRUE(client_.create(pod));
  cluster_.executor.advance(seconds(39));
  EXPECT_EQ(pods().size(), 1u);
  cluster_.executor.advance(seconds(45));
  EXPECT_TRUE(pods().empty());
}

}  // namespace
}  // namespace controllers
