#include "apiserver/bootstrap/objects.h"

#include <algorithm>

#include "apiserver/bootstrap_objects.inc"
#include "codec/json_text.h"
#include "gen/catalogue.h"
#include "object/json.h"
#include "object/time.h"
#include "pki/digest.h"

namespace apiserver::bootstrap {
namespace {

using object::Array;
using object::Object;
using object::Value;

// JSON with each $ replaced by the next argument, quoted.
Value document(std::string_view form, std::initializer_list<std::string_view> arguments) {
  std::string text;
  auto next = arguments.begin();
  for (char c : form) {
    if (c == '$') {
      codec::append_json_string(text, *next++);
    } else {
      text += c;
    }
  }
  return object::parse_json(text).value_or(Value());
}

void add(std::vector<FirstObject>& out, std::string_view group, std::string_view resource, Value value,
         Need need = Need::kOptional, Existing existing = Existing::kKept) {
  out.push_back({group, "v1", resource, std::move(value), need, existing});
}

void add_namespaces(std::vector<FirstObject>& out) {
  for (std::string_view name : {"kube-system", "kube-public", "kube-node-lease", "default"}) {
    add(out, "", "namespaces", document(R"({"metadata":{"name":$}})", {name}), Need::kRequired);
  }
}

void add_priority_classes(std::vector<FirstObject>& out) {
  const auto one = [&](std::string_view name, int64_t value, std::string_view text) {
    Value made = document(R"({"metadata":{"name":$},"description":$})", {name, text});
    made.object_if()->set("value", value);
    add(out, "scheduling.k8s.io", "priorityclasses", std::move(made), Need::kRequired);
  };
  one("system-node-critical", 2000001000,
      "Used for system critical pods that must not be moved from their current node.");
  one("system-cluster-critical", 2000000000,
      "Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.");
}

void set_label(Object& metadata, std::string_view map, std::string_view key, std::string_view value) {
  Value& labels = metadata[map];
  if (!labels.is_object()) labels = Object{};
  labels.object_if()->set(key, value);
}

// Roles, bindings, flow schemas and priority levels, from the table that the build embeds: `RESOURCE JSON` a line.
void add_embedded(std::vector<FirstObject>& out) {
  std::string_view text = kObjects;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    const size_t space = line.find(' ');
    if (space == std::string_view::npos) continue;
    auto value = object::parse_json(line.substr(space + 1));
    if (!value) continue;
    Object& metadata = *value->find("metadata")->object_if();
    const std::string_view resource = line.substr(0, space);
    const bool flow = resource == "flowschemas" || resource == "prioritylevelconfigurations";
    if (flow) {
      set_label(metadata, "annotations", "apf.kubernetes.io/autoupdate-spec", "true");
      add(out, "flowcontrol.apiserver.k8s.io", resource, std::move(*value));
    } else {
      set_label(metadata, "annotations", "rbac.authorization.kubernetes.io/autoupdate", "true");
      set_label(metadata, "labels", "kubernetes.io/bootstrapping", "rbac-defaults");
      add(out, "rbac.authorization.k8s.io", resource, std::move(*value), Need::kOptional, Existing::kCompleted);
    }
  }
}

void add_api_services(std::vector<FirstObject>& out, const Facts& facts, const std::string& now) {
  for (const schema::GroupVersion& gv : gen::group_versions()) {
    // Compat: the group of APIServices itself has none.
    if (gv.group == "apiregistration.k8s.io") continue;
    if (facts.serves ? !facts.serves(gv.group, gv.version) : !gv.served_by_default) continue;
    const std::string name = std::string(gv.version) + "." + std::string(gv.group);
    Value made = document(
        R"({"metadata":{"name":$,"labels":{"kube-aggregator.kubernetes.io/automanaged":"onstart"}},"spec":{"group":$,"version":$},)"
        R"("status":{"conditions":[{"type":"Available","status":"True","lastTransitionTime":$,"reason":"Local",)"
        R"("message":"Local APIServices are always available"}]}})",
        {name, gv.group, gv.version, now});
    Object& spec = *made.find("spec")->object_if();
    spec.set("groupPriorityMinimum", gv.group_priority);
    spec.set("versionPriority", gv.version_priority);
    add(out, "apiregistration.k8s.io", "apiservices", std::move(made));
  }
}

void add_kubernetes_service(std::vector<FirstObject>& out, const Facts& facts, const std::string& now) {
  add(out, "networking.k8s.io", "servicecidrs",
      document(
          R"({"metadata":{"name":"kubernetes"},"spec":{"cidrs":[$]},"status":{"conditions":[{"type":"Ready","status":"True",)"
          R"("lastTransitionTime":$,"reason":"","message":"Kubernetes Service CIDR is ready"}]}})",
          {facts.service_cidr, now}));
  Value service = document(
      R"({"metadata":{"name":"kubernetes","namespace":"default","labels":{"component":"apiserver","provider":"kubernetes"}},)"
      R"("spec":{"type":"ClusterIP","sessionAffinity":"None","ipFamilyPolicy":"SingleStack","clusterIP":$,"clusterIPs":[$],)"
      R"("ports":[{"name":"https","protocol":"TCP","port":443}]}})",
      {facts.service_address, facts.service_address});
  (*service.find("spec")->find("ports")->array_if())[0].object_if()->set("targetPort", facts.port);
  add(out, "", "services", std::move(service), Need::kRequired);
  // Compat: a loopback address is no endpoint; the rules of both kinds refuse it.
  if (facts.advertise_address.starts_with("127.") || facts.advertise_address == "::1") return;
  Value endpoints = document(
      R"({"metadata":{"name":"kubernetes","namespace":"default","labels":{"endpointslice.kubernetes.io/skip-mirror":"true"}},)"
      R"("subsets":[{"addresses":[{"ip":$}],"ports":[{"name":"https","protocol":"TCP"}]}]})",
      {facts.advertise_address});
  Value& subset = (*endpoints.find("subsets")->array_if())[0];
  (*subset.find("ports")->array_if())[0].object_if()->set("port", facts.port);
  add(out, "", "endpoints", std::move(endpoints), Need::kOptional, Existing::kReplaced);
  const std::string_view family = facts.advertise_address.find(':') == std::string::npos ? "IPv4" : "IPv6";
  Value slice = document(
      R"({"metadata":{"name":"kubernetes","namespace":"default","labels":{"kubernetes.io/service-name":"kubernetes"}},"addressType":$,)"
      R"("endpoints":[{"addresses":[$],"conditions":{"ready":true}}],"ports":[{"name":"https","protocol":"TCP"}]})",
      {family, facts.advertise_address});
  (*slice.find("ports")->array_if())[0].object_if()->set("port", facts.port);
  add(out, "discovery.k8s.io", "endpointslices", std::move(slice), Need::kOptional, Existing::kReplaced);
}

void add_server_objects(std::vector<FirstObject>& out, const Facts& facts) {
  // Compat: named after the host, so that a restart finds its own.
  const std::string id = "apiserver-" + pki::to_hex(pki::sha256(facts.host_name)).substr(0, 26);
  const std::string now = object::format_micro_time(object::to_micro_time(facts.now));
  Value lease = document(
      R"({"metadata":{"name":$,"namespace":"kube-system","labels":{"apiserver.kubernetes.io/identity":"kube-apiserver","kubernetes.io/hostname":$}},)"
      R"("spec":{"holderIdentity":$,"leaseDurationSeconds":3600,"renewTime":$}})",
      {id, facts.host_name, id, now});
  add(out, "coordination.k8s.io", "leases", std::move(lease), Need::kOptional, Existing::kReplaced);
  Value authentication =
      document(R"({"metadata":{"name":"extension-apiserver-authentication","namespace":"kube-system"}})", {});
  if (!facts.client_ca_pem.empty()) {
    Object data;
    data.set("client-ca-file", facts.client_ca_pem);
    authentication.object_if()->set("data", std::move(data));
  }
  add(out, "", "configmaps", std::move(authentication), Need::kOptional, Existing::kReplaced);
  add(out, "", "configmaps",
      document(
          R"({"metadata":{"name":"kube-apiserver-legacy-service-account-token-tracking","namespace":"kube-system"},"data":{"since":$}})",
          {now.substr(0, 10)}));
}

// Adds to `have` what of `wanted` it lacks. True when there was something.
bool add_missing(Object& live, const Value& wanted, std::string_view member) {
  const Value* list = wanted.find(member);
  if (!list || !list->array_if()) return false;
  Value& have = live[member];
  if (!have.is_array()) have = Array{};
  bool changed = false;
  for (const Value& each : *list->array_if()) {
    if (std::ranges::find(*have.array_if(), each) != have.array_if()->end()) continue;
    have.array_if()->push_back(each);
    changed = true;
  }
  return changed;
}

}  // namespace

std::vector<FirstObject> first_objects(const Facts& facts) {
  std::vector<FirstObject> out;
  const std::string now = object::format_time(object::to_time(facts.now));
  add_namespaces(out);
  add_priority_classes(out);
  add_kubernetes_service(out, facts, now);
  add_embedded(out);
  add_api_services(out, facts, now);
  add_server_objects(out, facts);
  return out;
}

Value completed(const Value& live, const Value& wanted) {
  if (live.string_at({"metadata", "annotations", "rbac.authorization.kubernetes.io/autoupdate"}) == "false")
    return nullptr;
  Value result = live;
  Object& object = *result.object_if();
  bool changed = false;
  // Compat: an aggregated role's rules belong to the aggregation.
  if (!wanted.find("aggregationRule")) changed = add_missing(object, wanted, "rules");
  if (wanted.find("roleRef")) changed = add_missing(object, wanted, "subjects") || changed;
  return changed ? result : Value(nullptr);
}

}  // namespace apiserver::bootstrap
