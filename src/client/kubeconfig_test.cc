#include "client/kubeconfig.h"

#include <gtest/gtest.h>

#include <map>

#include "object/yaml.h"

namespace client {
namespace {

constexpr const char* kConfig = R"(apiVersion: v1
kind: Config
current-context: main
clusters:
- name: c1
  cluster: {server: "https://one:6443", certificate-authority-data: Q0E=, tls-server-name: other}
- name: c2
  cluster: {server: "https://two", certificate-authority: ca.crt, insecure-skip-tls-verify: true}
- name: none
  cluster: {}
users:
- name: inline
  user: {client-certificate-data: Q0VSVA==, client-key-data: S0VZ}
- name: files
  user: {client-certificate: u.crt, client-key: u.key, tokenFile: t, token: unused}
- name: half
  user: {client-certificate-data: Q0VSVA==}
- name: program
  user: {exec: {command: x}}
contexts:
- name: main
  context: {cluster: c1, user: inline, namespace: dev}
- name: second
  context: {cluster: c2, user: files}
- name: lost
  context: {cluster: gone, user: inline}
- name: program
  context: {cluster: c1, user: program}
- name: half
  context: {cluster: c1, user: half}
- name: none
  context: {cluster: none, user: inline}
)";

class KubeconfigTest : public testing::Test {
 protected:
  base::Result<Kubeconfig> read(std::string_view context = "") {
    return read_kubeconfig(kConfig, context, [this](const std::string& path) -> base::Result<std::string> {
      if (files_.contains(path)) return files_[path];
      return base::fail(base::Reason::kInvalid, "cannot read " + path);
    });
  }
  std::string error(std::string_view context) { return read(context).error().message; }

  std::map<std::string, std::string> files_{{"ca.crt", "CA2"}, {"u.crt", "CERT"}, {"u.key", "KEY"}, {"t", "tok\n"}};
};

TEST_F(KubeconfigTest, CurrentContextWithInlineData) {
  const auto config = read();
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->server, "https://one:6443");
  EXPECT_EQ(config->ns, "dev");
  EXPECT_EQ(config->options.connection.url, "https://one:6443");
  EXPECT_EQ(config->options.connection.tls.ca_pem, "CA");
  EXPECT_EQ(config->options.connection.tls.server_name, "other");
  EXPECT_EQ(config->options.credentials, (Credentials{"", "CERT", "KEY"}));
  EXPECT_FALSE(config->options.reload);
}

TEST_F(KubeconfigTest, FilesAreReadAgain) {
  const auto config = read("second");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->options.connection.tls.ca_pem, "CA2");
  EXPECT_EQ(config->options.connection.tls.verification, net::ServerVerification::kInsecure);
  EXPECT_EQ(config->options.credentials, (Credentials{"tok", "CERT", "KEY"}));
  ASSERT_TRUE(config->options.reload);
  files_["t"] = "new";
  EXPECT_EQ(config->options.reload()->bearer_token, "new");
}

TEST_F(KubeconfigTest, WhatIsMissingOrUnknownIsNamed) {
  EXPECT_EQ(error("nowhere"), "invalid configuration: context \"nowhere\" does not exist");
  EXPECT_EQ(error("lost"), "invalid configuration: cluster \"gone\" does not exist");
  EXPECT_EQ(error("half"), "invalid configuration: client-certificate and client-key come together");
  EXPECT_EQ(error("none"), "invalid configuration: cluster \"none\" has no server");
  EXPECT_NE(error("program").find("exec is not supported"), std::string::npos);
  files_.erase("ca.crt");
  EXPECT_EQ(error("second"), "cannot read ca.crt");
}

TEST_F(KubeconfigTest, ReadsWhatItWrites) {
  object::Object config;
  put_kubeconfig_entry(config, {"k", "https://h:1", "CA", "CERT", "KEY"});
  const auto read = read_kubeconfig(object::to_yaml(object::Value(config)), "", {});
  ASSERT_TRUE(read);
  EXPECT_EQ(read->server, "https://h:1");
  EXPECT_EQ(read->options.connection.tls.ca_pem, "CA");
  EXPECT_EQ(read->options.credentials, (Credentials{"", "CERT", "KEY"}));
}

}  // namespace
}  // namespace client
