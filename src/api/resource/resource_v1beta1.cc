#include "api/resource/resource_v1beta1.h"

namespace api {
namespace {

namespace v1 = resource::v1;
namespace v1beta1 = resource::v1beta1;

// What a request and its alternatives have in both versions.
template <typename From, typename To>
void copy_request(const From& from, To& to) {
  to.device_class_name = from.device_class_name;
  to.selectors = from.selectors;
  to.allocation_mode = from.allocation_mode;
  to.count = from.count;
  to.tolerations = from.tolerations;
  to.capacity = from.capacity;
}

bool asks_itself(const v1beta1::DeviceRequest& request) {
  return !request.device_class_name.empty() || !request.selectors.empty() || !request.allocation_mode.empty() ||
         request.count != 0 || request.admin_access || !request.tolerations.empty() || request.capacity;
}

void claim_to_stored(const v1beta1::DeviceClaim& served, v1::DeviceClaim& stored) {
  stored.constraints = served.constraints;
  stored.config = served.config;
  stored.requests.clear();
  for (const auto& request : served.requests) {
    v1::DeviceRequest& made = stored.requests.emplace_back();
    made.name = request.name;
    for (const auto& sub : request.first_available) {
      v1::DeviceSubRequest& alternative = made.first_available.emplace_back();
      alternative.name = sub.name;
      copy_request(sub, alternative);
    }
    if (!asks_itself(request)) continue;
    v1::ExactDeviceRequest& exactly = made.exactly.ensure();
    copy_request(request, exactly);
    exactly.admin_access = request.admin_access;
  }
}

void claim_from_stored(const v1::DeviceClaim& stored, v1beta1::DeviceClaim& served) {
  served.constraints = stored.constraints;
  served.config = stored.config;
  served.requests.clear();
  for (const auto& request : stored.requests) {
    v1beta1::DeviceRequest& made = served.requests.emplace_back();
    made.name = request.name;
    for (const auto& sub : request.first_available) {
      v1beta1::DeviceSubRequest& alternative = made.first_available.emplace_back();
      alternative.name = sub.name;
      copy_request(sub, alternative);
    }
    if (!request.exactly) continue;
    copy_request(*request.exactly, made);
    made.admin_access = request.exactly->admin_access;
  }
}

template <typename Request>
void set_request_defaults(Request& request) {
  if (request.allocation_mode.empty()) request.allocation_mode = "ExactCount";
  if (request.allocation_mode == "ExactCount" && request.count == 0) request.count = 1;
}

void set_claim_defaults(v1beta1::DeviceClaim& claim) {
  for (auto& request : claim.requests) {
    // Compat: one without a class has alternatives instead.
    if (!request.device_class_name.empty()) set_request_defaults(request);
    for (auto& sub : request.first_available) set_request_defaults(sub);
  }
}

// The members of a device, which v1beta1 has one level deeper.
template <typename From, typename To>
void copy_device(const From& from, To& to) {
  to.attributes = from.attributes;
  to.capacity = from.capacity;
  to.consumes_counters = from.consumes_counters;
  to.node_name = from.node_name;
  to.node_selector = from.node_selector;
  to.all_nodes = from.all_nodes;
  to.taints = from.taints;
  to.binds_to_node = from.binds_to_node;
  to.binding_conditions = from.binding_conditions;
  to.binding_failure_conditions = from.binding_failure_conditions;
  to.allow_multiple_allocations = from.allow_multiple_allocations;
}

// What a slice's spec has in both versions.
template <typename From, typename To>
void copy_slice(const From& from, To& to) {
  to.driver = from.driver;
  to.pool = from.pool;
  to.node_selector = from.node_selector;
  to.per_device_node_selection = from.per_device_node_selection;
  to.shared_counters = from.shared_counters;
}

}  // namespace

void resource_claim_to_stored(const v1beta1::ResourceClaim& served, v1::ResourceClaim& stored) {
  stored.metadata = served.metadata;
  claim_to_stored(served.spec.devices, stored.spec.devices);
  stored.status = served.status;
}
void resource_claim_from_stored(const v1::ResourceClaim& stored, v1beta1::ResourceClaim& served) {
  served.metadata = stored.metadata;
  claim_from_stored(stored.spec.devices, served.spec.devices);
  served.status = stored.status;
}
void resource_claim_v1beta1_defaults(v1beta1::ResourceClaim& served) { set_claim_defaults(served.spec.devices); }

void claim_template_to_stored(const v1beta1::ResourceClaimTemplate& served, v1::ResourceClaimTemplate& stored) {
  stored.metadata = served.metadata;
  stored.spec.metadata = served.spec.metadata;
  claim_to_stored(served.spec.spec.devices, stored.spec.spec.devices);
}
void claim_template_from_stored(const v1::ResourceClaimTemplate& stored, v1beta1::ResourceClaimTemplate& served) {
  served.metadata = stored.metadata;
  served.spec.metadata = stored.spec.metadata;
  claim_from_stored(stored.spec.spec.devices, served.spec.spec.devices);
}
void claim_template_v1beta1_defaults(v1beta1::ResourceClaimTemplate& served) {
  set_claim_defaults(served.spec.spec.devices);
}

void resource_slice_to_stored(const v1beta1::ResourceSlice& served, v1::ResourceSlice& stored) {
  stored.metadata = served.metadata;
  copy_slice(served.spec, stored.spec);
  stored.spec.node_name.reset();
  stored.spec.all_nodes.reset();
  if (!served.spec.node_name.empty()) stored.spec.node_name = served.spec.node_name;
  if (served.spec.all_nodes) stored.spec.all_nodes = true;
  stored.spec.devices.clear();
  for (const auto& device : served.spec.devices) {
    v1::Device& made = stored.spec.devices.emplace_back();
    made.name = device.name;
    if (device.basic) copy_device(*device.basic, made);
  }
}
void resource_slice_from_stored(const v1::ResourceSlice& stored, v1beta1::ResourceSlice& served) {
  served.metadata = stored.metadata;
  copy_slice(stored.spec, served.spec);
  served.spec.node_name = stored.spec.node_name.value_or("");
  served.spec.all_nodes = stored.spec.all_nodes.value_or(false);
  served.spec.devices.clear();
  for (const auto& device : stored.spec.devices) {
    v1beta1::Device& made = served.spec.devices.emplace_back();
    made.name = device.name;
    // Compat: written for a device without members too.
    copy_device(device, made.basic.ensure());
  }
}

}  // namespace api
