#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/batch/cron_schedule.h"
#include "api/shared/rules_test.h"
#include "gen/batch/v1.h"
#include "object/time.h"

namespace api {
namespace {

using batch::v1::CronJob;
using batch::v1::Job;

std::string parse_error(std::string_view text) {
  auto parsed = CronSchedule::parse(text);
  return parsed ? "" : parsed.error().message;
}

TEST(CronSchedule, Errors) {
  const std::pair<const char*, const char*> cases[] = {
      {"* * * *", "expected exactly 5 fields, found 4: [* * * *]"},
      {"x", "expected exactly 5 fields, found 1: [x]"},
      {"60 * * * *", "end of range (60) above maximum (59): 60"},
      {"* * 0 * *", "beginning of range (0) below minimum (1): 0"},
      {"9-5 * * * *", "beginning of range (9) beyond end of range (5): 9-5"},
      {"*/0 * * * *", "step of range should be a positive number: */0"},
      {"1-2-3 * * * *", "too many hyphens: 1-2-3"},
      {"1/2/3 * * * *", "too many slashes: 1/2/3"},
      {"a * * * *", "failed to parse int from a: strconv.Atoi: parsing \"a\": invalid syntax"},
      {"@never", "unrecognized descriptor: @never"},
      {"", "empty spec string"},
      {"0 0 * jan-mar sun", ""},
      {"@every 1h30m", ""},
      {"TZ=UTC * * * * *", ""},
      {"CRON_TZ=Nowhere/X * * * * *", "provided bad location Nowhere/X: unknown time zone Nowhere/X"},
  };
  for (const auto& [text, expected] : cases) EXPECT_EQ(parse_error(text), expected) << text;
}

std::string next_time(std::string_view schedule, std::string_view after, const TimeZone& zone) {
  const auto from = object::to_wall_time(*object::parse_time(after));
  auto next = CronSchedule::parse(schedule)->next(from, zone);
  return next ? object::format_time(object::to_time(*next)) : "never";
}

TEST(CronSchedule, NextInUtc) {
  const std::tuple<const char*, const char*, const char*> cases[] = {
      {"*/5 * * * *", "2024-01-01T00:00:00Z", "2024-01-01T00:05:00Z"},
      {"*/5 * * * *", "2024-01-01T00:04:59Z", "2024-01-01T00:05:00Z"},
      {"30 4 1 * *", "2024-01-15T00:00:00Z", "2024-02-01T04:30:00Z"},
      {"0 0 29 2 *", "2024-03-01T00:00:00Z", "2028-02-29T00:00:00Z"},
      {"0 0 30 2 *", "2024-03-01T00:00:00Z", "never"},
      {"0 0 13 * 5", "2024-09-01T00:00:00Z", "2024-09-06T00:00:00Z"},  // either day
      {"0 0 * * 5", "2024-09-06T00:00:00Z", "2024-09-13T00:00:00Z"},
      {"@yearly", "2024-12-31T23:59:59Z", "2025-01-01T00:00:00Z"},
      {"@hourly", "2024-12-31T23:30:00Z", "2025-01-01T00:00:00Z"},
      {"@every 90s", "2024-01-01T00:00:00Z", "2024-01-01T00:01:30Z"},
      {"59 23 31 dec *", "2024-12-31T23:59:00Z", "2025-12-31T23:59:00Z"},
  };
  for (const auto& [schedule, after, expected] : cases) {
    EXPECT_EQ(next_time(schedule, after, TimeZone()), expected) << schedule;
  }
}

// A version 2 file without changes but with a rule for all times.
std::string zone_file(std::string_view footer, int32_t offset) {
  auto header = [] {
    std::string text = "TZif2" + std::string(15, '\0');
    for (int count : {0, 0, 0, 0, 1, 4}) text += std::string{'\0', '\0', '\0', static_cast<char>(count)};
    return text;
  };
  std::string type;
  for (int shift : {24, 16, 8, 0}) type += static_cast<char>(static_cast<uint32_t>(offset) >> shift);
  type += std::string(2, '\0');
  const std::string block = header() + type + std::string("ABC\0", 4);
  return block + block + "\n" + std::string(footer) + "\n";
}

TEST(CronSchedule, NextAcrossClockChanges) {
  auto zone = TimeZone::parse(zone_file("EST5EDT,M3.2.0,M11.1.0", -18000));
  ASSERT_TRUE(zone);
  EXPECT_EQ(zone->at(1704067200).offset_seconds, -18000);  // January
  EXPECT_EQ(zone->at(1719792000).offset_seconds, -14400);  // July
  // 02:30 does not exist on 2024-03-10: the run of that day is left out.
  EXPECT_EQ(next_time("30 2 * * *", "2024-03-09T12:00:00Z", *zone), "2024-03-11T06:30:00Z");
  EXPECT_EQ(next_time("0 12 * * *", "2024-03-09T18:00:00Z", *zone), "2024-03-10T16:00:00Z");
  EXPECT_EQ(next_time("0 0 * * *", "2024-11-03T12:00:00Z", *zone), "2024-11-04T05:00:00Z");
  EXPECT_FALSE(TimeZone::parse("TZif"));
  EXPECT_FALSE(TimeZone::load("../etc/passwd"));
}

void fill_template(core::v1::PodTemplateSpec& pods) {
  pods.metadata.labels["app"] = "a";
  pods.spec.restart_policy = "Never";
  pods.spec.containers.resize(1);
  pods.spec.containers[0].name = "c";
  pods.spec.containers[0].image = "img:1";
}

Job job() {
  Job object;
  object.metadata.name = "j";
  object.metadata.uid = "u";
  fill_template(object.spec.template_);
  return object;
}

TEST(Job, Defaults) {
  RulesHarness h(job_rules());
  Job object = job();
  EXPECT_EQ(h.create(object), "");
  EXPECT_EQ(object.spec.completions, 1);
  EXPECT_EQ(object.spec.backoff_limit, 6);
  EXPECT_EQ(object.spec.pod_replacement_policy, "TerminatingOrFailed");
  EXPECT_EQ(object.spec.selector->match_labels.at("batch.kubernetes.io/controller-uid"), "u");
  EXPECT_EQ(object.metadata.labels, object.spec.template_.metadata.labels);
  EXPECT_EQ(object.metadata.labels.at("job-name"), "j");
  EXPECT_EQ(h.cells(object), "j|Running|0/1||<unknown>|c|img:1|batch.kubernetes.io/controller-uid=u");
  Job labelled = job();
  labelled.metadata.labels["app"] = "a";
  h.create(labelled);
  EXPECT_EQ(labelled.metadata.labels.size(), 1U);
}

struct Case {
  const char* expected;
  void (*change)(Job&);
};

TEST(Job, Invalid) {
  const Case cases[] = {
      {"spec.template.spec.restartPolicy: Required value: valid values: \"OnFailure\", \"Never\"",
       [](auto& j) { j.spec.template_.spec.restart_policy = "Always"; }},
      {"spec.completionMode: Unsupported value: \"X\": supported values: \"NonIndexed\", \"Indexed\"",
       [](auto& j) { j.spec.completion_mode = "X"; }},
      {"[spec.selector: Required value, spec.template.metadata.labels: Invalid value: {\"app\":\"a\"}: `selector` does "
       "not match template `labels`]",
       [](auto& j) { j.spec.manual_selector = true; }},
      {"spec.selector: Invalid value: {\"matchLabels\":{\"app\":\"a\",\"batch.kubernetes.io/controller-uid\":\"u\"}}: "
       "`selector` not auto-generated",
       [](auto& j) { j.spec.selector.ensure().match_labels["app"] = "a"; }},
      {"[spec.backoffLimitPerIndex: Required value: when maxFailedIndexes is specified, spec.maxFailedIndexes: Invalid "
       "value: 3: requires indexed completion mode]",
       [](auto& j) { j.spec.max_failed_indexes = 3; }},
      {"spec.successPolicy: Invalid value: {\"Rules\":[]}: requires indexed completion mode",
       [](auto& j) { j.spec.success_policy.ensure(); }},
      {"spec.managedBy: Invalid value: \"a\": must be a domain-prefixed path (such as \"acme.io/foo\")",
       [](auto& j) { j.spec.managed_by = "a"; }},
      {"[spec.podFailurePolicy.rules[0].action: Unsupported value: \"X\": supported values: \"Count\", \"FailIndex\", "
       "\"FailJob\", \"Ignore\", spec.podFailurePolicy.rules[0]: Invalid value: specifying one of OnExitCodes and "
       "OnPodConditions is required]",
       [](auto& j) {
         j.spec.pod_failure_policy.ensure().rules.resize(1);
         j.spec.pod_failure_policy->rules[0].action = "X";
       }},
  };
  for (const auto& [expected, change] : cases) {
    RulesHarness h(job_rules());
    Job object = job();
    change(object);
    EXPECT_EQ(h.create(object), expected);
  }
}

TEST(Job, UpdateAndStatus) {
  RulesHarness h(job_rules());
  Job old = job();
  h.create(old);
  Job changed = old;
  changed.spec.completions = 5;
  EXPECT_EQ(h.update(changed, old), "spec.completions: Invalid value: 5: field is immutable");
  changed = old;
  changed.spec.selector->match_labels = {{"a", "b"}};
  EXPECT_EQ(h.update(changed, old).substr(0, 96),
            "[spec.selector: Invalid value: {\"matchLabels\":{\"a\":\"b\"}}: `selector` not auto-generated, spec.te");
  changed = old;
  changed.spec.suspend = true;
  EXPECT_EQ(h.update(changed, old), "");
  EXPECT_EQ(changed.metadata.generation, 2);
  Job suspended = changed, moved = changed;
  moved.spec.template_.spec.node_selector["a"] = "b";
  EXPECT_EQ(h.update(moved, suspended), "");
  EXPECT_THAT(h.update(moved, old), ::testing::HasSubstr("spec.template: Invalid value: "));
  Job done = old;
  done.status.conditions.resize(1);
  done.status.conditions[0].type = "Complete";
  done.status.conditions[0].status = "True";
  EXPECT_EQ(h.update("status", done, old),
            "[status.conditions: Invalid value: cannot set Complete=True condition without the SuccessCriteriaMet=true "
            "condition, status.completionTime: Required value: completionTime is required for Complete jobs, "
            "status.startTime: Required value: startTime is required for finished job]");
}

CronJob cron_job(const char* schedule) {
  CronJob object;
  object.metadata.name = "cj";
  object.spec.schedule = schedule;
  fill_template(object.spec.job_template.spec.template_);
  return object;
}

TEST(Job, ItsCreatorOwnsTheLabelsOfItsTemplate) {
  const auto rules = job_rules();
  ASSERT_TRUE(rules->owns_more());
  batch::v1::Job job;
  job.spec.template_.metadata.labels = {{"a", "b"}};
  rules->show_to_field_managers_any(&job);
  EXPECT_EQ(job.metadata.labels, job.spec.template_.metadata.labels);
  job.metadata.labels = {{"own", "1"}};
  rules->show_to_field_managers_any(&job);
  EXPECT_EQ(job.metadata.labels.size(), 1U);
  EXPECT_EQ(rules->unknown_field_label("status.active", "batch/v1"),
            "field label \"status.active\" not supported for Job");
}

TEST(CronJob, Rules) {
  RulesHarness h(cron_job_rules());
  CronJob object = cron_job("*/5 * * * *");
  EXPECT_EQ(h.create(object), "");
  EXPECT_EQ(h.cells(object), "cj|*/5 * * * *|<none>|False|0|<none>|<unknown>|c|img:1|<none>");
  const std::pair<const char*, const char*> cases[] = {
      {"", "spec.schedule: Required value"},
      {"x", "spec.schedule: Invalid value: \"x\": expected exactly 5 fields, found 1: [x]"},
      {"TZ=UTC * * * * *",
       "spec.schedule: Invalid value: \"TZ=UTC * * * * *\": cannot use TZ or CRON_TZ in schedule, use timeZone field "
       "instead"}};
  for (const auto& [schedule, expected] : cases) {
    object = cron_job(schedule);
    EXPECT_EQ(h.create(object), expected);
  }
  object = cron_job("@hourly");
  object.spec.time_zone = "Nowhere/X";
  EXPECT_EQ(h.create(object), "spec.timeZone: Invalid value: \"Nowhere/X\": unknown time zone Nowhere/X");
  object.spec.time_zone = "Etc/UTC";
  object.spec.concurrency_policy = "X";
  EXPECT_EQ(h.create(object),
            "spec.concurrencyPolicy: Unsupported value: \"X\": supported values: \"Allow\", \"Forbid\", \"Replace\"");
  object = cron_job("@hourly");
  object.metadata.name = std::string(53, 'x');
  EXPECT_EQ(h.create(object),
            "metadata.name: Invalid value: \"" + object.metadata.name + "\": must be no more than 52 characters");
}

}  // namespace
}  // namespace api
