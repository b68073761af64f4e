// usage: codec_bench [part of a name]
// What the codecs cost on a Pod as a kubelet reports it (about 3 KB of protobuf, 6 KB of JSON).
#include <chrono>
#include <cstdio>

#include "base/check.h"
#include "gen/codec.h"
#include "gen/core/v1.h"
#include "object/cbor.h"
#include "object/json.h"
#include "object/json_to_cbor.h"
#include "schema/envelope.h"
#include "schema/metadata_view.h"
#include "schema/proto_value.h"
#include "schema/transcode.h"

namespace {
using api::core::v1::Pod;

api::core::v1::Container container(const std::string& name) {
  api::core::v1::Container c;
  c.name = name;
  c.image = "registry.example.com/team/" + name + ":v1.2.3";
  for (int i = 0; i < 6; ++i) {
    auto& env = c.env.emplace_back();
    env.name = "SETTING_NUMBER_" + std::to_string(i);
    env.value = "value of the setting " + std::to_string(i);
  }
  c.ports.emplace_back().container_port = 8080;
  c.ports[0].protocol = "TCP";
  c.resources.requests = {{"cpu", {"100m"}}, {"memory", {"128Mi"}}};
  c.resources.limits = {{"cpu", {"1"}}, {"memory", {"256Mi"}}};
  for (const char* path : {"/var/run/secrets/kubernetes.io/serviceaccount", "/etc/config"}) {
    auto& mount = c.volume_mounts.emplace_back();
    mount.name = "volume-of-" + name;
    mount.mount_path = path;
    mount.read_only = true;
  }
  c.termination_message_path = "/dev/termination-log";
  c.termination_message_policy = "File";
  c.image_pull_policy = "IfNotPresent";
  return c;
}

void add_managed_fields(Pod& pod) {
  for (const char* manager : {"kube-controller-manager", "kubelet"}) {
    auto& entry = pod.metadata.managed_fields.emplace_back();
    entry.manager = manager;
    entry.operation = "Update";
    entry.api_version = "v1";
    entry.time = base::Box<object::Time>(object::Time{1700000000, 0});
    entry.fields_type = "FieldsV1";
    entry.fields_v1.ensure().raw =
        R"({"f:metadata":{"f:generateName":{},"f:labels":{".":{},"f:app":{}}},"f:spec":{"f:containers":{"k:{\"name\":\"main\"}":{)"
        R"(".":{},"f:image":{},"f:imagePullPolicy":{},"f:name":{},"f:resources":{},"f:terminationMessagePath":{}}},)"
        R"("f:dnsPolicy":{},"f:restartPolicy":{},"f:schedulerName":{},"f:terminationGracePeriodSeconds":{}}})";
  }
}

Pod sample_pod() {
  Pod pod;
  pod.metadata.name = "web-frontend-7d9c6b8f5d-x2x7k";
  pod.metadata.generate_name = "web-frontend-7d9c6b8f5d-";
  pod.metadata.namespace_ = "production";
  pod.metadata.uid = "7f8e3c2a-1b0d-4e5f-9a6b-3c2d1e0f9a8b";
  pod.metadata.creation_timestamp = {1700000000, 0};
  pod.metadata.labels = {{"app", "web-frontend"}, {"pod-template-hash", "7d9c6b8f5d"}, {"tier", "frontend"}};
  pod.metadata.annotations = {{"example.com/checksum", "0123456789abcdef0123456789abcdef"}};
  auto& owner = pod.metadata.owner_references.emplace_back();
  owner.api_version = "apps/v1";
  owner.kind = "ReplicaSet";
  owner.name = "web-frontend-7d9c6b8f5d";
  owner.uid = "1a2b3c4d-5e6f-7a8b-9c0d-1e2f3a4b5c6d";
  owner.controller = true;
  add_managed_fields(pod);
  pod.spec.containers = {container("main"), container("sidecar")};
  pod.spec.restart_policy = "Always";
  pod.spec.termination_grace_period_seconds = 30;
  pod.spec.dns_policy = "ClusterFirst";
  pod.spec.service_account_name = "default";
  pod.spec.node_name = "node-17.example.com";
  pod.spec.scheduler_name = "default-scheduler";
  for (const char* type : {"PodScheduled", "Initialized", "ContainersReady", "Ready"}) {
    auto& condition = pod.status.conditions.emplace_back();
    condition.type = type;
    condition.status = "True";
    condition.last_transition_time = {1700000001, 0};
  }
  pod.status.phase = "Running";
  pod.status.host_ip = "10.0.0.17";
  pod.status.pod_ip = "10.244.3.9";
  for (const auto& c : pod.spec.containers) {
    auto& status = pod.status.container_statuses.emplace_back();
    status.name = c.name;
    status.image = c.image;
    status.image_id = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    status.container_id = "containerd://0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    status.ready = true;
    status.state.running.ensure().started_at = {1700000002, 0};
  }
  return pod;
}

volatile size_t sink = 0;
std::string_view wanted;  // part of the name of what is measured; "" = all

// Prints the time of one call, and MB/s where a call moves `bytes`.
template <typename Body>
void measure(const char* what, size_t bytes, Body body) {
  using Clock = std::chrono::steady_clock;
  if (!std::string_view(what).contains(wanted)) return;
  for (int i = 0; i < 1000; ++i) body();
  double best = 1e9;
  for (int round = 0; round < 5; ++round) {
    constexpr int kCalls = 5000;
    auto start = Clock::now();
    for (int i = 0; i < kCalls; ++i) body();
    best = std::min(best, std::chrono::duration<double, std::nano>(Clock::now() - start).count() / kCalls);
  }
  if (bytes > 0) {
    std::printf("%-34s %9.0f ns  %7.0f MB/s\n", what, best, static_cast<double>(bytes) / best * 1000);
  } else {
    std::printf("%-34s %9.0f ns\n", what, best);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1) wanted = argv[1];
  const schema::Message& message = gen::message_of<Pod>();
  Pod pod = sample_pod();
  std::string raw = gen::encode(pod);
  schema::JsonOptions options{.type = {"v1", "Pod"}, .resource_version = "1234567"};
  std::string json;
  CHECK(schema::append_json(message, raw, options, json));
  auto value = object::parse_json(json);
  CHECK(value);
  std::printf("Pod: %zu bytes of protobuf, %zu of JSON\n", raw.size(), json.size());

  std::string out;
  measure("struct -> protobuf", raw.size(), [&] {
    out.clear();
    gen::encode(pod, out);
  });
  measure("protobuf -> struct", raw.size(), [&] { sink = sink + gen::decode<Pod>(raw)->spec.containers.size(); });
  measure("protobuf -> JSON", json.size(), [&] {
    out.clear();
    CHECK(schema::append_json(message, raw, options, out));
  });
  std::string cbor;
  CHECK(schema::append_cbor(message, raw, options, cbor));
  measure("protobuf -> CBOR", cbor.size(), [&] {
    out.clear();
    CHECK(schema::append_cbor(message, raw, options, out));
  });
  measure("JSON -> CBOR", cbor.size(), [&] { sink = sink + object::cbor_of_json(json).size(); });
  measure("CBOR -> Value", cbor.size(), [&] { sink = sink + object::parse_cbor(cbor).has_value(); });
  measure("JSON -> Value", json.size(), [&] { sink = sink + object::parse_json(json).has_value(); });
  measure("Value -> JSON", json.size(), [&] {
    out.clear();
    object::append_json(out, *value);
  });
  measure("Value -> protobuf", raw.size(), [&] {
    out.clear();
    CHECK(schema::encode_value(message, *value, out));
  });
  measure("protobuf -> Value", raw.size(), [&] { sink = sink + schema::decode_value(message, raw).has_value(); });
  measure("metadata view", 0, [&] { sink = sink + schema::view_metadata(raw)->name.size(); });
  measure("spec.nodeName", 0, [&] { sink = sink + schema::find_bytes(raw, {3 - 1, 10})->size(); });
  measure("answer with resourceVersion", raw.size(), [&] {
    out.clear();
    CHECK(schema::append_answer(options.type, raw, 1234567, out));
  });
  return 0;
}
