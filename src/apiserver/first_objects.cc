// The objects that every cluster has from its first second. Compat: names and contents as upstream's start-up hooks make them.
#include "apiserver/local_transport.h"
#include "apiserver/server.h"
#include "client/client.h"
#include "gen/core/v1.h"
#include "gen/scheduling/v1.h"
#include "object/names.h"

namespace apiserver {
namespace {

namespace core_v1 = ::api::core::v1;
using PriorityClass = ::api::scheduling::v1::PriorityClass;

// The first address of a range: the kubernetes Service's.
std::string first_address(const std::string& cidr) {
  object::IpPrefix prefix;
  if (!object::parse_cidr(cidr, prefix)) return "";
  object::IpAddress address = prefix.network();
  for (int i = address.size - 1; i >= 0 && ++address.bytes[i] == 0; --i) {
  }
  return object::format_ip(address);
}

template <typename T>
base::Result<void> ensure(const client::Client& client, const T& object) {
  auto made = client.create(object);
  if (made || made.error().reason == base::Reason::kAlreadyExists) return {};
  return base::fail(made.error());
}

PriorityClass priority_class(std::string name, int32_t value, std::string description) {
  PriorityClass result;
  result.metadata.name = std::move(name);
  result.value = value;
  result.description = std::move(description);
  return result;
}

core_v1::Service kubernetes_service(const ServerOptions& options) {
  core_v1::Service service;
  service.metadata.name = "kubernetes";
  service.metadata.namespace_ = "default";
  service.metadata.labels = {{"component", "apiserver"}, {"provider", "kubernetes"}};
  service.spec.type = "ClusterIP";
  service.spec.session_affinity = "None";
  service.spec.cluster_ip = first_address(options.service_cidr);
  service.spec.cluster_ips = {service.spec.cluster_ip};
  core_v1::ServicePort& port = service.spec.ports.emplace_back();
  port.name = "https";
  port.port = 443;
  port.protocol = "TCP";
  port.target_port.int_val = options.port;
  return service;
}

}  // namespace

base::Result<void> make_first_objects(Core& core, const ServerOptions& options) {
  const client::Client client(std::make_shared<LocalTransport>(&core, User{"system:apiserver", "", {"system:masters"}}, "kube-apiserver"));
  for (const char* name : {"kube-system", "kube-public", "kube-node-lease", "default"}) {
    core_v1::Namespace ns;
    ns.metadata.name = name;
    TRY(ensure(client, ns));
  }
  TRY(ensure(client, priority_class("system-node-critical", 2000001000,
                                    "Used for system critical pods that must not be moved from their current node.")));
  TRY(ensure(client, priority_class("system-cluster-critical", 2000000000,
                                    "Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.")));
  return ensure(client, kubernetes_service(options));
}

}  // namespace apiserver
