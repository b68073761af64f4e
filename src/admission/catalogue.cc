// The admission plugins, in running order: upstream's.
#include "admission/admission.h"
#include "admission/plugins/plugins.h"

namespace admission {

std::vector<std::unique_ptr<Plugin>> default_plugins() {
  std::vector<std::unique_ptr<Plugin>> plugins;
  plugins.push_back(make_namespace_lifecycle());
  plugins.push_back(make_limit_ranger());
  plugins.push_back(make_service_account());
  plugins.push_back(make_taint_nodes_by_condition());
  plugins.push_back(make_pod_security());
  plugins.push_back(make_priority());
  plugins.push_back(make_default_toleration_seconds());
  plugins.push_back(make_default_storage_class());
  plugins.push_back(make_storage_object_in_use_protection());
  plugins.push_back(make_persistent_volume_claim_resize());
  plugins.push_back(make_runtime_class());
  plugins.push_back(make_certificate_subject_restriction());
  plugins.push_back(make_default_ingress_class());
  plugins.push_back(make_pod_topology_labels());
  plugins.push_back(make_resource_quota());
  return plugins;
}

}  // namespace admission
