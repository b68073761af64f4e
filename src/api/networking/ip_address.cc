#include "api/shared/cells.h"
#include "api/shared/checks.h"
#include "gen/networking/v1.h"
#include "object/names.h"

namespace api {
namespace {

using networking::v1::IPAddress;

std::vector<std::string> name_is_canonical_ip(std::string_view name, NameUse) {
  object::IpAddress ip;
  if (!object::parse_ip(name, ip, object::IpSyntax::kStrict)) return {"not a valid ip address"};
  if (object::format_ip(ip) != name) return {"must be canonical ip address"};
  return {};
}

class IpAddressRules final : public RulesFor<IPAddress> {
 public:
  IpAddressRules() : RulesFor("networking.k8s.io", "v1", "IPAddress") {}
  NameValidator name_validator() const override { return name_is_canonical_ip; }

  void validate(RuleContext&, const IPAddress& address, FieldErrors& errors) const override {
    const FieldPath spec("spec"), parent = spec.child("parentRef");
    if (!address.spec.parent_ref) return errors.required(parent);
    const auto& reference = *address.spec.parent_ref;
    if (!reference.group.empty()) validate_dns1123_subdomain(reference.group, parent.child("group"), errors);
    auto check = [&](const std::string& value, std::string_view field) {
      if (value.empty()) return errors.required(parent.child(field));
      errors.invalid_each(parent.child(field), value, object::validate_path_segment_name(value));
    };
    check(reference.resource, "resource");
    check(reference.name, "name");
    if (!reference.namespace_.empty()) check(reference.namespace_, "namespace");
  }
  void validate_update(RuleContext& context, const IPAddress& address, const IPAddress& old,
                       FieldErrors& errors) const override {
    validate(context, address, errors);
    const FieldPath spec("spec");
    validate_immutable(address.spec.parent_ref, old.spec.parent_ref, BadValue::verbatim("{}"), spec.child("parentRef"),
                       errors);
  }
  void cells(const IPAddress& address, base::WallTime now, TableRow& row) const override {
    std::string text = "<none>";
    if (const auto& parent = address.spec.parent_ref) {
      text = parent->resource;
      if (!parent->group.empty()) text += "." + parent->group;
      if (!parent->namespace_.empty()) text += "/" + parent->namespace_;
      text += "/" + parent->name;
    }
    // Compat: the age has no column.
    row.cells = {address.metadata.name, text, age_cell(address.metadata, now)};
  }
};

}  // namespace

std::unique_ptr<const KindRules> ip_address_rules() { return std::make_unique<IpAddressRules>(); }

}  // namespace api
