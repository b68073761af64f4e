#include "api/shared/cells.h"
#include "api/shared/strategy.h"
#include "gen/networking/v1.h"
#include "object/names.h"

namespace api {
namespace {

using networking::v1::ServiceCIDR;

class ServiceCidrRules final : public PlainStatusRules<ServiceCIDR> {
 public:
  ServiceCidrRules() : PlainStatusRules("networking.k8s.io", "v1", "ServiceCIDR") {}

  void validate(RuleContext&, const ServiceCIDR& object, FieldErrors& errors) const override {
    const FieldPath spec("spec"), path = spec.child("cidrs");
    const auto& cidrs = object.spec.cidrs;
    if (cidrs.empty()) return errors.required(path, "at least one CIDR required");
    if (cidrs.size() > 2) return errors.invalid(path, shown(cidrs), "may only hold up to 2 values");
    object::IpPrefix prefixes[2];
    bool parsed = true;
    for (size_t i = 0; i < cidrs.size(); ++i) {
      errors.invalid_each(path.index(i), cidrs[i], object::validate_cidr_strict(cidrs[i]));
      parsed = object::parse_cidr(cidrs[i], prefixes[i], object::IpSyntax::kStrict) && parsed;
    }
    if (parsed && cidrs.size() == 2 && prefixes[0].address.is_v4() == prefixes[1].address.is_v4()) {
      errors.invalid(path, shown(cidrs),
                     "may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/96");
    }
  }
  void validate_update(RuleContext& context, const ServiceCIDR& object, const ServiceCIDR& old,
                       FieldErrors& errors) const override {
    const FieldPath spec("spec"), path = spec.child("cidrs");
    const auto& now = object.spec.cidrs;
    const auto& before = old.spec.cidrs;
    // Only a second family may be added.
    if (now.size() < before.size() || (now.size() == before.size() && now != before)) {
      errors.invalid(path, shown(now), kFieldImmutable);
    } else if (!before.empty() && now[0] != before[0]) {
      errors.invalid(path.index(0), now[0], kFieldImmutable);
    }
    validate(context, object, errors);
  }
  void cells(const ServiceCIDR& object, base::WallTime now, TableRow& row) const override {
    row.cells = {object.metadata.name, join(object.spec.cidrs, ","), age_cell(object.metadata, now)};
  }
};

}  // namespace

std::unique_ptr<const KindRules> service_cidr_rules() { return std::make_unique<ServiceCidrRules>(); }

}  // namespace api
