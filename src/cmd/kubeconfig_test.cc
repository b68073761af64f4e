#include "cmd/kubeconfig.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "cmd/flags.h"
#include "object/yaml.h"

namespace cmd {
namespace {

std::string read(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(Kubeconfig, MergeKeepsWhatIsThere) {
  const std::string path = testing::TempDir() + "/kubeconfig-merge";
  std::ofstream(path) << "apiVersion: v1\nkind: Config\nclusters:\n- name: other\n  cluster: {server: https://x}\n"
                         "contexts: []\nusers: []\ncurrent-context: other\nextensions: kept\n";
  ASSERT_TRUE(merge_kubeconfig(path, {"keelson", "https://127.0.0.1:1", "CA", "CERT", "KEY"}));
  ASSERT_TRUE(merge_kubeconfig(path, {"keelson", "https://127.0.0.1:2", "CA", "CERT", "KEY"}));
  auto config = object::parse_yaml(read(path));
  ASSERT_TRUE(config);
  EXPECT_EQ(config->string_at({"extensions"}), "kept");
  EXPECT_EQ(config->string_at({"current-context"}), "keelson");
  const object::Array& clusters = *config->find("clusters")->array_if();
  ASSERT_EQ(clusters.size(), 2U);
  EXPECT_EQ(clusters[0].string_at({"name"}), "other");
  EXPECT_EQ(clusters[1].string_at({"cluster", "server"}), "https://127.0.0.1:2");
  EXPECT_EQ(std::filesystem::status(path).permissions() & std::filesystem::perms::others_read,
            std::filesystem::perms::none);
}

TEST(Kubeconfig, WhatIsNoKubeconfigIsLeftAlone) {
  const std::string path = testing::TempDir() + "/kubeconfig-list";
  std::ofstream(path) << "- a\n- b\n";
  EXPECT_FALSE(merge_kubeconfig(path, {"keelson", "https://x", "", "", ""}));
  EXPECT_EQ(read(path), "- a\n- b\n");
}

TEST(Flags, KnownOnesPassUnknownOnesAreNamed) {
  EXPECT_TRUE(check_leftover(kube_apiserver_flags(), {"--authorization-mode", "Node,RBAC", "--profiling"}));
  auto refused = check_leftover(kube_apiserver_flags(), {"--no-such-flag=1"});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, "unknown flag: --no-such-flag");
}

}  // namespace
}  // namespace cmd
