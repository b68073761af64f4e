#include "apiserver/metrics.h"

#include <gtest/gtest.h>

#include "apiserver/testing.h"

namespace apiserver {
namespace {

class SilentWriter final : public net::ResponseWriter {
 public:
  void send(int, net::Headers, net::Body) override {}
  void start(int, net::Headers) override {}
  size_t write(net::Body) override { return 0; }
  void finish() override {}
  void abort() override {}
  size_t buffered() const override { return 0; }
  bool closed() const override { return false; }
  void on_drained(size_t, base::Task) override {}
  void on_closed(base::Task) override {}
};

TEST(ServerMetrics, CountsRequestsByWhatIsServedAndShowsTheStore) {
  testing::TestCore test;
  base::MetricsRegistry registry;
  ServerMetrics metrics(*test.core, registry, [] { return net::ServerStats(); });
  const auto request = [&](std::string method, std::string target) {
    net::Request made;
    made.method = std::move(method);
    made.target = std::move(target);
    return metrics.meter(made, std::make_shared<SilentWriter>());
  };
  request("GET", "/api/v1/namespaces/a/pods/p")->send(200, {}, "12345");
  auto watch = request("GET", "/api/v1/pods?watch=1");
  watch->start(200, {});
  request("GET", "/api/v1/nosuch/x")->send(404, {}, "");
  request("BREW", "/coffee")->send(405, {}, "");
  const std::string text = registry.show();
  const auto has = [&](const std::string& line) { return text.find(line + "\n") != std::string::npos; };
  EXPECT_TRUE(has(
      R"(apiserver_request_total{code="200",component="apiserver",dry_run="",group="",resource="pods",scope="resource",subresource="",verb="GET",version="v1"} 1)"));
  EXPECT_TRUE(has(
      R"(apiserver_request_total{code="404",component="apiserver",dry_run="",group="",resource="",scope="",subresource="",verb="GET",version=""} 1)"));
  EXPECT_TRUE(has(
      R"(apiserver_request_total{code="405",component="apiserver",dry_run="",group="",resource="",scope="",subresource="",verb="OTHER",version=""} 1)"));
  EXPECT_TRUE(has(
      R"(apiserver_longrunning_requests{component="apiserver",group="",resource="pods",scope="cluster",subresource="",verb="WATCH",version="v1"} 1)"));
  EXPECT_TRUE(has(
      R"(apiserver_response_sizes_sum{component="apiserver",group="",resource="pods",scope="resource",subresource="",verb="GET",version="v1"} 5)"));
  EXPECT_TRUE(has(R"(apiserver_storage_objects{resource="deployments.apps"} 0)"));
  watch.reset();
  EXPECT_NE(registry.show().find(R"(verb="WATCH",version="v1"} 0)"), std::string::npos);
}

}  // namespace
}  // namespace apiserver
