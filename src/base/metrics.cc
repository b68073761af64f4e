#include "base/metrics.h"

#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstring>

namespace base {
namespace {

void append_number(std::string& out, double value) {
  char text[32];
  const auto end = std::to_chars(text, text + sizeof text, value);
  out.append(text, end.ptr);
}

void append_escaped(std::string& out, std::string_view text) {
  for (char c : text) {
    if (c == '\\' || c == '"') out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
}

std::string label_text(const MetricLabels& labels) {
  std::string out;
  for (const auto& [name, value] : labels) {
    if (!out.empty()) out += ',';
    out += name;
    out += "=\"";
    append_escaped(out, value);
    out += '"';
  }
  return out;
}

void head(std::string& out, std::string_view name, std::string_view help, std::string_view type) {
  out += "# HELP ";
  out += name;
  out += ' ';
  out += help;
  out += "\n# TYPE ";
  out += name;
  out += ' ';
  out += type;
  out += '\n';
}

void line(std::string& out, std::string_view name, std::string_view suffix, std::string_view labels, double value) {
  out += name;
  out += suffix;
  if (!labels.empty()) {
    out += '{';
    out += labels;
    out += '}';
  }
  out += ' ';
  append_number(out, value);
  out += '\n';
}

}  // namespace

void Histogram::observe(double value) {
  const size_t bucket = static_cast<size_t>(std::ranges::lower_bound(bounds_, value) - bounds_.begin());
  counts_[bucket].fetch_add(1, std::memory_order_relaxed);
  double sum = sum_.load(std::memory_order_relaxed);
  while (!sum_.compare_exchange_weak(sum, sum + value, std::memory_order_relaxed)) {
  }
}

uint64_t Histogram::count() const {
  uint64_t total = 0;
  for (const auto& count : counts_) total += count.load(std::memory_order_relaxed);
  return total;
}

template <typename Series>
Series& MetricFamily<Series>::with(const MetricLabels& labels) {
  const std::string text = label_text(labels);
  MutexLock lock(mutex_);
  std::unique_ptr<Series>& series = series_[text];
  if (!series) {
    if constexpr (std::is_same_v<Series, Histogram>) {
      series = std::make_unique<Series>(bounds_);
    } else {
      series = std::make_unique<Series>();
    }
  }
  return *series;
}
template class MetricFamily<Counter>;
template class MetricFamily<Gauge>;
template class MetricFamily<Histogram>;

void MetricsWriter::family(std::string_view name, std::string_view help, std::string_view type) {
  head(out_, name, help, type);
}
void MetricsWriter::sample(std::string_view name, const MetricLabels& labels, double value) {
  line(out_, name, "", label_text(labels), value);
}

template <typename Series>
MetricFamily<Series>& MetricsRegistry::find(Families<Series>& families, std::string_view name, std::string_view help,
                                            std::vector<double> bounds) {
  auto found = families.find(name);
  if (found == families.end()) {
    Named<Series> made{std::string(help), std::make_unique<MetricFamily<Series>>(std::move(bounds))};
    found = families.emplace(std::string(name), std::move(made)).first;
  }
  return *found->second.family;
}

MetricFamily<Counter>& MetricsRegistry::counters(std::string_view name, std::string_view help) {
  MutexLock lock(mutex_);
  return find(counters_, name, help, {});
}
MetricFamily<Gauge>& MetricsRegistry::gauges(std::string_view name, std::string_view help) {
  MutexLock lock(mutex_);
  return find(gauges_, name, help, {});
}
MetricFamily<Histogram>& MetricsRegistry::histograms(std::string_view name, std::string_view help,
                                                     std::vector<double> bounds) {
  MutexLock lock(mutex_);
  return find(histograms_, name, help, std::move(bounds));
}
void MetricsRegistry::add_collector(std::function<void(MetricsWriter&)> collector) {
  MutexLock lock(mutex_);
  collectors_.push_back(std::move(collector));
}

std::string MetricsRegistry::show() {
  std::string out;
  std::vector<std::function<void(MetricsWriter&)>> collectors;
  {
    MutexLock lock(mutex_);
    collectors = collectors_;
    for (auto& [name, named] : counters_) {
      head(out, name, named.help, "counter");
      MutexLock family_lock(named.family->mutex_);
      for (const auto& [labels, series] : named.family->series_)
        line(out, name, "", labels, static_cast<double>(series->value()));
    }
    for (auto& [name, named] : gauges_) {
      head(out, name, named.help, "gauge");
      MutexLock family_lock(named.family->mutex_);
      for (const auto& [labels, series] : named.family->series_)
        line(out, name, "", labels, static_cast<double>(series->value()));
    }
    for (auto& [name, named] : histograms_) {
      head(out, name, named.help, "histogram");
      MutexLock family_lock(named.family->mutex_);
      for (const auto& [labels, series] : named.family->series_) {
        const std::string prefix = labels.empty() ? "" : labels + ",";
        uint64_t total = 0;
        for (size_t i = 0; i < series->counts_.size(); ++i) {
          total += series->counts_[i].load(std::memory_order_relaxed);
          std::string bound = "+Inf";
          if (i < series->bounds_.size()) {
            bound.clear();
            append_number(bound, series->bounds_[i]);
          }
          line(out, name, "_bucket", prefix + "le=\"" + bound + "\"", static_cast<double>(total));
        }
        line(out, name, "_sum", labels, series->sum_.load(std::memory_order_relaxed));
        line(out, name, "_count", labels, static_cast<double>(total));
      }
    }
  }
  MetricsWriter writer(out);
  for (const auto& collector : collectors) collector(writer);
  return out;
}

void collect_process_metrics(MetricsWriter& writer) {
  const auto one = [&](std::string_view name, std::string_view help, std::string_view type, double value) {
    writer.family(name, help, type);
    writer.sample(name, {}, value);
  };
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  one("process_cpu_seconds_total", "CPU time of the process, in user and system mode.", "counter",
      seconds(usage.ru_utime) + seconds(usage.ru_stime));
  unsigned long pages = 0, resident = 0;
  if (FILE* file = std::fopen("/proc/self/statm", "r")) {
    if (std::fscanf(file, "%lu %lu", &pages, &resident) != 2) pages = resident = 0;
    std::fclose(file);
  }
  const double page = static_cast<double>(sysconf(_SC_PAGESIZE));
  one("process_virtual_memory_bytes", "Address space of the process.", "gauge", static_cast<double>(pages) * page);
  one("process_resident_memory_bytes", "Memory of the process that is in RAM.", "gauge",
      static_cast<double>(resident) * page);
  int open_files = 0;
  if (DIR* directory = opendir("/proc/self/fd")) {
    while (readdir(directory)) ++open_files;
    closedir(directory);
  }
  one("process_open_fds", "Open file descriptors.", "gauge", std::max(0, open_files - 3));
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  one("process_max_fds", "File descriptors that may be open.", "gauge", static_cast<double>(limit.rlim_cur));
  // Field 22 of stat: ticks after boot; the boot time is in /proc/stat.
  double start = 0;
  char text[4096];
  if (FILE* file = std::fopen("/proc/self/stat", "r")) {
    const size_t size = std::fread(text, 1, sizeof text - 1, file);
    std::fclose(file);
    text[size] = '\0';
    const char* at = std::strrchr(text, ')');
    unsigned long long ticks = 0;
    if (at && std::sscanf(at + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu",
                          &ticks) == 1) {
      start = static_cast<double>(ticks) / static_cast<double>(sysconf(_SC_CLK_TCK));
    }
  }
  if (FILE* file = std::fopen("/proc/stat", "r")) {
    unsigned long long boot = 0;
    while (std::fgets(text, sizeof text, file)) {
      if (std::sscanf(text, "btime %llu", &boot) == 1) start += static_cast<double>(boot);
    }
    std::fclose(file);
  }
  one("process_start_time_seconds", "When the process began, since 1970.", "gauge", start);
}

}  // namespace base
