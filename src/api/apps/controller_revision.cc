#include <algorithm>
#include <cctype>

#include "api/shared/cells.h"
#include "api/shared/checks.h"
#include "gen/apps/v1.h"
#include "object/gvk.h"

namespace api {
namespace {

using apps::v1::ControllerRevision;

// "deployment.apps/web" of the controlling owner.
std::string controller_cell(const meta::v1::ObjectMeta& metadata) {
  for (const auto& owner : metadata.owner_references) {
    if (!owner.controller.value_or(false)) continue;
    auto version = object::GroupVersion::parse(owner.api_version);
    std::string kind = owner.kind;
    std::ranges::transform(kind, kind.begin(), [](unsigned char c) { return std::tolower(c); });
    if (version && !version->group.empty()) kind += "." + version->group;
    return kind + "/" + owner.name;
  }
  return "<none>";
}

class ControllerRevisionRules final : public RulesFor<ControllerRevision> {
 public:
  ControllerRevisionRules() : RulesFor("apps", "v1", "ControllerRevision") {}
  UpdateWithoutVersion update_without_version() const override { return UpdateWithoutVersion::kRefused; }

  void validate(RuleContext&, const ControllerRevision& object, FieldErrors& errors) const override {
    if (!object.data.raw || *object.data.raw == "null") errors.required(FieldPath("data"), "data is mandatory");
    validate_not_negative(object.revision, FieldPath("revision"), errors);
  }
  void validate_update(RuleContext& context, const ControllerRevision& object, const ControllerRevision& old,
                       FieldErrors& errors) const override {
    validate(context, object, errors);
    // Compat: the same bytes, not the same value.
    if (object.data != old.data) {
      errors.invalid(FieldPath("data"), BadValue::verbatim(object.data.raw.value_or("null")), "field is immutable");
    }
  }
  void cells(const ControllerRevision& object, base::WallTime now, TableRow& row) const override {
    row.cells = {object.metadata.name, controller_cell(object.metadata), object.revision,
                 age_cell(object.metadata, now)};
  }
};

}  // namespace

std::unique_ptr<const KindRules> controller_revision_rules() { return std::make_unique<ControllerRevisionRules>(); }

}  // namespace api
