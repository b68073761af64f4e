// The rules of Namespaces.
#include <algorithm>

#include "api/kinds.h"
#include "api/meta_validation.h"
#include "gen/core/v1.h"
#include "object/names.h"
#include "object/time.h"

namespace api {
namespace {

using core::v1::Namespace;
using object::FieldErrors;
using object::FieldPath;

constexpr const char* kNameLabel = "kubernetes.io/metadata.name";

void validate_finalizer(const std::string& name, const FieldPath& path, FieldErrors& errors) {
  validate_qualified_name(name, path, errors);
  if (name.find('/') != std::string::npos) return;
  if (name == "kubernetes" || name == "orphan" || name == "foregroundDeletion") return;
  errors.invalid(path, name, "name is neither a standard finalizer name nor is it fully qualified");
}

class NamespaceRules final : public RulesFor<Namespace> {
 public:
  NamespaceRules() : RulesFor("", "v1", "Namespace") {}

  NameValidator name_validator() const override { return name_is_dns_label; }

  void set_defaults(Namespace& object) const override {
    // A name that is to be generated is not known yet: prepare_for_create() labels it then.
    if (!object.metadata.name.empty()) object.metadata.labels[kNameLabel] = object.metadata.name;
    if (object.status.phase.empty()) object.status.phase = "Active";
  }
  void prepare_for_create(RuleContext&, Namespace& object) const override {
    object.status = {};
    object.status.phase = "Active";
    if (std::ranges::count(object.spec.finalizers, "kubernetes") == 0)
      object.spec.finalizers.emplace_back("kubernetes");
    if (!object.metadata.name.empty()) object.metadata.labels[kNameLabel] = object.metadata.name;
  }
  void prepare_for_update(RuleContext&, Namespace& object, const Namespace& old) const override {
    object.spec.finalizers = old.spec.finalizers;
    object.status = old.status;
  }
  void prepare_for_subresource(std::string_view subresource, RuleContext&, Namespace& object,
                               const Namespace& old) const override {
    if (subresource == "status") object.spec = old.spec;
    if (subresource == "finalize") object.status = old.status;
  }

  void validate(RuleContext&, const Namespace& object, FieldErrors& errors) const override {
    const FieldPath spec("spec");
    for (const auto& name : object.spec.finalizers) validate_finalizer(name, spec.child("finalizers"), errors);
  }
  void validate_subresource(std::string_view subresource, RuleContext&, const Namespace& object, const Namespace&,
                            FieldErrors& errors) const override {
    const FieldPath spec("spec"), status("status");
    if (subresource == "finalize") {
      const FieldPath path = spec.child("finalizers");
      for (size_t i = 0; i < object.spec.finalizers.size(); ++i) {
        validate_finalizer(object.spec.finalizers[i], path.index(i), errors);
      }
    }
    if (subresource != "status") return;
    const std::string& phase = object.status.phase;
    if (!object.metadata.deletion_timestamp && phase != "Active") {
      errors.invalid(status.child("Phase"), phase, "may only be 'Active' if `deletionTimestamp` is empty");
    }
    if (object.metadata.deletion_timestamp && phase != "Terminating") {
      errors.invalid(status.child("Phase"), phase, "may only be 'Terminating' if `deletionTimestamp` is not empty");
    }
  }

  void cells(const Namespace& object, base::WallTime now, TableRow& row) const override {
    row.cells.emplace_back(object.metadata.name);
    row.cells.emplace_back(object.status.phase);
    row.cells.emplace_back(object::human_age(object.metadata.creation_timestamp, now));
  }
  // Compat: "name" is in the set of fields, but no request may name it.
  std::vector<SelectableField> selectable_fields(const Namespace& object) const override {
    return {{"status.phase", object.status.phase}};
  }
  std::vector<std::string_view> reset_fields(std::string_view subresource) const override {
    if (subresource == "finalize") return {".status"};
    return KindRules::reset_fields(subresource);
  }
};

}  // namespace

std::unique_ptr<const KindRules> namespace_rules() { return std::make_unique<NamespaceRules>(); }

}  // namespace api
