// ResourceClaim and ResourceClaimTemplate.
#include "api/resource/device_request_rules.h"
#include "api/shared/cells.h"
#include "api/shared/strategy.h"

namespace api {
namespace {

using resource::v1::ResourceClaim;
using resource::v1::ResourceClaimTemplate;

constexpr std::string_view kGroup = "resource.k8s.io";

class ResourceClaimRules final : public PlainStatusRules<ResourceClaim> {
 public:
  ResourceClaimRules() : PlainStatusRules(kGroup, "v1", "ResourceClaim") {}

  void set_defaults(ResourceClaim& claim) const override { set_device_claim_defaults(claim.spec.devices); }
  void validate(RuleContext&, const ResourceClaim& claim, FieldErrors& errors) const override {
    const FieldPath spec("spec");
    validate_device_claim(claim.spec.devices, spec.child("devices"), errors);
  }
  void validate_update(RuleContext&, const ResourceClaim& claim, const ResourceClaim& old,
                       FieldErrors& errors) const override {
    validate_immutable(claim.spec, old.spec, BadValue::verbatim("{}"), FieldPath("spec"), errors);
  }
  void validate_subresource(std::string_view, RuleContext&, const ResourceClaim& claim, const ResourceClaim&,
                            FieldErrors& errors) const override {
    constexpr int64_t kMaxConsumers = 256;
    const FieldPath status("status"), reserved = status.child("reservedFor");
    const auto& consumers = claim.status.reserved_for;
    const auto count = static_cast<int64_t>(consumers.size());
    if (count > kMaxConsumers) errors.too_many(reserved, count, kMaxConsumers);
    if (!consumers.empty() && !claim.status.allocation) {
      errors.forbidden(reserved, "may not be specified when `allocated` is not set");
    }
    for (size_t i = 0; i < consumers.size(); ++i) {
      const FieldPath item = reserved.index(i);
      if (consumers[i].resource.empty()) errors.required(item.child("resource"));
      if (consumers[i].name.empty()) errors.required(item.child("name"));
      if (consumers[i].uid.empty()) errors.required(item.child("uid"));
    }
  }
  void cells(const ResourceClaim& claim, base::WallTime now, TableRow& row) const override {
    std::vector<std::string> states;
    if (claim.metadata.deletion_timestamp) states.emplace_back("deleted");
    states.emplace_back(claim.status.allocation ? "allocated" : "pending");
    if (claim.status.allocation && !claim.status.reserved_for.empty()) states.emplace_back("reserved");
    row.cells = {claim.metadata.name, join(states, ","), age_cell(claim.metadata, now)};
  }
};

class ResourceClaimTemplateRules final : public RulesFor<ResourceClaimTemplate> {
 public:
  ResourceClaimTemplateRules() : RulesFor(kGroup, "v1", "ResourceClaimTemplate") {}

  void set_defaults(ResourceClaimTemplate& object) const override {
    set_device_claim_defaults(object.spec.spec.devices);
  }
  void validate(RuleContext&, const ResourceClaimTemplate& object, FieldErrors& errors) const override {
    const FieldPath outer("spec"), inner = outer.child("spec");
    validate_device_claim(object.spec.spec.devices, inner.child("devices"), errors);
  }
  void validate_update(RuleContext&, const ResourceClaimTemplate& object, const ResourceClaimTemplate& old,
                       FieldErrors& errors) const override {
    validate_immutable(object.spec, old.spec, BadValue::verbatim("{}"), FieldPath("spec"), errors);
  }
  void cells(const ResourceClaimTemplate& object, base::WallTime now, TableRow& row) const override {
    row.cells = {object.metadata.name, age_cell(object.metadata, now)};
  }
};

}  // namespace

std::unique_ptr<const KindRules> resource_claim_rules() { return std::make_unique<ResourceClaimRules>(); }
std::unique_ptr<const KindRules> resource_claim_template_rules() {
  return std::make_unique<ResourceClaimTemplateRules>();
}

}  // namespace api
