#include <gtest/gtest.h>

#include "admission/plugins/plugins.h"
#include "admission/testing.h"

namespace admission {
namespace {

using testing::Request;
using testing::World;

struct Case {
  Operation operation;
  std::string_view resource, type, ns, name, refusal;
};

TEST(NamespaceLifecycle, Table) {
  const World world = std::move(World().ns("a").ns("gone", "{}", "Terminating"));
  constexpr std::string_view kConfigMap = "core.v1 ConfigMap", kNamespace = "core.v1 Namespace";
  const Case cases[] = {
      {Operation::kCreate, "configmaps", kConfigMap, "a", "x", ""},
      {Operation::kCreate, "configmaps", kConfigMap, "nosuch", "x", "namespaces \"nosuch\" not found"},
      {Operation::kUpdate, "configmaps", kConfigMap, "nosuch", "x", "namespaces \"nosuch\" not found"},
      {Operation::kDelete, "configmaps", kConfigMap, "nosuch", "x", ""},
      {Operation::kCreate, "configmaps", kConfigMap, "gone", "late",
       "configmaps \"late\" is forbidden: unable to create new content in namespace gone because it is being "
       "terminated"},
      {Operation::kUpdate, "configmaps", kConfigMap, "gone", "late", ""},
      {Operation::kDelete, "configmaps", kConfigMap, "gone", "late", ""},
      {Operation::kCreate, "nodes", "core.v1 Node", "", "n", ""},
      {Operation::kCreate, "namespaces", kNamespace, "new", "new", ""},
      {Operation::kDelete, "namespaces", kNamespace, "a", "a", ""},
      {Operation::kDelete, "namespaces", kNamespace, "default", "default",
       "namespaces \"default\" is forbidden: this namespace may not be deleted"},
      {Operation::kDelete, "namespaces", kNamespace, "kube-system", "kube-system",
       "namespaces \"kube-system\" is forbidden: this namespace may not be deleted"},
      {Operation::kDelete, "namespaces", kNamespace, "kube-public", "kube-public",
       "namespaces \"kube-public\" is forbidden: this namespace may not be deleted"},
      {Operation::kDelete, "namespaces", kNamespace, "kube-node-lease", "kube-node-lease", ""},
      {Operation::kUpdate, "namespaces", kNamespace, "default", "default", ""},
  };
  auto plugin = make_namespace_lifecycle();
  for (const Case& c : cases) {
    const std::string json = R"({"metadata":{"name":")" + std::string(c.name) + "\"}}";
    const bool deleted = c.operation == Operation::kDelete;
    Request request(c.operation, c.resource, c.type, c.ns, deleted ? "" : json, deleted ? json : "");
    EXPECT_EQ(request.run(*plugin, world), c.refusal) << c.resource << " " << c.ns << "/" << c.name;
  }
}

TEST(NamespaceLifecycle, Reasons) {
  const World world = std::move(World().ns("gone", "{}", "Terminating"));
  auto plugin = make_namespace_lifecycle();
  Request missing(Operation::kCreate, "pods", "core.v1 Pod", "nosuch", R"({"metadata":{"name":"x"}})");
  EXPECT_NE(missing.run(*plugin, world), "");
  EXPECT_EQ(missing.error.reason, base::Reason::kNotFound);
  EXPECT_EQ(missing.error.details->kind, "namespaces");
  EXPECT_EQ(missing.error.details->name, "nosuch");
  Request late(Operation::kCreate, "pods", "core.v1 Pod", "gone", R"({"metadata":{"name":"x"}})");
  EXPECT_NE(late.run(*plugin, world), "");
  EXPECT_EQ(late.error.reason, base::Reason::kForbidden);
  ASSERT_EQ(late.error.details->causes.size(), 1U);
  EXPECT_EQ(late.error.details->causes[0].reason, "NamespaceTerminating");
  EXPECT_EQ(late.error.details->causes[0].message, "namespace gone is being terminated");
  EXPECT_EQ(late.error.details->causes[0].field, "metadata.namespace");
}

}  // namespace
}  // namespace admission
