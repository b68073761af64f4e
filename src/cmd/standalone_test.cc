#include "cmd/standalone.h"

#include <gtest/gtest.h>

#include "cmd/health_server.h"
#include "net/client.h"

namespace cmd {
namespace {

TEST(ControllerEnabled, NamesWinOverTheStar) {
  EXPECT_TRUE(controller_enabled("job-controller", {"*"}));
  EXPECT_FALSE(controller_enabled("job-controller", {"*", "-job-controller"}));
  EXPECT_FALSE(controller_enabled("job-controller", {"-job", "*"})) << "the short name of old";
  EXPECT_TRUE(controller_enabled("job-controller", {"job-controller"}));
  EXPECT_FALSE(controller_enabled("deployment-controller", {"job-controller"}));
  EXPECT_FALSE(controller_enabled("job-controller", {}));
}

TEST(Standalone, WhatIsWrongIsSaidAtTheStart) {
  const auto start = [](StandaloneOptions options) {
    options.secure_port = 0;
    auto started = Standalone(StandaloneComponent::kScheduler, std::move(options)).start();
    return started ? "" : started.error().message;
  };
  EXPECT_EQ(start({.kubeconfig = "/no/such/file"}), "cannot read /no/such/file: No such file or directory");
  EXPECT_NE(start({}).find("no kubeconfig is named"), std::string::npos);
  EXPECT_NE(start({.master = "nonsense"}).find("is not a URL"), std::string::npos);
  EXPECT_NE(start({.master = "https://127.0.0.1:1", .lease_duration = "x"}).find("--leader-elect-lease-duration x"),
            std::string::npos);
  EXPECT_EQ(start({.master = "https://127.0.0.1:1", .renew_deadline = "20s"}),
            "leaseDuration must be greater than renewDeadline");
  EXPECT_EQ(start({.master = "https://127.0.0.1:1", .feature_gates = "NoSuch=true"}),
            "unrecognized feature gate: NoSuch");
  EXPECT_NE(start({.master = "https://127.0.0.1:1", .resource_lock = "endpoints"}).find("only \"leases\""),
            std::string::npos);
}

TEST(HealthServer, SaysHowItIs) {
  std::string problem;
  HealthServerOptions options;
  options.bind_address = "127.0.0.1";
  options.check = [&] { return problem; };
  const auto server = HealthServer::start(options, base::SystemClock()).value();
  net::ClientOptions client_options;
  client_options.url = "https://127.0.0.1:" + std::to_string(server->port());
  client_options.tls.verification = net::ServerVerification::kInsecure;
  const auto client = net::Client::create(client_options).value();
  const auto status = [&](const std::string& path) {
    net::ClientRequest request;
    request.target = path;
    return client->fetch(std::move(request))->status;
  };
  EXPECT_EQ(status("/healthz"), 200);
  EXPECT_EQ(status("/readyz"), 200);
  EXPECT_EQ(status("/metrics"), 404);
  problem = "late";
  EXPECT_EQ(status("/healthz"), 500);
}

}  // namespace
}  // namespace cmd
