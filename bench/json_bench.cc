// A Pod of about 6 KB of JSON to Value and back, and its strings alone. Prints microseconds and MB/s.
#include <chrono>
#include <cstdio>
#include <string>

#include "object/json.h"

namespace {

std::string pod_text() {
  std::string text =
      R"({"kind":"Pod","apiVersion":"v1","metadata":{"name":"web-7c5ddbdf54-x2k9d","generateName":"web-7c5ddbdf54-",)"
      R"("namespace":"default","uid":"6f1f3a57-4c7e-4f5a-9d5e-0c7a5c0f7d11","resourceVersion":"123456",)"
      R"("creationTimestamp":"2024-02-29T23:59:59Z","labels":{"app":"web","pod-template-hash":"7c5ddbdf54"},)"
      R"("ownerReferences":[{"apiVersion":"apps/v1","kind":"ReplicaSet","name":"web-7c5ddbdf54",)"
      R"("uid":"0b5a8f5e-55f5-4a3e-8d1e-3f5f0c7d1f22","controller":true,"blockOwnerDeletion":true}]},)"
      R"("spec":{"volumes":[{"name":"kube-api-access-abcde","projected":{"sources":[{"serviceAccountToken":)"
      R"({"expirationSeconds":3607,"path":"token"}}],"defaultMode":420}}],"containers":[)";
  for (int i = 0; i < 4; ++i) {
    if (i > 0) text += ',';
    text += R"({"name":"container-)" + std::to_string(i) +
            R"(","image":"registry.example.com/team/service:v1.2.3","args":["--listen=:8080","--log-level=info"],)"
            R"("ports":[{"name":"http","containerPort":8080,"protocol":"TCP"}],"env":[{"name":"POD_NAME","valueFrom":)"
            R"({"fieldRef":{"apiVersion":"v1","fieldPath":"metadata.name"}}},{"name":"MODE","value":"production"}],)"
            R"("resources":{"limits":{"cpu":"500m","memory":"512Mi"},"requests":{"cpu":"250m","memory":"256Mi"}},)"
            R"("volumeMounts":[{"name":"kube-api-access-abcde","readOnly":true,)"
            R"("mountPath":"/var/run/secrets/kubernetes.io/serviceaccount"}],"readinessProbe":{"httpGet":)"
            R"({"path":"/ready","port":8080,"scheme":"HTTP"},"timeoutSeconds":1,"periodSeconds":10,)"
            R"("successThreshold":1,"failureThreshold":3},"terminationMessagePath":"/dev/termination-log",)"
            R"("terminationMessagePolicy":"File","imagePullPolicy":"IfNotPresent"})";
  }
  text +=
      R"(],"restartPolicy":"Always","terminationGracePeriodSeconds":30,"dnsPolicy":"ClusterFirst",)"
      R"("serviceAccountName":"default","nodeName":"node-17","securityContext":{},"schedulerName":"default-scheduler",)"
      R"("priority":0,"enableServiceLinks":true,"preemptionPolicy":"PreemptLowerPriority"},"status":{"phase":"Running",)"
      R"("conditions":[)";
  for (int i = 0; i < 4; ++i) {
    if (i > 0) text += ',';
    text += R"({"type":"ContainersReady","status":"True","lastProbeTime":null,)"
            R"("lastTransitionTime":"2024-02-29T23:59:59Z"})";
  }
  text += R"(],"hostIP":"10.0.0.17","podIP":"10.244.3.9","podIPs":[{"ip":"10.244.3.9"}],"containerStatuses":[)";
  for (int i = 0; i < 4; ++i) {
    if (i > 0) text += ',';
    text += R"({"name":"container-)" + std::to_string(i) +
            R"(","state":{"running":{"startedAt":"2024-02-29T23:59:59Z"}},"lastState":{},"ready":true,)"
            R"("restartCount":0,"image":"registry.example.com/team/service:v1.2.3",)"
            R"("imageID":"registry.example.com/team/service@sha256:0123456789abcdef0123456789abcdef",)"
            R"("containerID":"containerd://0123456789abcdef0123456789abcdef0123456789abcdef","started":true})";
  }
  return text + R"(],"qosClass":"Burstable"}})";
}

template <typename Work>
void measure(const char* what, size_t bytes, Work work) {
  using Clock = std::chrono::steady_clock;
  double best = 1e9;
  for (int round = 0; round < 20; ++round) {
    constexpr int kTimes = 1000;
    const auto start = Clock::now();
    for (int i = 0; i < kTimes; ++i) work();
    const double seconds = std::chrono::duration<double>(Clock::now() - start).count() / kTimes;
    if (seconds < best) best = seconds;
  }
  std::printf("%-28s %8.2f us %8.0f MB/s\n", what, best * 1e6, static_cast<double>(bytes) / best / 1e6);
}

}  // namespace

int main() {
  const std::string text = pod_text();
  const auto value = object::parse_json(text);
  if (!value) return 1;
  std::printf("a Pod of %zu bytes\n", text.size());
  std::string out;
  measure("JSON to Value", text.size(), [&] {
    const auto parsed = object::parse_json(text);
    if (!parsed) __builtin_trap();
  });
  measure("Value to JSON", text.size(), [&] {
    out.clear();
    object::append_json(out, *value);
  });
  measure("Value to JSON, keys sorted", text.size(), [&] {
    out.clear();
    object::append_json(out, *value, object::KeyOrder::kSorted);
  });
  return out.size() == text.size() ? 0 : 1;
}
