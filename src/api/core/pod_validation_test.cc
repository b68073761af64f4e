// New Pods: defaults and errors. Texts are those of recorded answers of a 1.35 server.
#include <gtest/gtest.h>

#include "api/core/image_name.h"
#include "api/core/pod_spec.h"
#include "api/kinds.h"
#include "api/testing.h"

namespace api {
namespace {

using core::v1::Container;
using core::v1::Pod;

const std::string kNone = object::FieldErrors().to_string();

Pod minimal() {
  Pod pod;
  pod.metadata.name = "p";
  pod.metadata.namespace_ = "ns";
  Container& container = pod.spec.containers.emplace_back();
  container.name = "c", container.image = "img:1";
  return pod;
}
Container& first(Pod& pod) { return pod.spec.containers[0]; }

struct Case {
  const char* name;
  void (*change)(Pod&);
  std::string expected;
};

void check(std::span<const Case> cases) {
  const auto rules = pod_rules();
  for (const Case& each : cases) {
    Pod pod = minimal();
    each.change(pod);
    EXPECT_EQ(testing::create(*rules, pod), each.expected) << each.name;
  }
}

TEST(PodValidation, Containers) {
  const Case cases[] = {
      {"minimal", [](Pod&) {}, kNone},
      {"none", [](Pod& p) { p.spec.containers.clear(); }, "spec.containers: Required value"},
      {"image", [](Pod& p) { first(p).image = ""; }, "spec.containers[0].image: Required value"},
      {"image space", [](Pod& p) { first(p).image = " img"; },
       "spec.containers[0].image: Invalid value: \" img\": must not have leading or trailing whitespace"},
      {"name", [](Pod& p) { first(p).name = ""; }, "spec.containers[0].name: Required value"},
      {"twice", [](Pod& p) { p.spec.containers.push_back(first(p)); },
       "spec.containers[1].name: Duplicate value: \"c\""},
      {"restart", [](Pod& p) { p.spec.restart_policy = "Sometimes"; },
       "spec.restartPolicy: Unsupported value: \"Sometimes\": supported values: \"Always\", \"OnFailure\", \"Never\""},
      {"pull", [](Pod& p) { first(p).image_pull_policy = "Maybe"; },
       "spec.containers[0].imagePullPolicy: Unsupported value: \"Maybe\": supported values: \"Always\", "
       "\"IfNotPresent\", \"Never\""},
      {"port 0", [](Pod& p) { first(p).ports.emplace_back(); },
       "spec.containers[0].ports[0].containerPort: Required value"},
      {"port range", [](Pod& p) { first(p).ports.emplace_back().container_port = 70000; },
       "spec.containers[0].ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive"},
      {"protocol",
       [](Pod& p) {
         auto& port = first(p).ports.emplace_back();
         port.container_port = 1, port.protocol = "X";
       },
       "spec.containers[0].ports[0].protocol: Unsupported value: \"X\": supported values: \"SCTP\", \"TCP\", \"UDP\""},
      {"port name",
       [](Pod& p) {
         auto& port = first(p).ports.emplace_back();
         port.container_port = 1, port.name = "TOO_BAD";
       },
       "[spec.containers[0].ports[0].name: Invalid value: \"TOO_BAD\": must contain only alpha-numeric characters "
       "(a-z, "
       "0-9), and hyphens (-), spec.containers[0].ports[0].name: Invalid value: \"TOO_BAD\": must contain at least one "
       "letter (a-z)]"},
      {"init probe",
       [](Pod& p) {
         Container init = first(p);
         init.name = "i";
         init.liveness_probe.ensure().handler.exec.ensure().command = {"x"};
         p.spec.init_containers.push_back(init);
       },
       "spec.initContainers[0].livenessProbe: Forbidden: may not be set for init containers without "
       "restartPolicy=Always"},
      {"probe handler", [](Pod& p) { first(p).readiness_probe.ensure(); },
       "spec.containers[0].readinessProbe: Required value: must specify a handler type"},
      {"host ports",
       [](Pod& p) {
         p.spec.host_network = true;
         auto& port = first(p).ports.emplace_back();
         port.container_port = 80, port.host_port = 81;
       },
       "spec.containers[0].ports[0].hostPort: Invalid value: 81: must match `containerPort` when `hostNetwork` is "
       "true"},
  };
  check(cases);
}

TEST(PodValidation, Environment) {
  const Case cases[] = {
      {"name", [](Pod& p) { first(p).env.emplace_back(); }, "spec.containers[0].env[0].name: Required value"},
      {"equals", [](Pod& p) { first(p).env.emplace_back().name = "a=b"; },
       "spec.containers[0].env[0].name: Invalid value: \"a=b\": a valid environment variable name must consist only of "
       "printable ASCII characters other than '='"},
      {"value twice",
       [](Pod& p) {
         auto& env = first(p).env.emplace_back();
         env.name = "A", env.value = "x";
         env.value_from.ensure().field_ref.ensure().field_path = "metadata.name";
       },
       "spec.containers[0].env[0].valueFrom: Invalid value: \"\": may not be specified when `value` is not empty"},
      {"no source",
       [](Pod& p) {
         auto& env = first(p).env.emplace_back();
         env.name = "A";
         env.value_from.ensure();
       },
       "spec.containers[0].env[0].valueFrom: Invalid value: \"\": must specify one of: `fieldRef`, `resourceFieldRef`, "
       "`configMapKeyRef`, `secretKeyRef` or `fileKeyRef`"},
      {"field",
       [](Pod& p) {
         auto& env = first(p).env.emplace_back();
         env.name = "A";
         env.value_from.ensure().field_ref.ensure().field_path = "spec.bogus";
       },
       "spec.containers[0].env[0].valueFrom.fieldRef.fieldPath: Invalid value: \"spec.bogus\": error converting "
       "fieldPath: field label not supported: spec.bogus"},
      {"label",
       [](Pod& p) {
         auto& env = first(p).env.emplace_back();
         env.name = "A";
         env.value_from.ensure().field_ref.ensure().field_path = "metadata.labels['app']";
       },
       kNone},
  };
  check(cases);
}

TEST(PodValidation, Resources) {
  const Case cases[] = {
      {"negative", [](Pod& p) { first(p).resources.limits["cpu"] = {"-1"}; },
       "[spec.containers[0].resources.limits[cpu]: Invalid value: \"-1\": must be greater than or equal to 0, "
       "spec.containers[0].resources.requests[cpu]: Invalid value: \"-1\": must be greater than or equal to 0]"},
      {"above limit",
       [](Pod& p) {
         first(p).resources.requests["cpu"] = {"2"};
         first(p).resources.limits["cpu"] = {"1"};
       },
       "spec.containers[0].resources.requests: Invalid value: \"2\": must be less than or equal to cpu limit of 1"},
      {"unknown", [](Pod& p) { first(p).resources.limits["bogus"] = {"1"}; },
       "[spec.containers[0].resources.limits[bogus]: Invalid value: \"bogus\": must be a standard resource type or "
       "fully "
       "qualified, spec.containers[0].resources.limits[bogus]: Invalid value: \"bogus\": must be a standard resource "
       "for "
       "containers, spec.containers[0].resources.requests[bogus]: Invalid value: \"bogus\": must be a standard "
       "resource "
       "type or fully qualified, spec.containers[0].resources.requests[bogus]: Invalid value: \"bogus\": must be a "
       "standard resource for containers]"},
      {"fraction", [](Pod& p) { first(p).resources.limits["example.com/x"] = {"1500m"}; },
       "[spec.containers[0].resources.limits[example.com/x]: Invalid value: \"1500m\": must be an integer, "
       "spec.containers[0].resources.requests[example.com/x]: Invalid value: \"1500m\": must be an integer]"},
      {"request alone", [](Pod& p) { first(p).resources.requests["example.com/x"] = {"1"}; },
       "spec.containers[0].resources.limits: Required value: Limit must be set for non overcommitable resources"},
      {"pages", [](Pod& p) { first(p).resources.limits["hugepages-2Mi"] = {"3Mi"}; },
       "[spec.containers[0].resources.limits[hugepages-2Mi]: Invalid value: \"3Mi\": 3Mi is not positive integer "
       "multiple "
       "of hugepages-2Mi, spec.containers[0].resources.requests[hugepages-2Mi]: Invalid value: \"3Mi\": 3Mi is not "
       "positive integer multiple of hugepages-2Mi, spec.containers[0].resources: Forbidden: HugePages require cpu or "
       "memory]"},
      {"pod level",
       [](Pod& p) {
         first(p).resources.requests["cpu"] = {"2"};
         p.spec.resources.ensure().requests["cpu"] = {"1"};
       },
       "spec.resources.requests[cpu]: Invalid value: \"1\": must be greater than or equal to aggregate container "
       "requests "
       "of 2"},
  };
  check(cases);
}

TEST(PodValidation, Volumes) {
  const Case cases[] = {
      {"name", [](Pod& p) { p.spec.volumes.emplace_back(); }, "spec.volumes[0].name: Required value"},
      {"two kinds",
       [](Pod& p) {
         auto& volume = p.spec.volumes.emplace_back();
         volume.name = "v";
         volume.volume_source.empty_dir.ensure();
         volume.volume_source.host_path.ensure().path = "/x";
       },
       "spec.volumes[0].hostPath: Forbidden: may not specify more than 1 volume type"},
      {"backsteps",
       [](Pod& p) {
         auto& volume = p.spec.volumes.emplace_back();
         volume.name = "v";
         volume.volume_source.host_path.ensure().path = "/a/../b";
       },
       "spec.volumes[0].hostPath.path: Invalid value: \"/a/../b\": must not contain '..'"},
      {"key path",
       [](Pod& p) {
         auto& volume = p.spec.volumes.emplace_back();
         volume.name = "v";
         auto& source = volume.volume_source.config_map.ensure();
         source.local_object_reference.name = "cm";
         auto& item = source.items.emplace_back();
         item.key = "k", item.path = "..x";
       },
       "spec.volumes[0].configMap.items[0].path: Invalid value: \"..x\": must not start with '..'"},
      {"mount unknown",
       [](Pod& p) {
         auto& mount = first(p).volume_mounts.emplace_back();
         mount.name = "none", mount.mount_path = "/m";
       },
       "spec.containers[0].volumeMounts[0].name: Not found: \"none\""},
      {"mount twice",
       [](Pod& p) {
         p.spec.volumes.emplace_back().name = "v";
         for (int i = 0; i < 2; ++i) {
           auto& mount = first(p).volume_mounts.emplace_back();
           mount.name = "v", mount.mount_path = "/m";
         }
       },
       "spec.containers[0].volumeMounts[1].mountPath: Invalid value: \"/m\": must be unique"},
      {"token",
       [](Pod& p) {
         p.spec.service_account_name = "default";
         auto& volume = p.spec.volumes.emplace_back();
         volume.name = "v";
         auto& token = volume.volume_source.projected.ensure().sources.emplace_back().service_account_token.ensure();
         token.path = "t", token.expiration_seconds = 10;
       },
       "spec.volumes[0].projected.sources[0].serviceAccountToken.expirationSeconds: Invalid value: 10: may not specify "
       "a "
       "duration less than 10 minutes"},
  };
  check(cases);
}

TEST(PodValidation, SchedulingAndSecurity) {
  const Case cases[] = {
      {"toleration", [](Pod& p) { p.spec.tolerations.emplace_back().key = ""; },
       "spec.tolerations[0].operator: Invalid value: \"\": operator must be Exists when `key` is empty, which means "
       "\"match all values and all keys\""},
      {"spread",
       [](Pod& p) {
         auto& constraint = p.spec.topology_spread_constraints.emplace_back();
         constraint.max_skew = 1, constraint.when_unsatisfiable = "DoNotSchedule";
       },
       "spec.topologySpreadConstraints[0].topologyKey: Required value: can not be empty"},
      {"gate and node",
       [](Pod& p) {
         p.spec.scheduling_gates.emplace_back().name = "g";
         p.spec.node_name = "n";
       },
       "spec.nodeName: Forbidden: cannot be set until all schedulingGates have been cleared"},
      {"affinity",
       [](Pod& p) {
         p.spec.affinity.ensure().node_affinity.ensure().required_during_scheduling_ignored_during_execution.ensure();
       },
       "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms: Required value: "
       "must "
       "have at least one node selector term"},
      {"privileged", [](Pod& p) { first(p).security_context.ensure().privileged = true; },
       "spec.containers[0].securityContext.privileged: Forbidden: disallowed by cluster policy"},
      {"proc mount", [](Pod& p) { first(p).security_context.ensure().proc_mount = "Unmasked"; },
       "spec.containers[0].securityContext.procMount: Invalid value: \"Unmasked\": `hostUsers` must be false to use "
       "`Unmasked`"},
      {"host process", [](Pod& p) { p.spec.security_context.ensure().windows_options.ensure().host_process = true; },
       "[spec.hostNetwork: Invalid value: false: hostNetwork must be true if pod contains any hostProcess containers, "
       "spec: Forbidden: hostProcess containers are disallowed by cluster policy]"},
      {"mirror", [](Pod& p) { p.metadata.annotations["kubernetes.io/config.mirror"] = "h"; },
       "metadata.annotations[kubernetes.io/config.mirror]: Invalid value: \"h\": must set spec.nodeName if mirror pod "
       "annotation is set"},
      {"dns none", [](Pod& p) { p.spec.dns_policy = "None"; },
       "spec.dnsConfig: Required value: must provide `dnsConfig` when `dnsPolicy` is None"},
      {"sysctl",
       [](Pod& p) {
         p.spec.host_network = true;
         p.spec.security_context.ensure().sysctls.emplace_back().name = "net.core.somaxconn";
       },
       "spec.securityContext.sysctls[0].name: Invalid value: \"net.core.somaxconn\": may not be specified when "
       "'hostNetwork' is true"},
      {"ephemeral",
       [](Pod& p) {
         auto& container = p.spec.ephemeral_containers.emplace_back().ephemeral_container_common;
         container.name = "e", container.image = "x";
       },
       "spec.ephemeralContainers: Forbidden: cannot be set on create"},
  };
  check(cases);
}

TEST(PodValidation, PrivilegedWhereAllowed) {
  Pod pod = minimal();
  first(pod).security_context.ensure().privileged = true;
  testing::Request request;
  request.context.privileged = Privileged::kAllowed;
  EXPECT_EQ(testing::create(*pod_rules(), pod, request), kNone);
}

TEST(PodDefaults, Minimal) {
  Pod pod = minimal();
  pod.spec.volumes.emplace_back().name = "v";
  auto& port = first(pod).ports.emplace_back();
  port.container_port = 80;
  first(pod).liveness_probe.ensure().handler.http_get.ensure();
  first(pod).resources.limits["cpu"] = {"0.0001"};
  pod.spec.service_account = "robot";
  const auto rules = pod_rules();
  rules->set_defaults_any(&pod);
  const auto& spec = pod.spec;
  EXPECT_EQ(spec.restart_policy, "Always");
  EXPECT_EQ(spec.dns_policy, "ClusterFirst");
  EXPECT_EQ(spec.scheduler_name, "default-scheduler");
  EXPECT_EQ(spec.termination_grace_period_seconds, 30);
  EXPECT_EQ(spec.enable_service_links, true);
  EXPECT_EQ(spec.service_account_name, "robot");
  EXPECT_TRUE(spec.security_context);
  EXPECT_TRUE(spec.volumes[0].volume_source.empty_dir);
  EXPECT_EQ(first(pod).termination_message_path, "/dev/termination-log");
  EXPECT_EQ(first(pod).termination_message_policy, "File");
  EXPECT_EQ(first(pod).image_pull_policy, "IfNotPresent");
  EXPECT_EQ(first(pod).ports[0].protocol, "TCP");
  EXPECT_EQ(first(pod).liveness_probe->period_seconds, 10);
  EXPECT_EQ(first(pod).liveness_probe->handler.http_get->path, "/");
  EXPECT_EQ(first(pod).resources.limits["cpu"].string, "1m");
  EXPECT_EQ(first(pod).resources.requests["cpu"].string, "1m");
  const Pod once = pod;
  rules->set_defaults_any(&pod);
  EXPECT_EQ(pod, once);
}

TEST(PodDefaults, ImageNames) {
  for (const char* image : {"nginx", "nginx:latest", "reg.example/side", "localhost:5000/a/b",
                            "a:latest@sha256:"
                            "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"}) {
    EXPECT_TRUE(image_is_latest(image)) << image;
  }
  for (const char* image : {"nginx:1", "i@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "nginx/Upper", "", "a b",
                            "x:", "reg.example:443/app:v2"}) {
    EXPECT_FALSE(image_is_latest(image)) << image;
  }
}

TEST(PodDefaults, HostNetworkAndPodLevelResources) {
  Pod pod = minimal();
  pod.spec.host_network = true;
  first(pod).ports.emplace_back().container_port = 80;
  first(pod).resources.requests["cpu"] = {"250m"};
  pod.spec.resources.ensure().limits = {{"cpu", {"1"}}, {"memory", {"1Gi"}}};
  pod_rules()->set_defaults_any(&pod);
  EXPECT_EQ(first(pod).ports[0].host_port, 80);
  EXPECT_EQ(pod.spec.resources->requests["cpu"].string, "250m");
  EXPECT_EQ(pod.spec.resources->requests["memory"].string, "1Gi");
}

TEST(PodTemplateRules, ReportsBelowTheTemplate) {
  core::v1::PodTemplate object;
  object.template_.metadata.labels["a b"] = "c";
  auto& container = object.template_.spec.containers.emplace_back();
  container.name = "c", container.image = "img:1";
  const auto rules = pod_template_rules();
  const std::string errors = testing::create(*rules, object);
  EXPECT_EQ(errors.substr(0, 39), "template.labels: Invalid value: \"a b\": ") << errors;
  object.template_.metadata.labels = {{"app", "a"}};
  object.metadata.name = "t";
  EXPECT_EQ(testing::create(*rules, object), kNone);
  EXPECT_EQ(object.metadata.generation, 1);
  EXPECT_EQ(testing::cells(*rules, object, {}), "t|c|img:1|app=a");
}

}  // namespace
}  // namespace api
