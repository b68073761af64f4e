// The rules of every kind, for catalogue.cc.
#pragma once

#include <memory>

#include "api/rules.h"

namespace api {

// core
std::unique_ptr<const KindRules> component_status_rules();
std::unique_ptr<const KindRules> config_map_rules();
std::unique_ptr<const KindRules> endpoints_rules();
std::unique_ptr<const KindRules> event_rules();
std::unique_ptr<const KindRules> limit_range_rules();
std::unique_ptr<const KindRules> namespace_rules();
std::unique_ptr<const KindRules> node_rules();
std::unique_ptr<const KindRules> persistent_volume_claim_rules();
std::unique_ptr<const KindRules> persistent_volume_rules();
std::unique_ptr<const KindRules> pod_rules();
std::unique_ptr<const KindRules> pod_template_rules();
std::unique_ptr<const KindRules> replication_controller_rules();
std::unique_ptr<const KindRules> resource_quota_rules();
std::unique_ptr<const KindRules> secret_rules();
std::unique_ptr<const KindRules> service_account_rules();
std::unique_ptr<const KindRules> service_rules();

// apiextensions
std::unique_ptr<const KindRules> custom_resource_definition_rules();

// apiregistration
std::unique_ptr<const KindRules> api_service_rules();

// apps
std::unique_ptr<const KindRules> controller_revision_rules();
std::unique_ptr<const KindRules> daemon_set_rules();
std::unique_ptr<const KindRules> deployment_rules();
std::unique_ptr<const KindRules> replica_set_rules();
std::unique_ptr<const KindRules> stateful_set_rules();

// autoscaling
std::unique_ptr<const KindRules> horizontal_pod_autoscaler_rules();

// batch
std::unique_ptr<const KindRules> cron_job_rules();
std::unique_ptr<const KindRules> job_rules();

// certificates
std::unique_ptr<const KindRules> certificate_signing_request_rules();
std::unique_ptr<const KindRules> cluster_trust_bundle_rules();
std::unique_ptr<const KindRules> pod_certificate_request_rules();

// networking
std::unique_ptr<const KindRules> ingress_class_rules();
std::unique_ptr<const KindRules> ingress_rules();
std::unique_ptr<const KindRules> ip_address_rules();
std::unique_ptr<const KindRules> network_policy_rules();
std::unique_ptr<const KindRules> service_cidr_rules();

// policy
std::unique_ptr<const KindRules> pod_disruption_budget_rules();

// rbac
std::unique_ptr<const KindRules> cluster_role_binding_rules();
std::unique_ptr<const KindRules> cluster_role_rules();
std::unique_ptr<const KindRules> role_binding_rules();
std::unique_ptr<const KindRules> role_rules();

// storage
std::unique_ptr<const KindRules> csi_driver_rules();
std::unique_ptr<const KindRules> csi_node_rules();
std::unique_ptr<const KindRules> csi_storage_capacity_rules();
std::unique_ptr<const KindRules> storage_class_rules();
std::unique_ptr<const KindRules> volume_attachment_rules();
std::unique_ptr<const KindRules> volume_attributes_class_rules();

// admissionregistration
std::unique_ptr<const KindRules> mutating_admission_policy_rules();
std::unique_ptr<const KindRules> mutating_admission_policy_binding_rules();
std::unique_ptr<const KindRules> mutating_webhook_configuration_rules();
std::unique_ptr<const KindRules> validating_admission_policy_rules();
std::unique_ptr<const KindRules> validating_admission_policy_binding_rules();
std::unique_ptr<const KindRules> validating_webhook_configuration_rules();

// scheduling
std::unique_ptr<const KindRules> priority_class_rules();
std::unique_ptr<const KindRules> workload_rules();

// coordination
std::unique_ptr<const KindRules> lease_rules();
std::unique_ptr<const KindRules> lease_candidate_rules();

// node
std::unique_ptr<const KindRules> runtime_class_rules();

// discovery
std::unique_ptr<const KindRules> endpoint_slice_rules();

// resource
std::unique_ptr<const KindRules> device_class_rules();
std::unique_ptr<const KindRules> device_taint_rule_rules();
std::unique_ptr<const KindRules> resource_claim_rules();
std::unique_ptr<const KindRules> resource_claim_template_rules();
std::unique_ptr<const KindRules> resource_slice_rules();

// flowcontrol
std::unique_ptr<const KindRules> flow_schema_rules();
std::unique_ptr<const KindRules> priority_level_configuration_rules();

// apiserverinternal
std::unique_ptr<const KindRules> storage_version_rules();

// storagemigration
std::unique_ptr<const KindRules> storage_version_migration_rules();

}  // namespace api
