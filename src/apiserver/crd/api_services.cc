#include "apiserver/crd/api_services.h"

#include "apiserver/core.h"
#include "base/log.h"
#include "client/client.h"
#include "gen/apiregistration/v1.h"
#include "gen/catalogue.h"

namespace apiserver {
namespace {

// Compat: below all built-in groups; versions of a group are ordered by their names.
constexpr int32_t kGroupPriority = 1000, kVersionPriority = 100;
constexpr std::string_view kAutomanaged = "kube-aggregator.kubernetes.io/automanaged";

client::Call call_for(client::Verb verb) {
  client::Call call;
  call.verb = verb;
  call.resource = gen::find_resource("apiregistration.k8s.io", "v1", "apiservices", "");
  return call;
}

// Nobody waits: an APIService is there for those who look.
void send(LocalTransport& transport, client::Call call, std::string name) {
  transport.call(std::move(call), [name = std::move(name)](base::Result<client::RawObject> done) {
    if (done || done.error().reason == base::Reason::kAlreadyExists || done.error().reason == base::Reason::kNotFound)
      return;
    base::log::warning("an APIService is not as it should be", {{"name", name}, {"error", done.error().message}});
  });
}

}  // namespace

void ApiServices::set(const std::string& definition, const std::string& group,
                      const std::vector<std::string>& versions) {
  std::set<std::string> wanted;
  for (const std::string& version : versions) {
    std::string name = version + "." + group;
    std::set<std::string>& users = users_[name];
    if (users.empty()) create(group, version);
    users.insert(definition);
    wanted.insert(std::move(name));
  }
  std::set<std::string>& had = by_definition_[definition];
  for (const std::string& name : had) {
    if (wanted.contains(name)) continue;
    auto found = users_.find(name);
    found->second.erase(definition);
    if (!found->second.empty()) continue;
    users_.erase(found);
    remove(name);
  }
  had = std::move(wanted);
  if (had.empty()) by_definition_.erase(definition);
}

void ApiServices::create(const std::string& group, const std::string& version) {
  ::api::apiregistration::v1::APIService service;
  service.metadata.name = version + "." + group;
  if (core_->get("apiregistration.k8s.io", "apiservices", "", service.metadata.name)) return;
  service.metadata.labels[std::string(kAutomanaged)] = "true";
  service.spec.group = group;
  service.spec.version = version;
  service.spec.group_priority_minimum = kGroupPriority;
  service.spec.version_priority = kVersionPriority;
  client::Call call = call_for(client::Verb::kCreate);
  call.body = client::encode_object(service);
  send(*transport_, std::move(call), service.metadata.name);
}

void ApiServices::remove(const std::string& name) {
  client::Call call = call_for(client::Verb::kDelete);
  call.name = name;
  send(*transport_, std::move(call), name);
}

}  // namespace apiserver
