#include "api/shared/cells.h"
#include "api/shared/strategy.h"
#include "gen/apiregistration/v1.h"
#include "object/names.h"

namespace api {
namespace {

using apiregistration::v1::APIService;

void check_range(int32_t value, int32_t max, const FieldPath& path, FieldErrors& errors) {
  if (value > 0 && value <= max) return;
  errors.invalid(path, value, "must be positive and less than " + std::to_string(max));
}

class ApiServiceRules final : public PlainStatusRules<APIService> {
 public:
  ApiServiceRules() : PlainStatusRules("apiregistration.k8s.io", "v1", "APIService") {}
  NameValidator name_validator() const override { return name_is_path_segment; }
  UpdateWithoutVersion update_without_version() const override { return UpdateWithoutVersion::kRefused; }

  void set_defaults(APIService& object) const override {
    if (object.spec.service && !object.spec.service->port) object.spec.service->port = 443;
  }
  void prepare_for_create(RuleContext& context, APIService& object) const override {
    object.status = {};
    if (object.spec.service) return;
    auto& condition = object.status.conditions.emplace_back();
    condition.type = "Available";
    condition.status = "True";
    condition.reason = "Local";
    condition.message = "Local APIServices are always available";
    condition.last_transition_time = object::to_time(context.now);
  }
  void validate(RuleContext&, const APIService& object, FieldErrors& errors) const override {
    const auto& spec = object.spec;
    const FieldPath metadata("metadata"), path("spec"), service = path.child("service");
    const std::string name = spec.version + "." + spec.group;
    if (object.metadata.name != name) {
      errors.invalid(metadata.child("name"), object.metadata.name,
                     "must be `spec.version+\".\"+spec.group`: \"" + name + "\"");
    }
    if (!spec.group.empty()) validate_dns1123_subdomain(spec.group, path.child("group"), errors);
    errors.invalid_each(path.child("version"), spec.version, object::validate_dns1035_label(spec.version));
    check_range(spec.group_priority_minimum, 20000, path.child("groupPriorityMinimum"), errors);
    check_range(spec.version_priority, 1000, path.child("versionPriority"), errors);
    const FieldPath insecure = path.child("insecureSkipTLSVerify"), bundle = path.child("caBundle");
    const size_t bundle_size = spec.ca_bundle ? spec.ca_bundle->size() : 0;
    if (!spec.service) {
      if (bundle_size > 0) {
        errors.invalid(bundle, std::to_string(bundle_size) + " bytes", "local APIServices may not have a caBundle");
      }
      if (spec.insecure_skip_tls_verify) {
        errors.invalid(insecure, true, "local APIServices may not have insecureSkipTLSVerify");
      }
      return;
    }
    if (spec.service->namespace_.empty()) errors.required(service.child("namespace"));
    if (spec.service->name.empty()) errors.required(service.child("name"));
    for (const auto& message : object::validate_port_number(spec.service->port.value_or(0))) {
      errors.invalid(service.child("port"), spec.service->port.value_or(0), "port is not valid: " + message);
    }
    if (spec.insecure_skip_tls_verify && bundle_size > 0) {
      errors.invalid(insecure, true, "may not be true if caBundle is present");
    }
  }
  void validate_update(RuleContext& context, const APIService& object, const APIService&,
                       FieldErrors& errors) const override {
    validate(context, object, errors);
  }
  void cells(const APIService& object, base::WallTime now, TableRow& row) const override {
    const auto& service = object.spec.service;
    std::string available = "Unknown";
    for (const auto& condition : object.status.conditions) {
      if (condition.type != "Available") continue;
      available = condition.status;
      if (condition.status != "True") available += " (" + condition.reason + ")";
    }
    row.cells = {object.metadata.name, service ? service->namespace_ + "/" + service->name : std::string("Local"),
                 available, age_cell(object.metadata, now)};
  }
};

}  // namespace

std::unique_ptr<const KindRules> api_service_rules() { return std::make_unique<ApiServiceRules>(); }

}  // namespace api
