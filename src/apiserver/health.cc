// /healthz, /livez, /readyz with upstream's named checks.
#include <algorithm>
#include <vector>

#include "apiserver/core.h"
#include "apiserver/negotiate.h"
#include "apiserver/respond.h"
#include "apiserver/server.h"

namespace apiserver {
namespace {

constexpr std::string_view kText = "text/plain; charset=utf-8";
enum class Endpoint3 : uint8_t { kHealthz, kLivez, kReadyz };

// Compat: names and order of upstream's checks. Those without a state of their own here are as good as the process:
// they name what upstream starts later and Keelson has before it listens.
constexpr std::string_view kChecks[] = {
    "ping",
    "log",
    "etcd",
    "etcd-readiness",
    "informer-sync",
    "poststarthook/start-apiserver-admission-initializer",
    "poststarthook/generic-apiserver-start-informers",
    "poststarthook/priority-and-fairness-config-consumer",
    "poststarthook/priority-and-fairness-filter",
    "poststarthook/storage-object-count-tracker-hook",
    "poststarthook/start-apiextensions-informers",
    "poststarthook/start-apiextensions-controllers",
    "poststarthook/crd-informer-synced",
    "poststarthook/start-system-namespaces-controller",
    "poststarthook/start-cluster-authentication-info-controller",
    "poststarthook/start-kube-apiserver-identity-lease-controller",
    "poststarthook/start-kube-apiserver-identity-lease-garbage-collector",
    "poststarthook/start-legacy-token-tracking-controller",
    "poststarthook/start-service-ip-repair-controllers",
    "poststarthook/rbac/bootstrap-roles",
    "poststarthook/scheduling/bootstrap-system-priority-classes",
    "poststarthook/priority-and-fairness-config-producer",
    "poststarthook/bootstrap-controller",
    "poststarthook/start-kubernetes-service-cidr-controller",
    "poststarthook/start-kube-aggregator-informers",
    "poststarthook/apiservice-status-local-available-controller",
    "poststarthook/apiservice-status-remote-available-controller",
    "poststarthook/apiservice-registration-controller",
    "poststarthook/apiservice-wait-for-first-sync",
    "poststarthook/apiservice-discovery-controller",
    "poststarthook/kube-apiserver-autoregistration",
    "autoregister-completion",
    "poststarthook/apiservice-openapi-controller",
    "poststarthook/apiservice-openapiv3-controller",
    "shutdown",
};

bool has_check(Endpoint3 endpoint, std::string_view name) {
  const bool ready_only = name == "etcd-readiness" || name == "informer-sync" || name == "shutdown";
  return endpoint == Endpoint3::kReadyz || !ready_only;
}

// "" when the check passes.
std::string failure(Core& core, std::string_view name) {
  if (name == "etcd" || name == "etcd-readiness") {
    const kv::StoreStatus status = core.store().status();
    if (status.health != kv::Health::kServing) return status.problem;
  }
  return "";
}

void send(RequestContext& context, int code, std::string body) {
  net::Headers headers = answer_headers(context, kText);
  headers.push_back({"x-content-type-options", "nosniff"});
  context.writer->send(code, std::move(headers), std::move(body));
}

void serve_all(RequestContext& context, Endpoint3 endpoint, std::string_view name) {
  std::vector<std::string_view> excluded = context.query.all("exclude");
  std::string lines;
  bool failed = false;
  for (std::string_view check : kChecks) {
    if (!has_check(endpoint, check)) continue;
    if (auto at = std::ranges::find(excluded, check); at != excluded.end()) {
      excluded.erase(at);
      lines += "[+]" + std::string(check) + " excluded: ok\n";
    } else if (failure(*context.core, check).empty()) {
      lines += "[+]" + std::string(check) + " ok\n";
    } else {
      failed = true;
      lines += "[-]" + std::string(check) + " failed: reason withheld\n";
    }
  }
  if (!excluded.empty()) {
    lines += "warn: some health checks cannot be excluded: no matches for ";
    for (size_t i = 0; i < excluded.size(); ++i) lines += (i ? "," : "") + ("\"" + std::string(excluded[i]) + "\"");
    lines += "\n";
  }
  if (failed) return send(context, 500, lines + std::string(name) + " check failed\n");
  if (!context.query.has("verbose")) return send(context, 200, "ok");
  send(context, 200, lines + std::string(name) + " check passed\n");
}

void serve_one(RequestContext& context, Endpoint3 endpoint, std::string_view check) {
  if (std::ranges::find(kChecks, check) == std::end(kChecks) || !has_check(endpoint, check)) {
    return send(context, 404, "404 page not found\n");
  }
  const std::string problem = failure(*context.core, check);
  if (!problem.empty()) return send(context, 500, "internal server error: " + problem + "\n");
  context.writer->send(200, answer_headers(context, kText), std::string("ok"));
}

}  // namespace

void add_health_paths(Paths& paths, Core&) {
  const std::pair<Endpoint3, std::string> endpoints[] = {
      {Endpoint3::kHealthz, "healthz"}, {Endpoint3::kLivez, "livez"}, {Endpoint3::kReadyz, "readyz"}};
  for (const auto& [endpoint, name] : endpoints) {
    paths.add("/" + name, [endpoint, name](RequestContext& context) { serve_all(context, endpoint, name); });
    paths.add_prefix("/" + name + "/", [endpoint, name](RequestContext& context) {
      serve_one(context, endpoint, std::string_view(context.info.path).substr(name.size() + 2));
    });
  }
}

void add_version_paths(Paths& paths) {
  paths.add("/version", [](RequestContext& context) {
    if (context.http->method != "GET") {
      return respond_error(
          context, {base::Reason::kMethodNotAllowed, "the server does not allow this method on the requested resource",
                    base::ErrorDetails{}});
    }
    if (!accepts_type(context.header("accept"), "application/json")) {
      return respond_error(
          context, {base::Reason::kNotAcceptable, "406: Not Acceptable\n\nAvailable representations: application/json",
                    base::ErrorDetails{}});
    }
    respond_text(context, 200, "application/json",
                 R"({
  "major": "1",
  "minor": "35",
  "emulationMajor": "1",
  "emulationMinor": "35",
  "minCompatibilityMajor": "1",
  "minCompatibilityMinor": "34",
  "gitVersion": "v1.35.0+keelson",
  "gitCommit": "",
  "gitTreeState": "clean",
  "buildDate": "1970-01-01T00:00:00Z",
  "goVersion": "none",
  "compiler": "clang",
  "platform": "linux/amd64"
})");
  });
}

void add_index_path(Paths& paths) {
  paths.add("/", [&paths](RequestContext& context) {
    std::string body = "{\n  \"paths\": [";
    bool first = true;
    for (const std::string& path : paths.listed()) {
      if (path == "/") continue;
      body += first ? "\n    \"" : ",\n    \"";
      body += path + "\"";
      first = false;
    }
    respond_text(context, 200, "application/json", body + "\n  ]\n}");
  });
}

}  // namespace apiserver
