#include "api/resource/device_request_rules.h"

#include <set>

namespace api {
namespace {

constexpr int64_t kMaxRequests = 32;
constexpr int64_t kMaxSubRequests = 8;
constexpr int64_t kMaxSelectors = 32;

template <typename Request>
void set_request_defaults(Request& request) {
  if (request.allocation_mode.empty()) request.allocation_mode = "ExactCount";
  if (request.allocation_mode == "ExactCount" && request.count == 0) request.count = 1;
  for (auto& toleration : request.tolerations) {
    if (toleration.operator_.empty()) toleration.operator_ = "Equal";
  }
}

template <typename Request>
void check_request(const Request& request, const FieldPath& path, FieldErrors& errors) {
  if (request.device_class_name.empty()) {
    errors.required(path.child("deviceClassName"));
  } else {
    validate_dns1123_subdomain(request.device_class_name, path.child("deviceClassName"), errors);
  }
  validate_device_selectors(request.selectors, path.child("selectors"), errors);
  if (request.allocation_mode == "All") {
    if (request.count != 0) {
      errors.invalid(path.child("count"), request.count, "must not be specified when allocationMode is 'All'");
    }
  } else if (request.allocation_mode == "ExactCount") {
    if (request.count <= 0) errors.invalid(path.child("count"), request.count, "must be greater than zero");
  } else {
    errors.not_supported(path.child("allocationMode"), request.allocation_mode, {"All", "ExactCount"});
  }
}

void check_names(const resource::v1::DeviceRequest& request, const FieldPath& path, FieldErrors& errors) {
  const auto count = static_cast<int64_t>(request.first_available.size());
  const FieldPath list = path.child("firstAvailable");
  if (count > kMaxSubRequests) errors.too_many(list, count, kMaxSubRequests);
  std::set<std::string_view> seen;
  for (size_t i = 0; i < request.first_available.size(); ++i) {
    const FieldPath item = list.index(i);
    const auto& sub = request.first_available[i];
    validate_dns1123_label(sub.name, item.child("name"), errors);
    if (!seen.insert(sub.name).second) errors.duplicate(item.child("name"), sub.name);
    check_request(sub, item, errors);
  }
}

}  // namespace

void validate_device_selectors(const std::vector<resource::v1::DeviceSelector>& selectors, const FieldPath& path,
                               FieldErrors& errors) {
  const auto count = static_cast<int64_t>(selectors.size());
  if (count > kMaxSelectors) errors.too_many(path, count, kMaxSelectors);
  for (size_t i = 0; i < selectors.size(); ++i) {
    const FieldPath item = path.index(i);
    if (!selectors[i].cel) errors.required(item.child("cel"));
  }
}

void set_device_claim_defaults(resource::v1::DeviceClaim& claim) {
  for (auto& request : claim.requests) {
    if (request.exactly) set_request_defaults(*request.exactly);
    for (auto& sub : request.first_available) set_request_defaults(sub);
  }
}

void validate_device_claim(const resource::v1::DeviceClaim& claim, const FieldPath& path, FieldErrors& errors) {
  const FieldPath requests = path.child("requests");
  const auto count = static_cast<int64_t>(claim.requests.size());
  if (count > kMaxRequests) errors.too_many(requests, count, kMaxRequests);
  std::set<std::string_view> seen;
  for (size_t i = 0; i < claim.requests.size(); ++i) {
    const auto& request = claim.requests[i];
    const FieldPath item = requests.index(i);
    if (request.name.empty()) {
      errors.required(item.child("name"));
    } else {
      validate_dns1123_label(request.name, item.child("name"), errors);
    }
    if (!seen.insert(request.name).second) errors.duplicate(item.child("name"), request.name);
    if (!request.exactly && request.first_available.empty()) {
      errors.required(item, "exactly one of `exactly` or `firstAvailable` is required");
    } else if (request.exactly && !request.first_available.empty()) {
      errors.invalid(item, BadValue::verbatim(""), "exactly one of `exactly` or `firstAvailable` is required");
    }
    if (request.exactly) check_request(*request.exactly, item.child("exactly"), errors);
    check_names(request, item, errors);
  }
}

}  // namespace api
