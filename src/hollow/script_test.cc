#include "hollow/script.h"

#include <gtest/gtest.h>

#include "hollow/container_fate.h"

namespace hollow {
namespace {

using std::chrono::seconds;

// "exit code after seconds", "for ever" or "unknown".
std::string outcome(std::string_view text, ScriptWorld& world) {
  const auto run = run_script(text, world);
  if (!run) return "unknown";
  if (!run->lasts) return "for ever";
  return std::to_string(run->exit_code) + " after " +
         std::to_string(std::chrono::duration_cast<seconds>(*run->lasts).count());
}

TEST(Script, WhatItDoes) {
  struct Row {
    const char* text;
    const char* outcome;
  };
  const Row rows[] = {
      {"exit 0", "0 after 0"},
      {"exit 42", "42 after 0"},
      {"/bin/false", "1 after 0"},
      {"sleep 5; exit 3", "3 after 5"},
      {"echo a 'b c' && sleep 2", "0 after 2"},
      {"false && sleep 2", "1 after 0"},
      {"sleep infinity", "for ever"},
      {"trap exit TERM; while true; do sleep 1; done", "for ever"},
      {"if [ $N -ne 0 ]; then exit 1; else exit 0; fi", "1 after 0"},
      {"\n if [ $(expr ${N} % 2) -eq 1 ]\n then\n sleep 1\n exit 7\n fi\n exit 0\n", "7 after 1"},
      {"if [[ -r /data/$N ]]; then exit 0; fi; exit 9", "9 after 0"},
      {"if false; then if true; then exit 1; else exit 2; fi; else exit 3; fi", "3 after 0"},
      {"exit $UNSET", "unknown"},
      {"exit $(( $RANDOM / 16384 ))", "unknown"},
      {"curl http://a | sh", "unknown"},
      {"while sleep 1; do true; done", "unknown"},
      {"if true; exit 1", "unknown"},
      {"'open", "unknown"},
      {"$(", "unknown"},
  };
  for (const Row& row : rows) {
    ScriptWorld world;
    world.variables["N"] = "3";
    EXPECT_EQ(outcome(row.text, world), row.outcome) << row.text;
  }
}

TEST(Script, RemembersFiles) {
  ScriptWorld world;
  const char* text = "if [ -f /data/done ]; then exit 0; else touch /data/done; exit 1; fi";
  EXPECT_EQ(outcome(text, world), "1 after 0");
  EXPECT_EQ(outcome(text, world), "0 after 0");
}

TEST(ContainerFate, AnnotationsThenCommandThenRestartPolicy) {
  api::core::v1::Pod pod;
  pod.spec.restart_policy = "Never";
  api::core::v1::Container container;
  container.image = "registry/busybox:1";
  const Options options;
  const auto fate = [&](int32_t restarts = 0) { return foresee(pod, container, Role::kMain, restarts, options); };
  EXPECT_EQ(fate().lasts, options.run_time);
  container.image = "registry/pause:3.10";
  EXPECT_FALSE(fate().lasts) << "serves until it is stopped";
  container.command = {"/bin/sh", "-c"};
  container.args = {"if [[ -r /d/$I ]]; then sleep 4; else touch /d/$I; exit 5; fi"};
  container.env.resize(1);
  container.env[0].name = "I";
  container.env[0].value_from.ensure().field_ref.ensure().field_path = "metadata.annotations['index']";
  pod.metadata.annotations["index"] = "1";
  EXPECT_EQ(fate().exit_code, 5);
  EXPECT_EQ(fate(1).lasts, base::Duration(seconds(4)));
  pod.metadata.annotations[kRunSeconds] = "9";
  EXPECT_EQ(fate().lasts, base::Duration(seconds(9)));
}

}  // namespace
}  // namespace hollow
