// Requests, limits and claims of containers and Pods.
#include <algorithm>

#include "api/core/pod_resources.h"
#include "api/core/pod_validation.h"
#include "object/names.h"
#include "object/quantity.h"

namespace api {

using core::v1::ResourceRequirements;
using object::FieldErrors;
using object::FieldPath;
using object::Quantity;
using object::QuantityValue;

namespace {

bool has_domain(std::string_view name) { return name.find('/') != std::string_view::npos; }

// hugepages-2Mi: the size of one page divides the amount.
bool whole_pages(std::string_view resource, const Quantity& quantity) {
  const auto page = QuantityValue::parse(resource.substr(std::string_view("hugepages-").size()));
  if (!page || page->sign() <= 0 || page->milli_value() % 1000 != 0) return false;
  return QuantityValue::of(quantity).value() % page->value() == 0;
}

void validate_pod_resource_name(std::string_view name, const FieldPath& path, FieldErrors& errors) {
  const size_t before = errors.size();
  validate_resource_name(name, path, errors);
  if (errors.size() == before && !is_pod_level_resource(name)) {
    errors.not_supported(path, name, {"cpu", "hugepages-", "memory"});
  }
}

using NameRule = void (*)(std::string_view, const FieldPath&, FieldErrors&);

class Requirements {
 public:
  Requirements(const ResourceRequirements& resources, NameRule names, const PodValidationOptions& options,
               FieldErrors& errors)
      : resources_(resources), names_(names), options_(options), errors_(errors) {}

  void validate(const FieldPath& path) {
    const FieldPath limits = path.child("limits"), requests = path.child("requests");
    for (const auto& [name, quantity] : resources_.limits) one(name, quantity, limits.key(name));
    for (const auto& [name, quantity] : resources_.requests) {
      const FieldPath at = requests.key(name);
      names_(name, at, errors_);
      validate_resource_quantity(name, quantity, at, errors_);
      against_limit(name, quantity, limits, requests);
      pages(name, quantity, at);
    }
    if (huge_ && !compute_) errors_.forbidden(path, "HugePages require cpu or memory");
  }

 private:
  void one(const std::string& name, const Quantity& quantity, const FieldPath& path) {
    names_(name, path, errors_);
    validate_resource_quantity(name, quantity, path, errors_);
    pages(name, quantity, path);
  }

  void pages(const std::string& name, const Quantity& quantity, const FieldPath& path) {
    if (name == "cpu" || name == "memory") compute_ = true;
    if (!is_huge_page_resource(name)) return;
    huge_ = true;
    if (options_.allow_indivisible_huge_pages || whole_pages(name, quantity)) return;
    errors_.invalid(path, quantity.string, quantity.string + " is not positive integer multiple of " + name);
  }

  void against_limit(const std::string& name, const Quantity& request, const FieldPath& limits,
                     const FieldPath& requests) {
    const auto limit = resources_.limits.find(name);
    if (limit == resources_.limits.end()) {
      if (!is_overcommit_allowed(name)) errors_.required(limits, "Limit must be set for non overcommitable resources");
      return;
    }
    const auto order = object::compare(request, limit->second);
    if (order != 0 && !is_overcommit_allowed(name)) {
      errors_.invalid(requests, request.string, "must be equal to " + name + " limit of " + limit->second.string);
    } else if (order > 0) {
      errors_.invalid(requests, request.string,
                      "must be less than or equal to " + name + " limit of " + limit->second.string);
    }
  }

  const ResourceRequirements& resources_;
  NameRule names_;
  const PodValidationOptions& options_;
  FieldErrors& errors_;
  bool compute_ = false, huge_ = false;
};

// Claims of a container name claims of the Pod, each request of one once.
void validate_claims(const ResourceRequirements& resources, const std::set<std::string_view>& pod_claims,
                     const FieldPath& path, FieldErrors& errors) {
  std::set<std::string> seen;
  for (size_t i = 0; i < resources.claims.size(); ++i) {
    const auto& claim = resources.claims[i];
    const FieldPath at = path.index(i);
    if (claim.name.empty()) {
      errors.required(at);
      continue;
    }
    if (seen.contains(claim.name)) {
      errors.duplicate(at, claim.name);
    } else {
      std::string key = claim.name;
      if (!claim.request.empty()) {
        validate_dns1123_label(claim.request, at.child("request"), errors);
        key += "/" + claim.request;
      }
      const auto covers = [&](const std::string& other) { return other.starts_with(claim.name + "/"); };
      if (seen.contains(key)) {
        errors.duplicate(at, key);
      } else if (claim.request.empty() && std::ranges::any_of(seen, covers)) {
        errors.duplicate(at, claim.name);
      }
      seen.insert(key);
    }
    if (pod_claims.contains(claim.name)) continue;
    std::string detail = "must be one of the names in pod.spec.resourceClaims";
    std::string_view separator = ": ";
    for (const auto& name : pod_claims) {
      detail += separator;
      detail += name;
      separator = ", ";
    }
    if (pod_claims.empty()) detail += " which is empty";
    errors.add({object::FieldErrorType::kNotFound, at.to_string(), object::BadValue(claim.name).text(), detail});
  }
}

object::BadValue shown(const core::v1::PodResourceClaim& claim) {
  auto quoted = [](const std::optional<std::string>& text) {
    return text ? object::BadValue(*text).text() : std::string("null");
  };
  return object::BadValue::verbatim("{\"Name\":" + object::BadValue(claim.name).text() +
                                    ",\"ResourceClaimName\":" + quoted(claim.resource_claim_name) +
                                    ",\"ResourceClaimTemplateName\":" + quoted(claim.resource_claim_template_name) +
                                    "}");
}

void validate_pod_claim(const core::v1::PodResourceClaim& claim, const FieldPath& path, FieldErrors& errors) {
  if (claim.resource_claim_name && claim.resource_claim_template_name) {
    errors.invalid(path, shown(claim),
                   "at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified");
  }
  if (!claim.resource_claim_name && !claim.resource_claim_template_name) {
    errors.invalid(path, shown(claim), "must specify one of: `resourceClaimName`, `resourceClaimTemplateName`");
  }
  if (claim.resource_claim_name) {
    validate_dns1123_subdomain(*claim.resource_claim_name, path.child("resourceClaimName"), errors);
  }
  if (claim.resource_claim_template_name) {
    validate_dns1123_subdomain(*claim.resource_claim_template_name, path.child("resourceClaimTemplateName"), errors);
  }
}

}  // namespace

void validate_resource_name(std::string_view name, const FieldPath& path, FieldErrors& errors) {
  const auto messages = object::validate_qualified_name(name);
  errors.invalid_each(path, name, messages);
  if (messages.empty() && !has_domain(name) && !is_standard_resource(name)) {
    errors.invalid(path, name, "must be a standard resource type or fully qualified");
  }
}

void validate_container_resource_name(std::string_view name, const FieldPath& path, FieldErrors& errors) {
  validate_resource_name(name, path, errors);
  if (!has_domain(name)) {
    if (name != "cpu" && name != "memory" && name != "ephemeral-storage" && !is_huge_page_resource(name)) {
      errors.invalid(path, name, "must be a standard resource for containers");
    }
  } else if (!is_native_resource(name) && !is_extended_resource(name)) {
    errors.invalid(path, name, "doesn't follow extended resource name standard");
  }
}

void validate_resource_quantity(std::string_view resource, const Quantity& value, const FieldPath& path,
                                FieldErrors& errors) {
  validate_not_negative(value, path, errors);
  if (is_integer_resource(resource) && QuantityValue::of(value).milli_value() % 1000 != 0) {
    errors.invalid(path, value.string, "must be an integer");
  }
}

void validate_resource_requirements(const ResourceRequirements& resources,
                                    const std::vector<core::v1::PodResourceClaim>& pod_claims, const FieldPath& path,
                                    const PodValidationOptions& options, FieldErrors& errors) {
  Requirements(resources, validate_container_resource_name, options, errors).validate(path);
  std::set<std::string_view> names;
  for (const auto& claim : pod_claims) {
    if (!claim.name.empty()) names.insert(claim.name);
  }
  validate_claims(resources, names, path.child("claims"), errors);
}

void validate_container_resources(const PodCheck& check, const ResourceRequirements& resources, const FieldPath& path) {
  Requirements(resources, validate_container_resource_name, check.options, check.errors).validate(path);
  validate_claims(resources, check.claims, path.child("claims"), check.errors);
}

void validate_resource_claims(PodCheck& check, const FieldPath& path) {
  std::set<std::string_view> names;
  for (size_t i = 0; i < check.spec.resource_claims.size(); ++i) {
    const auto& claim = check.spec.resource_claims[i];
    const FieldPath at = path.index(i);
    if (claim.name.empty()) {
      check.errors.required(at.child("name"));
    } else if (!names.insert(claim.name).second) {
      check.errors.duplicate(at.child("name"), claim.name);
    } else {
      validate_dns1123_label(claim.name, at.child("name"), check.errors);
    }
    validate_pod_claim(claim, at, check.errors);
    if (!claim.name.empty()) check.claims.insert(claim.name);
  }
}

void validate_pod_level_resources(const PodCheck& check, const FieldPath& path) {
  if (!check.spec.resources) return;
  FieldErrors& errors = check.errors;
  const auto& resources = *check.spec.resources;
  if (!resources.claims.empty()) {
    errors.forbidden(path.child("claims"), "claims cannot be set for Resources at pod-level");
  }
  Requirements(resources, validate_pod_resource_name, check.options, errors).validate(path);
  validate_claims(resources, check.claims, path.child("claims"), errors);
  const FieldPath requests = path.child("requests");
  for (const auto& [name, sum] : aggregate_container_requests(check.spec)) {
    const auto own = resources.requests.find(name);
    const Quantity stated = own == resources.requests.end() ? Quantity{"0"} : own->second;
    if (object::compare(sum, stated) > 0) {
      errors.invalid(requests.key(name), stated.string,
                     "must be greater than or equal to aggregate container requests of " + sum.string);
    }
  }
  // Compat: the path of a container's limit is spelt below the Pod's resources.
  const FieldPath containers = path.child("containers");
  for (size_t i = 0; i < check.spec.containers.size(); ++i) {
    const FieldPath at = containers.index(i);
    for (const auto& [name, limit] : check.spec.containers[i].resources.limits) {
      const auto own = resources.limits.find(name);
      if (own == resources.limits.end() || object::compare(limit, own->second) <= 0) continue;
      const FieldPath key = at.key(name);
      errors.invalid(key.child("limits"), limit.string,
                     "must be less than or equal to pod limits of " + own->second.string);
    }
  }
}

}  // namespace api
