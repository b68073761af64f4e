#include "cmd/components.h"

#include <string>

#include "apiserver/local_transport.h"
#include "base/executor.h"
#include "client/informer.h"
#include "controllers/catalogue.h"
#include "controllers/runtime/engine.h"
#include "hollow/nodes.h"
#include "scheduler/scheduler.h"

namespace cmd {

class Components::Impl {
 public:
  explicit Impl(ComponentOptions options) : options_(std::move(options)) {}

  base::Result<void> start() {
    informers_ = std::make_unique<client::InformerFactory>(
        transport("system:kube-controller-manager", "kube-controller-manager"), &pool_);
    engine_ = std::make_unique<controllers::Engine>(&pool_, options_.clock);
    for (auto& controller : controllers::make_controllers(controller_configuration()))
      engine_->add(std::move(controller));
    scheduler::SchedulerDependencies scheduling;
    scheduling.informers = informers_.get();
    scheduling.transport = transport("system:kube-scheduler", "kube-scheduler");
    scheduling.clock = options_.clock;
    scheduling.rng = options_.rng;
    scheduling.executor = &scheduling_pool_;
    scheduler_ = std::make_unique<scheduler::Scheduler>(std::move(scheduling));
    hollow::Options nodes;
    nodes.count = options_.nodes;
    nodes_ = std::make_unique<hollow::HollowNodes>(nodes, hollow_dependencies());
    engine_->start();
    scheduler_->start();
    informers_->start();
    nodes_->start();
    return {};
  }

  void stop() {
    if (!informers_) return;
    nodes_->stop();
    scheduler_->stop();
    engine_->stop();
    informers_->stop();
    pool_.stop();
    scheduling_pool_.stop();
    nodes_.reset();
    scheduler_.reset();
    engine_.reset();
    informers_.reset();
  }

 private:
  std::shared_ptr<client::Transport> transport(const std::string& user, const std::string& manager,
                                               std::vector<std::string> groups = {}) {
    groups.emplace_back("system:authenticated");
    return std::make_shared<apiserver::LocalTransport>(options_.core, apiserver::User{user, "", std::move(groups)},
                                                       manager);
  }
  controllers::Configuration controller_configuration() {
    controllers::Configuration configuration;
    configuration.shared.informers = informers_.get();
    configuration.shared.clock = options_.clock;
    configuration.shared.rng = options_.rng;
    configuration.shared.workers = &pool_;
    configuration.root_ca_pem = options_.root_ca_pem;
    configuration.signer = options_.signer;
    configuration.service_account_key = [core = options_.core] { return core->token_key(); };
    configuration.transport_for = [this](const std::string& account) {
      return transport("system:serviceaccount:kube-system:" + account, "kube-controller-manager",
                       {"system:serviceaccounts", "system:serviceaccounts:kube-system"});
    };
    return configuration;
  }
  hollow::Dependencies hollow_dependencies() {
    hollow::Dependencies dependencies;
    dependencies.informers = informers_.get();
    dependencies.clock = options_.clock;
    dependencies.executor = &pool_;
    dependencies.transport_for = [this](const std::string& node) {
      return transport("system:node:" + node, "kubelet", {"system:nodes"});
    };
    return dependencies;
  }

  const ComponentOptions options_;
  base::ThreadPool pool_{"controllers", 4};
  base::ThreadPool scheduling_pool_{"scheduler", 1};
  std::unique_ptr<client::InformerFactory> informers_;
  std::unique_ptr<controllers::Engine> engine_;
  std::unique_ptr<scheduler::Scheduler> scheduler_;
  std::unique_ptr<hollow::HollowNodes> nodes_;
};

Components::Components(ComponentOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}
Components::~Components() { stop(); }
base::Result<void> Components::start() { return impl_->start(); }
void Components::stop() { impl_->stop(); }

}  // namespace cmd
