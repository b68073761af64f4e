#include "api/shared/cells.h"
#include "api/shared/checks.h"
#include "gen/coordination/v1.h"

namespace api {
namespace {

using coordination::v1::Lease;

class LeaseRules final : public RulesFor<Lease> {
 public:
  LeaseRules() : RulesFor("coordination.k8s.io", "v1", "Lease") {}
  UpdateWithoutVersion update_without_version() const override { return UpdateWithoutVersion::kRefused; }
  CreateOnUpdate create_on_update() const override { return CreateOnUpdate::kAllowed; }

  // Compat: the fields of coordinated leader election are off by default; they are dropped unless already stored.
  void prepare_for_create(RuleContext&, Lease& lease) const override {
    lease.spec.strategy.reset();
    lease.spec.preferred_holder.reset();
  }
  void prepare_for_update(RuleContext&, Lease& lease, const Lease& old) const override {
    if (!old.spec.strategy) lease.spec.strategy.reset();
    if (!old.spec.preferred_holder) lease.spec.preferred_holder.reset();
  }
  void validate(RuleContext&, const Lease& lease, FieldErrors& errors) const override {
    const FieldPath spec("spec");
    if (lease.spec.lease_duration_seconds) {
      check_positive(*lease.spec.lease_duration_seconds, spec.child("leaseDurationSeconds"), errors);
    }
    if (lease.spec.lease_transitions) {
      validate_not_negative(*lease.spec.lease_transitions, spec.child("leaseTransitions"), errors);
    }
    if (lease.spec.preferred_holder && !lease.spec.preferred_holder->empty() && !lease.spec.strategy) {
      errors.forbidden(spec.child("preferredHolder"), "may only be specified when `strategy` is defined");
    }
  }
  void validate_update(RuleContext& context, const Lease& lease, const Lease&, FieldErrors& errors) const override {
    validate(context, lease, errors);
  }
  void cells(const Lease& lease, base::WallTime now, TableRow& row) const override {
    row.cells = {lease.metadata.name, lease.spec.holder_identity.value_or(""), age_cell(lease.metadata, now)};
  }
};

}  // namespace

std::unique_ptr<const KindRules> lease_rules() { return std::make_unique<LeaseRules>(); }

}  // namespace api
