#include "controllers/serviceaccount/controller.h"

#include "gen/core/v1.h"

namespace controllers::serviceaccount {
namespace {

using api::core::v1::Namespace;
using api::core::v1::ServiceAccount;

class ServiceAccountController final : public Controller {
 public:
  explicit ServiceAccountController(const Dependencies& dependencies)
      : client_(dependencies.transport),
        namespaces_(dependencies.informers->get<Namespace>()),
        accounts_(dependencies.informers->get<ServiceAccount>()) {}

  std::string_view name() const override { return "serviceaccount-controller"; }
  int workers() const override { return 1; }
  std::vector<WatchSpec> watches() override {
    return {{&namespaces_, enqueue_self()}, {&accounts_, [](const client::Change& change, const EnqueueKey& enqueue) {
                                               if (!change.after && change.key.name == "default")
                                                 enqueue(change.key.ns);
                                             }}};
  }

  base::Result<Requeue> reconcile(const std::string& key) override {
    auto ns = namespaces_.get_as<Namespace>({"", key});
    if (!ns || ns->metadata.deletion_timestamp || ns->status.phase == "Terminating") return Requeue{};
    if (accounts_.get({key, "default"})) return Requeue{};
    ServiceAccount account;
    account.metadata.name = "default";
    account.metadata.namespace_ = key;
    auto created = client_.create(account);
    if (!created && created.error().reason != base::Reason::kAlreadyExists &&
        created.error().reason != base::Reason::kForbidden) {  // forbidden: the namespace began to end
      return base::fail(created.error());
    }
    return Requeue{};
  }

 private:
  const client::Client client_;
  client::Informer& namespaces_;
  client::Informer& accounts_;
};

}  // namespace

std::unique_ptr<Controller> make_controller(const Dependencies& dependencies) {
  return std::make_unique<ServiceAccountController>(dependencies);
}

}  // namespace controllers::serviceaccount
