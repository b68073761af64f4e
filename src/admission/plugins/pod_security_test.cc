#include <gtest/gtest.h>

#include "admission/plugins/plugins.h"
#include "admission/plugins/pod_security_checks.h"
#include "admission/testing.h"

namespace admission {
namespace {

using pod_security::evaluate;
using pod_security::Level;
using pod_security::LevelVersion;
using testing::Request;
using testing::World;

const std::string kUnsafe =
    "allowPrivilegeEscalation != false (container \"c\" must set securityContext.allowPrivilegeEscalation=false), "
    "unrestricted capabilities (container \"c\" must set securityContext.capabilities.drop=[\"ALL\"]), "
    "runAsNonRoot != true (pod or container \"c\" must set securityContext.runAsNonRoot=true), "
    "seccompProfile (pod or container \"c\" must set securityContext.seccompProfile.type to \"RuntimeDefault\" or "
    "\"Localhost\")";

std::string pod(const std::string& spec, const std::string& container = "", const std::string& meta = "") {
  return R"({"metadata":{"name":"p","namespace":"n")" + meta + R"(},"spec":{"containers":[{"name":"c")" +
         (container.empty() ? "" : "," + container) + "}]" + (spec.empty() ? "" : "," + spec) + "}}";
}
std::string secure(const std::string& container) { return R"("securityContext":{)" + container + "}"; }

std::string found(const LevelVersion& policy, const std::string& json) {
  auto object = testing::make(gen::message_of<api::core::v1::Pod>(), json);
  const auto& pod = object.as<api::core::v1::Pod>();
  return with_details(evaluate(policy, pod.metadata, pod.spec));
}

struct Case {
  std::string json, violation;
  int minor = pod_security::kLatest;
};

TEST(PodSecurity, Baseline) {
  const Case cases[] = {
      {pod(""), ""},
      {pod(R"("hostNetwork":true)"), "host namespaces (hostNetwork=true)"},
      {pod(R"("hostPID":true,"hostIPC":true)"), "host namespaces (hostPID=true, hostIPC=true)"},
      {pod("", secure(R"("privileged":true)")),
       "privileged (container \"c\" must not set securityContext.privileged=true)"},
      {pod("", secure(R"("capabilities":{"add":["SYS_ADMIN","CHOWN"]})")),
       "non-default capabilities (container \"c\" must not include \"SYS_ADMIN\" in securityContext.capabilities.add)"},
      {pod(R"("volumes":[{"name":"h","hostPath":{"path":"/"}}])"), "hostPath volumes (volume \"h\")"},
      {pod("", R"("ports":[{"containerPort":1,"hostPort":1}])"), "hostPort (container \"c\" uses hostPort 1)"},
      {pod(R"("initContainers":[{"name":"i","ports":[{"hostPort":3}]}])", R"("ports":[{"hostPort":1}])"),
       "hostPort (containers \"i\", \"c\" use hostPorts 1, 3)"},
      {pod(secure(R"("seccompProfile":{"type":"Unconfined"})")),
       "seccompProfile (pod must not set securityContext.seccompProfile.type to \"Unconfined\")"},
      {pod(secure(R"("sysctls":[{"name":"kernel.msgmax","value":"1"},{"name":"net.ipv4.tcp_rmem","value":"1"}])")),
       "forbidden sysctls (kernel.msgmax)"},
      {pod(secure(R"("sysctls":[{"name":"net.ipv4.tcp_rmem","value":"1"}])")), "forbidden sysctls (net.ipv4.tcp_rmem)",
       31},
      {pod(secure(R"("seLinuxOptions":{"type":"x","user":"u"})")),
       "seLinuxOptions (pod set forbidden securityContext.seLinuxOptions: type \"x\"; user may not be set)"},
      {pod(secure(R"("seLinuxOptions":{"type":"container_engine_t"})")), ""},
      {pod(secure(R"("seLinuxOptions":{"type":"container_engine_t"})")),
       "seLinuxOptions (pod set forbidden securityContext.seLinuxOptions: type \"container_engine_t\")", 30},
      {pod("", secure(R"("appArmorProfile":{"type":"Unconfined"})"),
           R"(,"annotations":{"container.apparmor.security.beta.kubernetes.io/c":"unconfined"})"),
       "forbidden AppArmor profiles (container \"c\" and annotation must not set AppArmor profile type to "
       "\"Unconfined\", "
       "\"container.apparmor.security.beta.kubernetes.io/c=\"unconfined\"\")"},
      {pod("", secure(R"("procMount":"Unmasked")")),
       "procMount (container \"c\" must not set securityContext.procMount to \"Unmasked\")"},
      {pod(R"("hostUsers":false)", secure(R"("procMount":"Unmasked")")), ""},
      {pod(R"("hostUsers":false)", secure(R"("procMount":"Unmasked")")),
       "procMount (container \"c\" must not set securityContext.procMount to \"Unmasked\")", 34},
      {pod(secure(R"("windowsOptions":{"hostProcess":true})"), secure(R"("windowsOptions":{"hostProcess":true})")),
       "hostProcess (pod and container \"c\" must not set securityContext.windowsOptions.hostProcess=true)"},
      {pod("", R"("livenessProbe":{"httpGet":{"host":"h","port":1}},)"
               R"("lifecycle":{"preStop":{"tcpSocket":{"host":"g","port":1}}})"),
       "probe or lifecycle host (container \"c\" uses probe or lifecycle hosts \"g\", \"h\")"},
      {pod("", R"("livenessProbe":{"httpGet":{"host":"h","port":1}})"), "", 33},
      {pod("", "", R"(,"annotations":{"seccomp.security.alpha.kubernetes.io/pod":"unconfined"})"),
       "seccompProfile (forbidden annotation seccomp.security.alpha.kubernetes.io/pod=\"unconfined\")", 18},
  };
  for (const Case& c : cases) EXPECT_EQ(found({Level::kBaseline, c.minor}, c.json), c.violation) << c.json;
}

const std::string kSafe = R"("allowPrivilegeEscalation":false,"capabilities":{"drop":["ALL"]})";
const std::string kSafePod = secure(R"("runAsNonRoot":true,"seccompProfile":{"type":"RuntimeDefault"})");

TEST(PodSecurity, Restricted) {
  const Case cases[] = {
      {pod(""), kUnsafe},
      {pod(kSafePod, secure(kSafe)), ""},
      {pod(kSafePod +
               R"(,"volumes":[{"name":"n","nfs":{"server":"s","path":"/p"}},{"name":"h","hostPath":{"path":"/"}}])",
           secure(kSafe)),
       "restricted volume types (volumes \"n\", \"h\" use restricted volume types \"hostPath\", \"nfs\")"},
      {pod(kSafePod, secure(R"("allowPrivilegeEscalation":false,"capabilities":{"drop":["ALL"],"add":["CHOWN",)"
                            R"("NET_BIND_SERVICE"]})")),
       "unrestricted capabilities (container \"c\" must not include \"CHOWN\" in securityContext.capabilities.add)"},
      {pod(kSafePod, secure(kSafe + R"(,"runAsNonRoot":false)")),
       "runAsNonRoot != true (container \"c\" must not set securityContext.runAsNonRoot=false)"},
      {pod(kSafePod, secure(kSafe + R"(,"runAsUser":0)")), "runAsUser=0 (container \"c\" must not set runAsUser=0)"},
      {pod(kSafePod + R"(,"hostUsers":false)", secure(kSafe + R"(,"runAsUser":0)")), ""},
      {pod(kSafePod, secure(kSafe + R"(,"runAsUser":0)")), "", 22},
      {pod(kSafePod, secure(kSafe + R"(,"seccompProfile":{"type":"Unconfined"})")),
       "seccompProfile (container \"c\" must not set securityContext.seccompProfile.type to \"Unconfined\")"},
      {pod(R"("os":{"name":"windows"},)" + secure(R"("runAsNonRoot":true)")), ""},
      {pod(R"("hostNetwork":true,)" + kSafePod, secure(kSafe)), "host namespaces (hostNetwork=true)"},
      {pod(R"("hostUsers":false,)" + kSafePod, secure(kSafe + R"(,"procMount":"Unmasked")")),
       "procMount (container \"c\" must not set securityContext.procMount to \"Unmasked\")"},
  };
  for (const Case& c : cases) EXPECT_EQ(found({Level::kRestricted, c.minor}, c.json), c.violation) << c.json;
}

TEST(PodSecurity, EnforcesAndWarns) {
  const World world = std::move(World().ns(
      "n", R"({"pod-security.kubernetes.io/enforce":"baseline","pod-security.kubernetes.io/warn":"restricted"})"));
  auto plugin = make_pod_security();
  Request bad(Operation::kCreate, "pods", "core.v1 Pod", "n", pod(R"("hostNetwork":true)"));
  EXPECT_EQ(bad.run(*plugin, world),
            "pods \"p\" is forbidden: violates PodSecurity \"baseline:latest\": host namespaces (hostNetwork=true)");
  EXPECT_TRUE(bad.warnings.empty());
  Request warned(Operation::kCreate, "pods", "core.v1 Pod", "n", pod(""));
  EXPECT_EQ(warned.run(*plugin, world), "");
  EXPECT_EQ(warned.warnings, std::vector<std::string>{"would violate PodSecurity \"restricted:latest\": " + kUnsafe});
  Request same_image(Operation::kUpdate, "pods", "core.v1 Pod", "n", pod(R"("hostNetwork":true)"),
                     pod(R"("hostNetwork":true)"));
  EXPECT_EQ(same_image.run(*plugin, world), "");
  Request new_image(Operation::kUpdate, "pods", "core.v1 Pod", "n", pod(R"("hostNetwork":true)", R"("image":"z")"),
                    pod(R"("hostNetwork":true)"));
  EXPECT_NE(new_image.run(*plugin, world), "");
  Request status(Operation::kUpdate, "pods/status", "core.v1 Pod", "n", pod(R"("hostNetwork":true)", R"("image":"z")"),
                 pod(""));
  EXPECT_EQ(status.run(*plugin, world), "");
  Request workload(
      Operation::kCreate, "apps/deployments", "apps.v1 Deployment", "n",
      R"({"metadata":{"name":"d"},"spec":{"template":{"spec":{"hostNetwork":true,"containers":[{"name":"c"}]}}}})");
  EXPECT_EQ(workload.run(*plugin, world), "");
  EXPECT_EQ(workload.warnings,
            std::vector<std::string>{
                "would violate PodSecurity \"restricted:latest\": host namespaces (hostNetwork=true), " + kUnsafe});
}

TEST(PodSecurity, WarnFollowsEnforce) {
  const World world = std::move(World().ns(
      "n",
      R"({"pod-security.kubernetes.io/enforce":"baseline","pod-security.kubernetes.io/enforce-version":"v1.24"})"));
  auto plugin = make_pod_security();
  Request workload(
      Operation::kCreate, "batch/jobs", "batch.v1 Job", "n",
      R"({"metadata":{"name":"j"},"spec":{"template":{"spec":{"hostIPC":true,"containers":[{"name":"c"}]}}}})");
  EXPECT_EQ(workload.run(*plugin, world), "");
  EXPECT_EQ(workload.warnings,
            std::vector<std::string>{"would violate PodSecurity \"baseline:v1.24\": host namespaces (hostIPC=true)"});
}

std::string labelled(const std::string& labels) { return R"({"metadata":{"name":"n","labels":{)" + labels + "}}}"; }

TEST(PodSecurity, NamespaceLabels) {
  const std::string start = "Namespace \"n\" is invalid: metadata.labels[pod-security.kubernetes.io/";
  const std::pair<std::string, std::string> cases[] = {
      {R"("pod-security.kubernetes.io/enforce":"bogus")",
       start + "enforce]: Invalid value: \"bogus\": must be one of privileged, baseline, restricted"},
      {R"("pod-security.kubernetes.io/enforce-version":"v9")",
       start + "enforce-version]: Invalid value: \"v9\": must be \"latest\" or \"v1.x\""},
      {R"("pod-security.kubernetes.io/enforce-version":"v1.01")",
       start + "enforce-version]: Invalid value: \"v1.01\": must be \"latest\" or \"v1.x\""},
      {R"("pod-security.kubernetes.io/warn":"nope")",
       start + "warn]: Invalid value: \"nope\": must be one of privileged, baseline, restricted"},
      {R"("pod-security.kubernetes.io/audit-version":"v1.35")", ""},
      {R"("other":"bogus")", ""},
  };
  auto plugin = make_pod_security();
  for (const auto& [labels, refusal] : cases) {
    Request create(Operation::kCreate, "namespaces", "core.v1 Namespace", "n", labelled(labels));
    EXPECT_EQ(create.run(*plugin, World()), refusal) << labels;
    if (!refusal.empty()) {
      EXPECT_EQ(create.error.reason, base::Reason::kInvalid);
    }
    Request update(Operation::kUpdate, "namespaces", "core.v1 Namespace", "n", labelled(labels), labelled(""));
    EXPECT_EQ(update.run(*plugin, World()), refusal) << labels;
    Request stale(Operation::kUpdate, "namespaces", "core.v1 Namespace", "n", labelled(labels), labelled(labels));
    EXPECT_EQ(stale.run(*plugin, World()), "") << labels;
  }
}

TEST(PodSecurity, RaisedLevelWarnsOfPods) {
  World world;
  const auto put = [&](const std::string& name, const std::string& spec) {
    world.put(
        "core.v1 Pod", "", "pods",
        R"({"metadata":{"namespace":"n","name":")" + name + R"("},"spec":{"containers":[{"name":"c"}])" + spec + "}}");
  };
  put("p13", R"(,"securityContext":{"runAsUser":0})");
  put("p14", R"(,"volumes":[{"name":"n","nfs":{"server":"s","path":"/p"}}])");
  put("plain", "");
  put("plain2", "");
  auto plugin = make_pod_security();
  Request raise(Operation::kUpdate, "namespaces", "core.v1 Namespace", "n",
                labelled(R"("pod-security.kubernetes.io/enforce":"restricted")"),
                labelled(R"("pod-security.kubernetes.io/enforce":"baseline")"));
  EXPECT_EQ(raise.run(*plugin, world), "");
  EXPECT_EQ(raise.warnings,
            (std::vector<std::string>{
                "existing pods in namespace \"n\" violate the new PodSecurity enforce level \"restricted:latest\"",
                "p13: allowPrivilegeEscalation != false, unrestricted capabilities, runAsNonRoot != true, runAsUser=0, "
                "seccompProfile",
                "p14: allowPrivilegeEscalation != false, unrestricted capabilities, restricted volume types, "
                "runAsNonRoot != true, seccompProfile",
                "plain (and 1 other pod): allowPrivilegeEscalation != false, unrestricted capabilities, runAsNonRoot "
                "!= true, seccompProfile"}));
  Request lower(Operation::kUpdate, "namespaces", "core.v1 Namespace", "n",
                labelled(R"("pod-security.kubernetes.io/enforce":"baseline")"),
                labelled(R"("pod-security.kubernetes.io/enforce":"restricted")"));
  EXPECT_EQ(lower.run(*plugin, world), "");
  EXPECT_TRUE(lower.warnings.empty());
}

}  // namespace
}  // namespace admission
