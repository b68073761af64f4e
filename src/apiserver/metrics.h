// The API server's metrics, with upstream's names: requests are counted where they enter and leave, the rest is read
// from its owner when somebody asks. Thread: any.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "apiserver/core.h"
#include "apiserver/paths.h"
#include "base/metrics.h"
#include "net/server.h"

namespace apiserver {

class ServerMetrics {
 public:
  // `core` and `registry` outlive it. `stats` reads the listener's counters.
  ServerMetrics(const Core& core, base::MetricsRegistry& registry, std::function<net::ServerStats()> stats);
  ~ServerMetrics();

  // A writer that passes everything on to `writer` and counts the request when it ends.
  std::shared_ptr<net::ResponseWriter> meter(const net::Request& request, std::shared_ptr<net::ResponseWriter> writer);

 private:
  class Writer;
  struct Series;
  const Core& core_;
  base::MetricsRegistry& registry_;
  std::unique_ptr<Series> series_;
};

// /metrics
void add_metrics_path(Paths& paths, base::MetricsRegistry& registry);

}  // namespace apiserver
