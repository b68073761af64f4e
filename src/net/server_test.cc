#include "net/server.h"

#include <gtest/gtest.h>

TEST(Server, PortInUseIsNamed) {
  struct NoHandler : net::Handler {
    void handle(std::shared_ptr<net::Request>, std::shared_ptr<net::ResponseWriter>) override {}
  };
  net::ServerOptions options{.handler = std::make_shared<NoHandler>()};
  net::Server first(options);
  options.port = first.start().value();
  net::Server second(options);
  const auto refused = second.start();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message,
            "cannot listen on 127.0.0.1:" + std::to_string(options.port) + ": the address is already in use");
}
