#include <gtest/gtest.h>

#include "admission/plugins/plugins.h"
#include "admission/testing.h"

namespace admission {
namespace {

using testing::Request;
using testing::World;

World accounts() {
  World world;
  const auto put = [&](std::string_view json) { world.put("core.v1 ServiceAccount", "", "serviceaccounts", json); };
  put(R"({"metadata":{"name":"default","namespace":"n"}})");
  put(R"({"metadata":{"name":"noauto","namespace":"n"},"automountServiceAccountToken":false,
          "imagePullSecrets":[{"name":"pull"}]})");
  put(R"({"metadata":{"name":"strict","namespace":"n","annotations":{"kubernetes.io/enforce-mountable-secrets":"true"}},
          "secrets":[{"name":"mine"}],"automountServiceAccountToken":false})");
  return world;
}

std::string pod(const std::string& spec, const std::string& meta = "") {
  return R"({"metadata":{"name":"p","namespace":"n")" + meta + R"(},"spec":{)" + spec + "}}";
}
const std::string kContainer = R"("containers":[{"name":"c","image":"i"}])";

TEST(ServiceAccount, DefaultAccountAndToken) {
  auto plugin = make_service_account();
  const World world = accounts();
  Request request(Operation::kCreate, "pods", "core.v1 Pod", "n",
                  pod(R"("initContainers":[{"name":"i"}],)" + kContainer));
  ASSERT_EQ(request.run(*plugin, world), "");
  EXPECT_EQ(request.at("spec.serviceAccountName"), "\"default\"");
  EXPECT_EQ(request.at("spec.serviceAccount"), "\"default\"");
  const std::string volumes = request.at("spec.volumes");
  const size_t at = volumes.find("kube-api-access-");
  ASSERT_NE(at, std::string::npos) << volumes;
  const std::string name = volumes.substr(at, 21);
  EXPECT_EQ(name.find_first_not_of("bcdfghjklmnpqrstvwxz2456789", 16), std::string::npos) << name;
  EXPECT_EQ(volumes,
            R"([{"name":")" + name +
                R"(","projected":{"sources":[{"serviceAccountToken":{"expirationSeconds":3607,"path":"token"}},)"
                R"({"configMap":{"name":"kube-root-ca.crt","items":[{"key":"ca.crt","path":"ca.crt"}]}},)"
                R"({"downwardAPI":{"items":[{"path":"namespace","fieldRef":{"apiVersion":"v1",)"
                R"("fieldPath":"metadata.namespace"}}]}}],)"
                R"("defaultMode":420}}])");
  const std::string mounts = R"("volumeMounts":[{"name":")" + name +
                             R"(","readOnly":true,"mountPath":"/var/run/secrets/kubernetes.io/serviceaccount"}])";
  EXPECT_NE(request.at("spec.containers").find(mounts), std::string::npos) << request.at("spec.containers");
  EXPECT_NE(request.at("spec.initContainers").find(mounts), std::string::npos);
}

TEST(ServiceAccount, WhoMountsWhat) {
  struct Case {
    std::string spec;
    std::string_view account;
    bool mounted;
    std::string_view pull;
  };
  const Case cases[] = {
      {kContainer + R"(,"automountServiceAccountToken":false)", "\"default\"", false, ""},
      {kContainer + R"(,"serviceAccountName":"noauto")", "\"noauto\"", false, R"([{"name":"pull"}])"},
      {kContainer + R"(,"serviceAccount":"noauto")", "\"noauto\"", false, R"([{"name":"pull"}])"},
      {kContainer + R"(,"serviceAccountName":"noauto","automountServiceAccountToken":true)", "\"noauto\"", true,
       R"([{"name":"pull"}])"},
      {kContainer + R"(,"serviceAccountName":"noauto","imagePullSecrets":[{"name":"own"}])", "\"noauto\"", false,
       R"([{"name":"own"}])"},
      {R"("containers":[{"name":"c","volumeMounts":[{"name":"v",)"
       R"("mountPath":"/var/run/secrets/kubernetes.io/serviceaccount"}]}])",
       "\"default\"", false, ""},
  };
  auto plugin = make_service_account();
  const World world = accounts();
  for (const Case& c : cases) {
    Request request(Operation::kCreate, "pods", "core.v1 Pod", "n", pod(c.spec));
    EXPECT_EQ(request.run(*plugin, world), "") << c.spec;
    EXPECT_EQ(request.at("spec.serviceAccountName"), c.account) << c.spec;
    EXPECT_EQ(request.at("spec.serviceAccount"), c.account) << c.spec;
    EXPECT_EQ(request.at("spec.volumes").contains("kube-api-access-"), c.mounted) << c.spec;
    EXPECT_EQ(request.at("spec.containers").contains("kube-api-access-"), c.mounted) << c.spec;
    EXPECT_EQ(request.at("spec.imagePullSecrets"), c.pull) << c.spec;
  }
}

TEST(ServiceAccount, Refusals) {
  const std::string mirror = R"(,"annotations":{"kubernetes.io/config.mirror":"h"})";
  const std::string forbidden = "pods \"p\" is forbidden: ";
  const std::string strict = R"(,"serviceAccountName":"strict")";
  const std::string why = " is not allowed because service account strict does not reference that ";
  const std::pair<std::string, std::string> cases[] = {
      {pod(kContainer + R"(,"serviceAccountName":"missing")"),
       forbidden + "error looking up service account n/missing: serviceaccount \"missing\" not found"},
      {pod(kContainer, mirror), ""},
      {pod(kContainer + R"(,"serviceAccountName":"default")", mirror),
       forbidden + "a mirror pod may not reference service accounts"},
      {pod(kContainer + R"(,"volumes":[{"name":"v","secret":{"secretName":"s"}}])", mirror),
       forbidden + "a mirror pod may not reference secrets"},
      {pod(kContainer + R"(,"volumes":[{"name":"v","projected":{"sources":[{"serviceAccountToken":{"path":"t"}}]}}])",
           mirror),
       forbidden + "a mirror pod may not use ServiceAccountToken volume projections"},
      {pod(kContainer + strict + R"(,"volumes":[{"name":"v","secret":{"secretName":"mine"}}])"), ""},
      {pod(kContainer + strict + R"(,"volumes":[{"name":"v","secret":{"secretName":"other"}}])"),
       forbidden + "volume with secret.secretName=\"other\"" + why + "secret"},
      {pod(R"("containers":[{"name":"c","env":[{"name":"E","valueFrom":{"secretKeyRef":{"name":"other",)"
           R"("key":"k"}}}]}])" +
           strict),
       forbidden + "container c with envVar E referencing secret.secretName=\"other\"" + why + "secret"},
      {pod(R"("initContainers":[{"name":"i","envFrom":[{"secretRef":{"name":"other"}}]}],)" + kContainer + strict),
       forbidden + "init container i with envFrom referencing secret.secretName=\"other\"" + why + "secret"},
      {pod(kContainer + strict + R"(,"imagePullSecrets":[{"name":"x"}])"),
       forbidden + "imagePullSecret.secretName=\"x\"" + why + "imagePullSecret"},
  };
  auto plugin = make_service_account();
  const World world = accounts();
  for (const auto& [json, refusal] : cases) {
    Request request(Operation::kCreate, "pods", "core.v1 Pod", "n", json);
    EXPECT_EQ(request.run(*plugin, world), refusal) << json;
  }
}

TEST(ServiceAccount, MirrorPodsStayAsTheyAre) {
  auto plugin = make_service_account();
  const std::string json = pod(kContainer, R"(,"annotations":{"kubernetes.io/config.mirror":"h"})");
  Request request(Operation::kCreate, "pods", "core.v1 Pod", "n", json);
  const std::string before = request.json();
  EXPECT_EQ(request.run(*plugin, accounts()), "");
  EXPECT_EQ(request.json(), before);
}

}  // namespace
}  // namespace admission
