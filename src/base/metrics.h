// Metrics in the text form that Prometheus reads. A registry is made by the composition root and handed down; there is
// no global one. A series is looked up once by its labels and then costs an atomic addition. Thread: any. A series
// lives as long as its registry.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/mutex.h"

namespace base {

// In the order in which they are shown.
using MetricLabels = std::vector<std::pair<std::string_view, std::string_view>>;

class Counter {
 public:
  void add(uint64_t count = 1) { value_.fetch_add(count, std::memory_order_relaxed); }
  uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_{0};
};

class Gauge {
 public:
  void set(int64_t value) { value_.store(value, std::memory_order_relaxed); }
  void add(int64_t difference) { value_.fetch_add(difference, std::memory_order_relaxed); }
  int64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<int64_t> value_{0};
};

class Histogram {
 public:
  // Upper bounds, ascending, without infinity; they outlive the histogram.
  explicit Histogram(const std::vector<double>& bounds) : bounds_(bounds), counts_(bounds.size() + 1) {}
  void observe(double value);
  uint64_t count() const;

 private:
  friend class MetricsRegistry;
  const std::vector<double>& bounds_;
  std::vector<std::atomic<uint64_t>> counts_;  // by bucket, the last is beyond all bounds
  std::atomic<double> sum_{0};
};

// The series of one metric, by their labels.
template <typename Series>
class MetricFamily {
 public:
  explicit MetricFamily(std::vector<double> bounds = {}) : bounds_(std::move(bounds)) {}
  Series& with(const MetricLabels& labels = {});

 private:
  friend class MetricsRegistry;
  const std::vector<double> bounds_;
  Mutex mutex_;
  std::map<std::string, std::unique_ptr<Series>, std::less<>> series_ GUARDED_BY(mutex_);
};

// What a collector writes while the metrics are shown.
class MetricsWriter {
 public:
  explicit MetricsWriter(std::string& out) : out_(out) {}
  // type: "counter" or "gauge". Then the samples.
  void family(std::string_view name, std::string_view help, std::string_view type);
  void sample(std::string_view name, const MetricLabels& labels, double value);

 private:
  std::string& out_;
};

class MetricsRegistry {
 public:
  // Made when first asked for; the same name always gives the same family.
  MetricFamily<Counter>& counters(std::string_view name, std::string_view help);
  MetricFamily<Gauge>& gauges(std::string_view name, std::string_view help);
  MetricFamily<Histogram>& histograms(std::string_view name, std::string_view help, std::vector<double> bounds);
  // For what is known elsewhere: called for each showing, without a lock of the registry.
  void add_collector(std::function<void(MetricsWriter&)> collector);

  std::string show();

 private:
  template <typename Series>
  struct Named {
    std::string help;
    std::unique_ptr<MetricFamily<Series>> family;
  };
  template <typename Series>
  using Families = std::map<std::string, Named<Series>, std::less<>>;
  template <typename Series>
  static MetricFamily<Series>& find(Families<Series>& families, std::string_view name, std::string_view help,
                                    std::vector<double> bounds);

  Mutex mutex_;
  Families<Counter> counters_ GUARDED_BY(mutex_);
  Families<Gauge> gauges_ GUARDED_BY(mutex_);
  Families<Histogram> histograms_ GUARDED_BY(mutex_);
  std::vector<std::function<void(MetricsWriter&)>> collectors_ GUARDED_BY(mutex_);
};

// Value of process_… metrics: CPU seconds, memory, files, start time.
void collect_process_metrics(MetricsWriter& writer);

}  // namespace base
