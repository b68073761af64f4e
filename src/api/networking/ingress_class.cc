#include "api/shared/cells.h"
#include "api/shared/strategy.h"
#include "gen/networking/v1.h"
#include "object/names.h"

namespace api {
namespace {

using networking::v1::IngressClass;
using networking::v1::IngressClassParametersReference;

void check_segment(const std::string& value, std::string_view what, const FieldPath& path, FieldErrors& errors) {
  if (value.empty()) return errors.required(path, std::string(what) + " is required");
  errors.invalid_each(path, value, object::validate_path_segment_name(value));
}

void check_parameters(const IngressClassParametersReference& parameters, const FieldPath& path, FieldErrors& errors) {
  const FieldPath scope = path.child("scope"), name_space = path.child("namespace");
  if (parameters.a_pi_group) validate_dns1123_subdomain(*parameters.a_pi_group, path.child("apiGroup"), errors);
  check_segment(parameters.kind, "kind", path.child("kind"), errors);
  check_segment(parameters.name, "name", path.child("name"), errors);
  if (!parameters.scope) return errors.required(scope);
  if (*parameters.scope != "Cluster" && *parameters.scope != "Namespace") {
    errors.not_supported(scope, *parameters.scope, {"Cluster", "Namespace"});
  }
  if (*parameters.scope == "Namespace") {
    if (!parameters.namespace_) {
      errors.required(name_space, "`parameters.scope` is set to 'Namespace'");
    } else {
      errors.invalid_each(name_space, *parameters.namespace_, object::validate_dns1123_label(*parameters.namespace_));
    }
  }
  if (*parameters.scope == "Cluster" && parameters.namespace_) {
    errors.forbidden(name_space, "`parameters.scope` is set to 'Cluster'");
  }
}

class IngressClassRules final : public SpecRules<IngressClass> {
 public:
  IngressClassRules() : SpecRules("networking.k8s.io", "v1", "IngressClass") {}

  void set_defaults(IngressClass& object) const override {
    auto& parameters = object.spec.parameters;
    if (parameters && !parameters->scope) parameters->scope = "Cluster";
  }
  void validate(RuleContext&, const IngressClass& object, FieldErrors& errors) const override {
    constexpr int64_t kMaxController = 250;
    const FieldPath spec("spec"), controller = spec.child("controller");
    if (static_cast<int64_t>(object.spec.controller.size()) > kMaxController) {
      errors.too_long(controller, kMaxController);
    }
    check_domain_prefixed_path(object.spec.controller, controller, errors);
    if (object.spec.parameters) check_parameters(*object.spec.parameters, spec.child("parameters"), errors);
  }
  void validate_update(RuleContext&, const IngressClass& object, const IngressClass& old,
                       FieldErrors& errors) const override {
    const FieldPath spec("spec");
    if (object.spec.parameters) check_parameters(*object.spec.parameters, spec.child("parameters"), errors);
    validate_immutable(object.spec.controller, old.spec.controller, spec.child("controller"), errors);
  }
  void cells(const IngressClass& object, base::WallTime now, TableRow& row) const override {
    std::string text = "<none>";
    if (const auto& parameters = object.spec.parameters) {
      text = parameters->kind;
      if (parameters->a_pi_group) text += "." + *parameters->a_pi_group;
      text += "/" + parameters->name;
    }
    row.cells = {object.metadata.name, object.spec.controller, text, age_cell(object.metadata, now)};
  }
};

}  // namespace

std::unique_ptr<const KindRules> ingress_class_rules() { return std::make_unique<IngressClassRules>(); }

}  // namespace api
