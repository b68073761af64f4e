#include <algorithm>

#include "api/core/pod_spec.h"
#include "api/core/volume_cells.h"
#include "api/shared/cells.h"
#include "api/shared/strategy.h"
#include "object/quantity.h"

namespace api {
namespace {

using core::v1::PersistentVolumeClaim;
using core::v1::PersistentVolumeClaimSpec;

// dataSource and dataSourceRef say the same where both can.
void align_sources(PersistentVolumeClaimSpec& spec) {
  if (spec.data_source && !spec.data_source_ref) {
    auto& reference = spec.data_source_ref.ensure();
    reference.api_group = spec.data_source->api_group;
    reference.kind = spec.data_source->kind;
    reference.name = spec.data_source->name;
  } else if (spec.data_source_ref && !spec.data_source && spec.data_source_ref->namespace_.value_or("").empty()) {
    auto& source = spec.data_source.ensure();
    source.api_group = spec.data_source_ref->api_group;
    source.kind = spec.data_source_ref->kind;
    source.name = spec.data_source_ref->name;
  }
}

// Compat: the older field takes claims and snapshots only; anything else in it is dropped.
void drop_unknown_source(PersistentVolumeClaimSpec& spec) {
  if (!spec.data_source || spec.data_source_ref) return;
  const std::string group = spec.data_source->api_group.value_or("");
  const std::string& kind = spec.data_source->kind;
  const bool known = (kind == "PersistentVolumeClaim" && group.empty()) ||
                     (kind == "VolumeSnapshot" && group == "snapshot.storage.k8s.io");
  if (!known) spec.data_source.reset();
}

object::QuantityValue storage_of(const std::map<std::string, object::Quantity>& resources) {
  auto found = resources.find("storage");
  return found == resources.end() ? object::QuantityValue() : object::QuantityValue::of(found->second);
}

// What an update may change is made equal before the specs are compared.
// The members of the spec that changed although they must not; "" = none.
std::string forbidden_changes(const PersistentVolumeClaim& claim, const PersistentVolumeClaim& old) {
  PersistentVolumeClaimSpec now = claim.spec, before = old.spec;
  if (before.volume_name.empty()) before.volume_name = now.volume_name;
  const bool by_annotation = old.metadata.annotations.contains(kBetaStorageClass);
  if (!before.storage_class_name && now.storage_class_name && !by_annotation) {
    before.storage_class_name = now.storage_class_name;
  }
  if (claim.status.phase == "Bound" && before.resources.requests.contains("storage")) {
    now.resources.requests["storage"] = before.resources.requests.at("storage");
  }
  now.volume_attributes_class_name = before.volume_attributes_class_name;
  if (now == before) return "";
  return changed_members("PersistentVolumeClaimSpec",
                         {{"AccessModes", now.access_modes == before.access_modes},
                          {"Selector", now.selector == before.selector},
                          {"Resources", now.resources == before.resources},
                          {"VolumeName", now.volume_name == before.volume_name},
                          {"StorageClassName", now.storage_class_name == before.storage_class_name},
                          {"VolumeMode", now.volume_mode == before.volume_mode},
                          {"DataSource", now.data_source == before.data_source},
                          {"DataSourceRef", now.data_source_ref == before.data_source_ref}});
}

void warn_of_fraction(const PersistentVolumeClaim& claim, RuleContext& context) {
  for (const auto& [name, quantity] : claim.spec.resources.requests) {
    const auto value = object::QuantityValue::of(quantity);
    if (name != "storage" || value.milli_value() % 1000 == 0) continue;
    context.warnings->push_back("spec.resources.requests[storage]: fractional byte value \"" + quantity.string +
                                "\" is invalid, must be an integer");
  }
}

class PersistentVolumeClaimRules final : public PlainStatusRules<PersistentVolumeClaim> {
 public:
  PersistentVolumeClaimRules() : PlainStatusRules("", "v1", "PersistentVolumeClaim") {}

  void set_defaults(PersistentVolumeClaim& claim) const override {
    set_claim_spec_defaults(claim.spec);
    if (claim.status.phase.empty()) claim.status.phase = "Pending";
  }
  void prepare_for_create(RuleContext& context, PersistentVolumeClaim& claim) const override {
    claim.status = {};
    claim.status.phase = "Pending";
    drop_unknown_source(claim.spec);
    align_sources(claim.spec);
    warn_of_fraction(claim, context);
  }
  void prepare_for_update(RuleContext& context, PersistentVolumeClaim& claim,
                          const PersistentVolumeClaim& old) const override {
    claim.status = old.status;
    if (!old.spec.data_source) drop_unknown_source(claim.spec);
    align_sources(claim.spec);
    warn_of_fraction(claim, context);
  }
  void validate(RuleContext&, const PersistentVolumeClaim& claim, FieldErrors& errors) const override {
    validate_claim_spec(claim.spec, FieldPath("spec"), errors);
  }
  void validate_update(RuleContext& context, const PersistentVolumeClaim& claim, const PersistentVolumeClaim& old,
                       FieldErrors& errors) const override {
    validate(context, claim, errors);
    const FieldPath spec("spec"), resources = spec.child("resources"), requests = resources.child("requests");
    if (const std::string changes = forbidden_changes(claim, old); !changes.empty()) {
      errors.forbidden(spec,
                       "spec is immutable after creation except resources.requests and volumeAttributesClassName for "
                       "bound claims\n" +
                           changes);
    }
    const auto size = storage_of(claim.spec.resources.requests);
    if (size < storage_of(old.spec.resources.requests) && size <= storage_of(old.status.capacity)) {
      errors.forbidden(requests.child("storage"), "field can not be less than status.capacity");
    }
    validate_immutable(claim.spec.volume_mode, old.spec.volume_mode, claim.spec.volume_mode.value_or(""),
                       FieldPath("volumeMode"), errors);
    if (old.spec.volume_attributes_class_name && !claim.spec.volume_attributes_class_name) {
      errors.forbidden(spec.child("volumeAttributesClassName"), "update from non-nil value to nil is forbidden");
    }
  }
  void validate_subresource(std::string_view, RuleContext&, const PersistentVolumeClaim& claim,
                            const PersistentVolumeClaim&, FieldErrors& errors) const override {
    const FieldPath spec("spec"), status("status"), capacity = status.child("capacity");
    if (claim.spec.access_modes.empty()) errors.required(spec.child("accessModes"));
    for (const auto& [name, quantity] : claim.status.capacity) {
      validate_not_negative(quantity, capacity.key(name), errors);
    }
  }
  void cells(const PersistentVolumeClaim& claim, base::WallTime now, TableRow& row) const override {
    const auto& spec = claim.spec;
    const bool bound = !spec.volume_name.empty();
    auto capacity = claim.status.capacity.find("storage");
    row.cells = {claim.metadata.name,
                 claim.metadata.deletion_timestamp ? std::string("Terminating") : claim.status.phase,
                 spec.volume_name,
                 !bound                                    ? std::string()
                 : capacity == claim.status.capacity.end() ? "0"
                                                           : capacity->second.string,
                 bound ? format_access_modes(claim.status.access_modes) : std::string(),
                 storage_class_cell(claim.metadata, spec.storage_class_name.value_or("")),
                 spec.volume_attributes_class_name.value_or("<unset>"),
                 age_cell(claim.metadata, now),
                 spec.volume_mode.value_or("<unset>")};
  }
};

}  // namespace

void check_access_modes(const std::vector<std::string>& modes, const FieldPath& path, FieldErrors& errors) {
  static constexpr std::initializer_list<std::string_view> kModes = {"ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce",
                                                                     "ReadWriteOncePod"};
  bool exclusive = false, shared = false;
  for (const auto& mode : modes) {
    if (std::find(kModes.begin(), kModes.end(), mode) == kModes.end()) errors.not_supported(path, mode, kModes);
    (mode == "ReadWriteOncePod" ? exclusive : shared) = true;
  }
  if (exclusive && shared) errors.forbidden(path, "may not use ReadWriteOncePod with other access modes");
}

std::unique_ptr<const KindRules> persistent_volume_claim_rules() {
  return std::make_unique<PersistentVolumeClaimRules>();
}

}  // namespace api
