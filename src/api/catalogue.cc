// Every kind with rules: one line each, groups in the order of discovery.
#include "api/admissionregistration/mutating_admission_policy.h"
#include "api/autoscaling/horizontal_pod_autoscaler.h"
#include "api/core/event.h"
#include "api/kinds.h"
#include "api/resource/resource_v1beta1.h"
#include "api/rules.h"

namespace api {
namespace {

// A conversion between two structs with typed functions.
template <typename Served, typename Stored, void (*ToStored)(const Served&, Stored&),
          void (*FromStored)(const Stored&, Served&), void (*Defaults)(Served&) = nullptr>
Conversion conversion_of() {
  return {
      .served = &gen::message_of<Served>(),
      .stored = &gen::message_of<Stored>(),
      .to_stored = [](const void* served,
                      void* stored) { ToStored(*static_cast<const Served*>(served), *static_cast<Stored*>(stored)); },
      .from_stored =
          [](const void* stored, void* served) {
            FromStored(*static_cast<const Stored*>(stored), *static_cast<Served*>(served));
          },
      .set_defaults =
          [](void* served) {
            if constexpr (Defaults != nullptr) Defaults(*static_cast<Served*>(served));
          }};
}

template <typename T, void (*Defaults)(T&)>
void defaults_of(void* object) {
  Defaults(*static_cast<T*>(object));
}

void add_core_and_workloads(std::vector<std::unique_ptr<const KindRules>>& rules) {
  // core
  rules.push_back(component_status_rules());
  rules.push_back(config_map_rules());
  rules.push_back(endpoints_rules());
  rules.push_back(event_rules());
  rules.push_back(limit_range_rules());
  rules.push_back(namespace_rules());
  rules.push_back(node_rules());
  rules.push_back(persistent_volume_claim_rules());
  rules.push_back(persistent_volume_rules());
  rules.push_back(pod_rules());
  rules.push_back(pod_template_rules());
  rules.push_back(replication_controller_rules());
  rules.push_back(resource_quota_rules());
  rules.push_back(secret_rules());
  rules.push_back(service_account_rules());
  rules.push_back(service_rules());
  // apiextensions
  rules.push_back(custom_resource_definition_rules());
  // apiregistration
  rules.push_back(api_service_rules());
  // apps
  rules.push_back(controller_revision_rules());
  rules.push_back(daemon_set_rules());
  rules.push_back(deployment_rules());
  rules.push_back(replica_set_rules());
  rules.push_back(stateful_set_rules());
  // autoscaling
  rules.push_back(horizontal_pod_autoscaler_rules());
  // batch
  rules.push_back(cron_job_rules());
  rules.push_back(job_rules());
  // certificates
  rules.push_back(certificate_signing_request_rules());
  rules.push_back(cluster_trust_bundle_rules());
  rules.push_back(pod_certificate_request_rules());
  // networking
  rules.push_back(ingress_class_rules());
  rules.push_back(ingress_rules());
  rules.push_back(ip_address_rules());
  rules.push_back(network_policy_rules());
  rules.push_back(service_cidr_rules());
}

void add_the_rest(std::vector<std::unique_ptr<const KindRules>>& rules) {
  // policy
  rules.push_back(pod_disruption_budget_rules());
  // rbac
  rules.push_back(cluster_role_binding_rules());
  rules.push_back(cluster_role_rules());
  rules.push_back(role_binding_rules());
  rules.push_back(role_rules());
  // storage
  rules.push_back(csi_driver_rules());
  rules.push_back(csi_node_rules());
  rules.push_back(csi_storage_capacity_rules());
  rules.push_back(storage_class_rules());
  rules.push_back(volume_attachment_rules());
  rules.push_back(volume_attributes_class_rules());
  // admissionregistration
  rules.push_back(mutating_admission_policy_rules());
  rules.push_back(mutating_admission_policy_binding_rules());
  rules.push_back(mutating_webhook_configuration_rules());
  rules.push_back(validating_admission_policy_rules());
  rules.push_back(validating_admission_policy_binding_rules());
  rules.push_back(validating_webhook_configuration_rules());
  // scheduling
  rules.push_back(priority_class_rules());
  rules.push_back(workload_rules());
  // coordination
  rules.push_back(lease_rules());
  rules.push_back(lease_candidate_rules());
  // node
  rules.push_back(runtime_class_rules());
  // discovery
  rules.push_back(endpoint_slice_rules());
  // resource
  rules.push_back(device_class_rules());
  rules.push_back(device_taint_rule_rules());
  rules.push_back(resource_claim_rules());
  rules.push_back(resource_claim_template_rules());
  rules.push_back(resource_slice_rules());
  // flowcontrol
  rules.push_back(flow_schema_rules());
  rules.push_back(priority_level_configuration_rules());
  // apiserverinternal
  rules.push_back(storage_version_rules());
  // storagemigration
  rules.push_back(storage_version_migration_rules());
}

}  // namespace

Catalogue::Catalogue() {
  add_core_and_workloads(rules_);
  add_the_rest(rules_);

  conversions_.push_back(
      conversion_of<autoscaling::v1::HorizontalPodAutoscaler, autoscaling::v2::HorizontalPodAutoscaler,
                    autoscaler_to_stored, autoscaler_from_stored, autoscaler_v1_defaults>());
  conversions_.back().written_annotations = autoscaler_v1_annotations();
  conversions_.push_back(conversion_of<events::v1::Event, core::v1::Event, event_to_stored, event_from_stored>());
  conversions_.back().stored_field = stored_event_field;
  conversions_.push_back(
      conversion_of<resource::v1beta1::ResourceClaim, resource::v1::ResourceClaim, resource_claim_to_stored,
                    resource_claim_from_stored, resource_claim_v1beta1_defaults>());
  conversions_.push_back(
      conversion_of<resource::v1beta1::ResourceClaimTemplate, resource::v1::ResourceClaimTemplate,
                    claim_template_to_stored, claim_template_from_stored, claim_template_v1beta1_defaults>());
  conversions_.push_back(conversion_of<resource::v1beta1::ResourceSlice, resource::v1::ResourceSlice,
                                       resource_slice_to_stored, resource_slice_from_stored>());

  defaults_.push_back({gen::find_message("admissionregistration.v1alpha1", "MutatingAdmissionPolicyBinding"),
                       defaults_of<admissionregistration::v1beta1::MutatingAdmissionPolicyBinding,
                                   mutating_policy_binding_v1alpha1_defaults>});
}

}  // namespace api
