// The plugins, one function each; plugins/<name>.cc says what it does. Thread: any.
#pragma once

#include <memory>

#include "admission/admission.h"

namespace admission {

std::unique_ptr<Plugin> make_namespace_lifecycle();
std::unique_ptr<Plugin> make_limit_ranger();
std::unique_ptr<Plugin> make_service_account();
std::unique_ptr<Plugin> make_taint_nodes_by_condition();
std::unique_ptr<Plugin> make_pod_security();
std::unique_ptr<Plugin> make_priority();
std::unique_ptr<Plugin> make_default_toleration_seconds();
std::unique_ptr<Plugin> make_default_storage_class();
std::unique_ptr<Plugin> make_storage_object_in_use_protection();
std::unique_ptr<Plugin> make_persistent_volume_claim_resize();
std::unique_ptr<Plugin> make_runtime_class();
std::unique_ptr<Plugin> make_certificate_subject_restriction();
std::unique_ptr<Plugin> make_default_ingress_class();
std::unique_ptr<Plugin> make_pod_topology_labels();
std::unique_ptr<Plugin> make_resource_quota();

}  // namespace admission
