#include "base/metrics.h"

#include <gtest/gtest.h>

namespace base {
namespace {

TEST(Metrics, ShowsCountersGaugesAndHistogramsAsPrometheusReadsThem) {
  MetricsRegistry registry;
  registry.counters("requests_total", "Requests.").with({{"code", "200"}, {"verb", "GET"}}).add(3);
  registry.counters("requests_total", "Requests.").with({{"code", "200"}, {"verb", "GET"}}).add();
  registry.gauges("depth", "Depth.").with().set(-2);
  Histogram& histogram = registry.histograms("seconds", "Time.", {0.1, 1}).with({{"a", "b\"c\\"}});
  histogram.observe(0.1);  // a bound belongs to its bucket
  histogram.observe(0.5);
  histogram.observe(7);
  registry.add_collector([](MetricsWriter& writer) {
    writer.family("keys", "Keys.", "gauge");
    writer.sample("keys", {{"resource", "pods"}}, 12345678);
  });
  EXPECT_EQ(
      registry.show(),
      "# HELP requests_total Requests.\n# TYPE requests_total counter\nrequests_total{code=\"200\",verb=\"GET\"} 4\n"
      "# HELP depth Depth.\n# TYPE depth gauge\ndepth -2\n"
      "# HELP seconds Time.\n# TYPE seconds histogram\n"
      "seconds_bucket{a=\"b\\\"c\\\\\",le=\"0.1\"} 1\nseconds_bucket{a=\"b\\\"c\\\\\",le=\"1\"} 2\n"
      "seconds_bucket{a=\"b\\\"c\\\\\",le=\"+Inf\"} 3\nseconds_sum{a=\"b\\\"c\\\\\"} "
      "7.6\nseconds_count{a=\"b\\\"c\\\\\"} 3\n"
      "# HELP keys Keys.\n# TYPE keys gauge\nkeys{resource=\"pods\"} 12345678\n");
  EXPECT_EQ(histogram.count(), 3u);
}

TEST(Metrics, ProcessHasCpuMemoryAndFiles) {
  MetricsRegistry registry;
  registry.add_collector(collect_process_metrics);
  const std::string text = registry.show();
  for (const char* name : {"process_cpu_seconds_total ", "process_resident_memory_bytes ", "process_open_fds ",
                           "process_start_time_seconds "}) {
    EXPECT_NE(text.find(std::string("\n") + name), std::string::npos) << name;
  }
  EXPECT_EQ(text.find("process_start_time_seconds 0\n"), std::string::npos);
}

}  // namespace
}  // namespace base
