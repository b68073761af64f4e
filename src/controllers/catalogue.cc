#include "controllers/catalogue.h"

#include "controllers/cronjob/controller.h"
#include "controllers/csrsigning/controller.h"
#include "controllers/daemonset/controller.h"
#include "controllers/deployment/controller.h"
#include "controllers/disruption/controller.h"
#include "controllers/endpoints/controller.h"
#include "controllers/endpointslice/controller.h"
#include "controllers/endpointslicemirroring/controller.h"
#include "controllers/ephemeralvolume/controller.h"
#include "controllers/garbagecollector/controller.h"
#include "controllers/job/controller.h"
#include "controllers/namespace/controller.h"
#include "controllers/nodelifecycle/controller.h"
#include "controllers/persistentvolume/controller.h"
#include "controllers/podgc/controller.h"
#include "controllers/replicaset/controller.h"
#include "controllers/replicationcontroller/controller.h"
#include "controllers/resourcequota/controller.h"
#include "controllers/rootca/controller.h"
#include "controllers/serviceaccount/controller.h"
#include "controllers/serviceaccounttoken/controller.h"
#include "controllers/statefulset/controller.h"
#include "controllers/tainteviction/controller.h"
#include "controllers/ttlafterfinished/controller.h"
#include "controllers/volumeprotection/controller.h"

namespace controllers {

std::vector<std::unique_ptr<Controller>> make_controllers(const Configuration& configuration) {
  const auto as = [&](const std::string& service_account) {
    Dependencies dependencies = configuration.shared;
    dependencies.transport = configuration.transport_for(service_account);
    return dependencies;
  };
  std::vector<std::unique_ptr<Controller>> all;
  all.push_back(ns::make_controller(as("namespace-controller")));
  all.push_back(serviceaccount::make_controller(as("service-account-controller")));
  if (configuration.service_account_key) {
    all.push_back(serviceaccounttoken::make_controller(as("tokens-controller"), configuration.service_account_key,
                                                       configuration.root_ca_pem));
  }
  all.push_back(rootca::make_controller(as("root-ca-cert-publisher"), configuration.root_ca_pem));
  all.push_back(daemonset::make_controller(as("daemon-set-controller")));
  all.push_back(statefulset::make_controller(as("statefulset-controller")));
  all.push_back(deployment::make_controller(as("deployment-controller")));
  all.push_back(replicaset::make_controller(as("replicaset-controller")));
  all.push_back(replicationcontroller::make_controller(as("replication-controller")));
  all.push_back(endpoints::make_controller(as("endpoint-controller")));
  all.push_back(endpointslice::make_controller(as("endpointslice-controller")));
  all.push_back(endpointslicemirroring::make_controller(as("endpointslicemirroring-controller")));
  all.push_back(garbagecollector::make_controller(as("generic-garbage-collector")));
  all.push_back(nodelifecycle::make_controller(as("node-controller")));
  all.push_back(tainteviction::make_controller(as("node-controller")));
  all.push_back(podgc::make_controller(as("pod-garbage-collector")));
  all.push_back(job::make_controller(as("job-controller")));
  all.push_back(cronjob::make_controller(as("cronjob-controller")));
  all.push_back(ttlafterfinished::make_controller(as("ttl-after-finished-controller")));
  all.push_back(persistentvolume::make_controller(as("persistent-volume-binder")));
  all.push_back(volumeprotection::make_claim_controller(as("pvc-protection-controller")));
  all.push_back(volumeprotection::make_volume_controller(as("pv-protection-controller")));
  all.push_back(ephemeralvolume::make_controller(as("ephemeral-volume-controller")));
  all.push_back(disruption::make_controller(as("disruption-controller")));
  all.push_back(resourcequota::make_controller(as("resourcequota-controller")));
  if (configuration.signer) {
    all.push_back(csrsigning::make_controller(as("certificate-controller"), configuration.signer));
  }
  return all;
}

}  // namespace controllers
