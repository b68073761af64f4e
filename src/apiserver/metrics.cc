#include "apiserver/metrics.h"

#include <chrono>
#include <set>

#include "apiserver/request_info.h"
#include "apiserver/respond.h"
#include "storage/keys.h"

namespace apiserver {
namespace {

// What the series of a request are told apart by. Only what is served becomes a label, so that the number of series is
// bounded whatever clients ask for.
struct RequestLabels {
  std::string verb, dry_run;
  std::string_view group, version, resource, subresource, scope;
  bool long_running = false;
  bool mutating = false;

  base::MetricLabels labels(bool with_dry_run) const {
    base::MetricLabels out{{"component", "apiserver"}};
    if (with_dry_run) out.emplace_back("dry_run", dry_run);
    out.insert(out.end(), {{"group", group},
                           {"resource", resource},
                           {"scope", scope},
                           {"subresource", subresource},
                           {"verb", verb},
                           {"version", version}});
    return out;
  }
};

std::string upper(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 32);
  }
  return out;
}

// Compat: the verbs of upstream's metrics are those of HTTP where they can be.
std::string verb_label(const RequestInfo& info, const net::Request& request) {
  if (!info.is_resource) {
    static constexpr std::string_view kMethods[] = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};
    for (std::string_view method : kMethods) {
      if (request.method == method) return std::string(method);
    }
    return "OTHER";
  }
  if (info.verb == "create") return "POST";
  if (info.verb == "update") return "PUT";
  if (info.verb == "patch" && request.header("content-type").starts_with("application/apply-patch")) return "APPLY";
  return upper(info.verb);
}

RequestLabels labels_of(const Core& core, const net::Request& request) {
  RequestLabels out;
  const Query query(request.query());
  const RequestInfo info = parse_request(request.method, request.path(), query);
  out.verb = verb_label(info, request);
  out.mutating = request.method != "GET" && request.method != "HEAD" && request.method != "OPTIONS";
  if (!info.is_resource) return out;
  const EndpointPtr endpoint = core.endpoints().lookup(info.group, info.version, info.resource, info.subresource);
  if (!endpoint) return out;
  const schema::Resource& resource = *endpoint->resource;
  out.group = resource.group;
  out.version = resource.version;
  out.resource = resource.name;
  out.subresource = resource.subresource;
  out.scope = !info.name.empty() || info.verb == "create" ? "resource" : !info.ns.empty() ? "namespace" : "cluster";
  out.dry_run = query.has("dryRun") ? "All" : "";
  out.long_running = info.verb == "watch";
  return out;
}

std::vector<double> request_bounds() {
  return {0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60};
}

void collect_store(const Core& core, base::MetricsWriter& writer) {
  const kv::SnapshotPtr snapshot = core.store().snapshot();
  std::vector<std::pair<const schema::Resource*, double>> counts;
  std::set<std::string_view> seen;  // versions of one resource have their objects in common
  for (const Endpoint* endpoint : core.endpoints().all()) {
    if (!endpoint->is_stored() || !seen.insert(endpoint->prefix()).second) continue;
    const std::string start = storage::range_start(endpoint->prefix(), "");
    counts.emplace_back(endpoint->resource, static_cast<double>(snapshot->count(start, kv::prefix_end(start))));
  }
  writer.family("apiserver_storage_objects", "Objects that are stored, by resource.", "gauge");
  for (const auto& [resource, count] : counts) {
    const std::string name = resource->group.empty() ? std::string(resource->name)
                                                     : std::string(resource->name) + "." + std::string(resource->group);
    writer.sample("apiserver_storage_objects", {{"resource", name}}, count);
  }
  writer.family("apiserver_resource_objects", "Objects that are stored, by group and resource.", "gauge");
  for (const auto& [resource, count] : counts) {
    writer.sample("apiserver_resource_objects", {{"group", resource->group}, {"resource", resource->name}}, count);
  }
  const kv::StoreStatus status = core.store().status();
  const auto one = [&](std::string_view name, std::string_view help, std::string_view type, double value) {
    writer.family(name, help, type);
    writer.sample(name, {}, value);
  };
  writer.family("apiserver_storage_size_bytes", "Bytes of the store's files.", "gauge");
  writer.sample("apiserver_storage_size_bytes", {{"storage_cluster_id", "embedded"}},
                static_cast<double>(status.disk_bytes));
  one("etcd_mvcc_db_total_size_in_bytes", "Bytes of the store's files.", "gauge",
      static_cast<double>(status.disk_bytes));
  one("etcd_mvcc_db_total_size_in_use_in_bytes", "Bytes of the keys and values of the newest state.", "gauge",
      static_cast<double>(status.live_bytes));
  one("etcd_debugging_mvcc_keys_total", "Keys of the newest state.", "gauge", static_cast<double>(status.keys));
  one("etcd_debugging_mvcc_current_revision", "The newest visible revision.", "gauge",
      static_cast<double>(status.revision));
  one("etcd_debugging_mvcc_compact_revision", "The revision before which history is gone.", "gauge",
      static_cast<double>(status.compacted_revision));
  one("etcd_debugging_mvcc_watcher_total", "Watches of the store.", "gauge", static_cast<double>(status.watches));
  one("etcd_debugging_mvcc_events_total", "Events that watches were given.", "counter",
      static_cast<double>(status.watch_events_total));
  one("etcd_mvcc_put_total", "Writes that were accepted.", "counter", static_cast<double>(status.writes_total));
  one("keelson_store_batches_total", "Batches that were made durable, with one sync each.", "counter",
      static_cast<double>(status.batches_total));
  one("keelson_store_last_sync_seconds", "Time of the last sync.", "gauge",
      static_cast<double>(status.last_sync_nanoseconds) / 1e9);
}

}  // namespace

struct ServerMetrics::Series {
  explicit Series(base::MetricsRegistry& registry)
      : requests(registry.counters("apiserver_request_total",
                                   "[STABLE] Requests that were answered, by verb, resource and code.")),
        durations(registry.histograms("apiserver_request_duration_seconds",
                                      "[STABLE] Time until requests were answered.", request_bounds())),
        sizes(registry.histograms("apiserver_response_sizes", "[STABLE] Bytes of answers to reads.",
                                  {1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9})),
        long_running(
            registry.gauges("apiserver_longrunning_requests", "[STABLE] Requests that stay open, such as watches.")),
        read_only(registry.gauges("apiserver_current_inflight_requests", "[STABLE] Requests that are being served.")
                      .with({{"request_kind", "readOnly"}})),
        mutating(registry.gauges("apiserver_current_inflight_requests", "").with({{"request_kind", "mutating"}})) {}
  base::MetricFamily<base::Counter>& requests;
  base::MetricFamily<base::Histogram>& durations;
  base::MetricFamily<base::Histogram>& sizes;
  base::MetricFamily<base::Gauge>& long_running;
  base::Gauge& read_only;
  base::Gauge& mutating;
};

class ServerMetrics::Writer final : public net::ResponseWriter {
 public:
  Writer(Series& series, const base::Clock& clock, RequestLabels labels, std::shared_ptr<net::ResponseWriter> inner)
      : series_(series), clock_(clock), labels_(std::move(labels)), inner_(std::move(inner)), began_(clock.mono_now()) {
    gauge().add(1);
  }
  ~Writer() override {
    gauge().add(-1);
    // A request that was never answered is answered with 500 by the session below.
    const std::string code = std::to_string(status_ == 0 ? 500 : status_);
    base::MetricLabels labels = labels_.labels(true);
    const double seconds = std::chrono::duration<double>(clock_.mono_now() - began_).count();
    if (!labels_.long_running) series_.durations.with(labels).observe(seconds);
    labels.insert(labels.begin(), {"code", code});
    series_.requests.with(labels).add();
    if (labels_.verb == "GET" || labels_.verb == "LIST")
      series_.sizes.with(labels_.labels(false)).observe(static_cast<double>(bytes_));
  }

  void send(int status, net::Headers headers, net::Body body) override {
    status_ = status;
    bytes_ += body.size();
    inner_->send(status, std::move(headers), std::move(body));
  }
  void start(int status, net::Headers headers) override {
    status_ = status;
    inner_->start(status, std::move(headers));
  }
  size_t write(net::Body chunk) override {
    bytes_ += chunk.size();
    return inner_->write(std::move(chunk));
  }
  size_t write_later(base::SharedBytes chunk) override {
    bytes_ += chunk.size();
    return inner_->write_later(std::move(chunk));
  }
  void flush() override { inner_->flush(); }
  // What a fanout writes is not counted: only lists and single objects have a metric of their size.
  std::shared_ptr<net::FanoutTarget> fanout_target() override { return inner_->fanout_target(); }
  void finish() override { inner_->finish(); }
  void abort() override { inner_->abort(); }
  size_t buffered() const override { return inner_->buffered(); }
  bool closed() const override { return inner_->closed(); }
  void on_drained(size_t low_water, base::Task callback) override {
    inner_->on_drained(low_water, std::move(callback));
  }
  void on_closed(base::Task callback) override { inner_->on_closed(std::move(callback)); }

 private:
  base::Gauge& gauge() {
    if (labels_.long_running) return series_.long_running.with(labels_.labels(false));
    return labels_.mutating ? series_.mutating : series_.read_only;
  }

  Series& series_;
  const base::Clock& clock_;
  const RequestLabels labels_;
  const std::shared_ptr<net::ResponseWriter> inner_;
  const base::MonoTime began_;
  int status_ = 0;
  size_t bytes_ = 0;
};

ServerMetrics::ServerMetrics(const Core& core, base::MetricsRegistry& registry, std::function<net::ServerStats()> stats)
    : core_(core), registry_(registry), series_(std::make_unique<Series>(registry)) {
  registry_.add_collector([&core](base::MetricsWriter& writer) { collect_store(core, writer); });
  registry_.add_collector([stats = std::move(stats)](base::MetricsWriter& writer) {
    const net::ServerStats now = stats();
    writer.family("apiserver_tls_handshake_errors_total", "Connections that failed before their first request.",
                  "counter");
    writer.sample("apiserver_tls_handshake_errors_total", {}, static_cast<double>(now.tls_handshake_errors));
    writer.family("keelson_connections_open", "Connections of clients.", "gauge");
    writer.sample("keelson_connections_open", {}, static_cast<double>(now.connections_open));
  });
  registry_.add_collector(base::collect_process_metrics);
  registry_.add_collector([&core](base::MetricsWriter& writer) { core.features().collect(writer); });
  registry_.add_collector([](base::MetricsWriter& writer) {
    writer.family("kubernetes_build_info", "The version of the API that is served.", "gauge");
    writer.sample("kubernetes_build_info",
                  {{"git_version", "v1.35.0+keelson"}, {"major", "1"}, {"minor", "35"}, {"platform", "linux/amd64"}},
                  1);
  });
}
ServerMetrics::~ServerMetrics() = default;

std::shared_ptr<net::ResponseWriter> ServerMetrics::meter(const net::Request& request,
                                                          std::shared_ptr<net::ResponseWriter> writer) {
  return std::make_shared<Writer>(*series_, core_.clock(), labels_of(core_, request), std::move(writer));
}

void add_metrics_path(Paths& paths, base::MetricsRegistry& registry) {
  paths.add("/metrics", [&registry](RequestContext& context) {
    send_body(context, 200, "text/plain; version=0.0.4; charset=utf-8; escaping=underscores", registry.show());
  });
}

}  // namespace apiserver
