// The Service's rules that the allocation of addresses and ports builds on. Pure; thread: any.
//
// Order on create: set defaults, prepare_for_create, init_service_ip_families, allocate (what service_needs_…() asks
// for and is not set), validate. On update the same with the old object.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "gen/core/v1.h"
#include "object/field_error.h"

namespace api {

bool service_is_headless(const core::v1::Service& service);
bool service_needs_cluster_ip(const core::v1::Service& service);  // not ExternalName, not headless
bool service_needs_node_port(const core::v1::Service& service);
// A LoadBalancer with local external traffic.
bool service_needs_health_check_node_port(const core::v1::Service& service);
// Reached from outside the cluster: node ports, load balancers, external IPs.
bool service_externally_accessible(const core::v1::Service& service);

// Fills ipFamilyPolicy and ipFamilies in. `configured`: the cluster's families, the primary first ("IPv4", "IPv6");
// `old` null on create. Errors leave the Service as it was or half filled: it must not be stored then.
void init_service_ip_families(core::v1::Service& service, const core::v1::Service* old,
                              const std::vector<std::string>& configured, object::FieldErrors& errors);

// --- Parts of service.cc ---
// clusterIP, clusterIPs, ipFamilies and ipFamilyPolicy on their own and together.
void validate_service_cluster_ips(const core::v1::Service& service, object::FieldErrors& errors);
// Compat: node ports of a new Service are allocated before upstream validates it, so that of one asked for twice the
// allocation speaks, not the validation.
enum class NodePortClashes : uint8_t { kChecked, kLeftToAllocation };
void validate_service(const core::v1::Service& service, NodePortClashes clashes, object::FieldErrors& errors);
void validate_service_update(const core::v1::Service& service, const core::v1::Service& old,
                             object::FieldErrors& errors);
void validate_service_status(const core::v1::Service& service, object::FieldErrors& errors);
// clusterIP and clusterIPs kept in step for clients that know only the former; `old` null on create.
void normalize_cluster_ips(core::v1::Service& service, const core::v1::Service* old);
// What was allocated and is not given anew stays.
void keep_allocated_values(core::v1::Service& service, const core::v1::Service& old);
// Unchanged fields that the new type does not have are dropped.
void drop_fields_of_old_type(core::v1::Service& service, const core::v1::Service& old);

}  // namespace api
