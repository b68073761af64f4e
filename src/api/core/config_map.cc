#include "api/shared/cells.h"
#include "api/shared/checks.h"
#include "object/names.h"

namespace api {
namespace {

constexpr size_t kMaxDataBytes = 1 << 20;
constexpr std::string_view kImmutableSet = "field is immutable when `immutable` is set";

class ConfigMapRules final : public RulesFor<core::v1::ConfigMap> {
 public:
  ConfigMapRules() : RulesFor("", "v1", "ConfigMap") {}

  void validate(RuleContext&, const core::v1::ConfigMap& map, FieldErrors& errors) const override {
    size_t total = 0;
    const FieldPath data("data"), binary("binaryData");
    for (const auto& [key, value] : map.data) {
      errors.invalid_each(data.key(key), key, object::validate_config_map_key(key));
      if (map.binary_data.contains(key)) errors.invalid(data.key(key), key, "duplicate of key present in binaryData");
      total += value.size();
    }
    for (const auto& [key, value] : map.binary_data) {
      errors.invalid_each(binary.key(key), key, object::validate_config_map_key(key));
      total += value.size();
    }
    // Compat: the size belongs to no field; upstream prints the empty path as [].
    if (total > kMaxDataBytes) errors.too_long(FieldPath().key(""), kMaxDataBytes);
  }

  void validate_update(RuleContext& context, const core::v1::ConfigMap& map, const core::v1::ConfigMap& old,
                       FieldErrors& errors) const override {
    if (old.immutable.value_or(false)) {
      if (!map.immutable.value_or(false)) errors.forbidden(FieldPath("immutable"), kImmutableSet);
      if (map.data != old.data) errors.forbidden(FieldPath("data"), kImmutableSet);
      if (map.binary_data != old.binary_data) errors.forbidden(FieldPath("binaryData"), kImmutableSet);
    }
    validate(context, map, errors);
  }

  void cells(const core::v1::ConfigMap& map, base::WallTime now, TableRow& row) const override {
    row.cells = {map.metadata.name, static_cast<int64_t>(map.data.size() + map.binary_data.size()),
                 age_cell(map.metadata, now)};
  }
};

}  // namespace

std::unique_ptr<const KindRules> config_map_rules() { return std::make_unique<ConfigMapRules>(); }

}  // namespace api
