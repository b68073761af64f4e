#include "controllers/rootca/controller.h"

#include "gen/core/v1.h"

namespace controllers::rootca {
namespace {

using api::core::v1::ConfigMap;
using api::core::v1::Namespace;

constexpr const char* kName = "kube-root-ca.crt";
constexpr const char* kKey = "ca.crt";
constexpr const char* kDescriptionAnnotation = "kubernetes.io/description";
constexpr const char* kDescription =
    "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the "
    "internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes "
    "clusters.";

class RootCaController final : public Controller {
 public:
  RootCaController(const Dependencies& dependencies, std::string root_ca)
      : client_(dependencies.transport),
        root_ca_(std::move(root_ca)),
        namespaces_(dependencies.informers->get<Namespace>()),
        maps_(dependencies.informers->get<ConfigMap>()) {}

  std::string_view name() const override { return "root-ca-certificate-publisher-controller"; }
  int workers() const override { return 1; }
  std::vector<WatchSpec> watches() override {
    return {{&namespaces_, enqueue_self()}, {&maps_, [](const client::Change& change, const EnqueueKey& enqueue) {
                                               if (change.key.name == kName && change.before) enqueue(change.key.ns);
                                             }}};
  }

  base::Result<Requeue> reconcile(const std::string& key) override {
    auto ns = namespaces_.get_as<Namespace>({"", key});
    if (!ns || ns->metadata.deletion_timestamp || ns->status.phase == "Terminating") return Requeue{};
    auto found = maps_.get_as<ConfigMap>({key, kName});
    const std::map<std::string, std::string> data = {{kKey, root_ca_}};
    if (!found) {
      ConfigMap map;
      map.metadata.name = kName;
      map.metadata.namespace_ = key;
      map.metadata.annotations[kDescriptionAnnotation] = kDescription;
      map.data = data;
      return outcome(client_.create(map));
    }
    if (found->data == data && found->metadata.annotations.contains(kDescriptionAnnotation)) return Requeue{};
    found->data = data;
    found->metadata.annotations[kDescriptionAnnotation] = kDescription;
    return outcome(client_.update(*found));
  }

 private:
  static base::Result<Requeue> outcome(const base::Result<ConfigMap>& written) {
    if (written || written.error().reason == base::Reason::kAlreadyExists ||
        written.error().reason == base::Reason::kForbidden) {  // forbidden: the namespace began to end
      return Requeue{};
    }
    return base::fail(written.error());
  }

  const client::Client client_;
  const std::string root_ca_;
  client::Informer& namespaces_;
  client::Informer& maps_;
};

}  // namespace

std::unique_ptr<Controller> make_controller(const Dependencies& dependencies, std::string root_ca_pem) {
  return std::make_unique<RootCaController>(dependencies, std::move(root_ca_pem));
}

}  // namespace controllers::rootca
