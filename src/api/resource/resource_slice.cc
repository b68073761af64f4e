#include <set>

#include "api/core/pod_spec.h"
#include "api/shared/cells.h"
#include "api/shared/strategy.h"
#include "gen/resource/v1.h"

namespace api {
namespace {

using resource::v1::ResourceSlice;
using resource::v1::ResourceSliceSpec;

constexpr int64_t kMaxDevices = 128;
constexpr int64_t kMaxPoolName = 253;

void check_nodes(const ResourceSliceSpec& spec, const FieldPath& path, FieldErrors& errors) {
  std::vector<std::string> given;
  if (spec.node_name) {
    given.emplace_back("`nodeName`");
    validate_dns1123_subdomain(*spec.node_name, path.child("nodeName"), errors);
  }
  if (spec.node_selector) {
    given.emplace_back("`nodeSelector`");
    validate_node_selector(*spec.node_selector, path.child("nodeSelector"), errors);
  }
  if (spec.all_nodes.value_or(false)) given.emplace_back("`allNodes`");
  if (spec.per_device_node_selection.value_or(false)) given.emplace_back("`perDeviceNodeSelection`");
  constexpr std::string_view kOne =
      "exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required";
  // Slices of counters alone need no nodes.
  if (given.empty() && spec.shared_counters.empty()) errors.required(path, kOne);
  if (given.size() > 1) errors.invalid(path, BadValue::verbatim("{" + join(given, ", ") + "}"), kOne);
}

class ResourceSliceRules final : public SpecRules<ResourceSlice> {
 public:
  ResourceSliceRules() : SpecRules("resource.k8s.io", "v1", "ResourceSlice") {}

  void validate(RuleContext&, const ResourceSlice& slice, FieldErrors& errors) const override {
    const FieldPath path("spec"), pool = path.child("pool"), devices = path.child("devices");
    const auto& spec = slice.spec;
    if (spec.driver.empty()) {
      errors.required(path.child("driver"));
    } else {
      validate_dns1123_subdomain(spec.driver, path.child("driver"), errors);
    }
    if (spec.pool.name.empty()) errors.required(pool.child("name"));
    if (static_cast<int64_t>(spec.pool.name.size()) > kMaxPoolName) errors.too_long(pool.child("name"), kMaxPoolName);
    if (spec.pool.resource_slice_count <= 0) {
      errors.invalid(pool.child("resourceSliceCount"), spec.pool.resource_slice_count, "must be greater than zero");
    }
    validate_not_negative(spec.pool.generation, pool.child("generation"), errors);
    check_nodes(spec, path, errors);
    const auto count = static_cast<int64_t>(spec.devices.size());
    if (count > kMaxDevices) errors.too_many(devices, count, kMaxDevices);
    std::set<std::string_view> seen;
    for (size_t i = 0; i < spec.devices.size(); ++i) {
      const FieldPath item = devices.index(i);
      validate_dns1123_label(spec.devices[i].name, item.child("name"), errors);
      if (!seen.insert(spec.devices[i].name).second) errors.duplicate(item.child("name"), spec.devices[i].name);
    }
  }
  void validate_update(RuleContext& context, const ResourceSlice& slice, const ResourceSlice& old,
                       FieldErrors& errors) const override {
    validate(context, slice, errors);
    const FieldPath path("spec"), pool = path.child("pool");
    validate_immutable(slice.spec.driver, old.spec.driver, path.child("driver"), errors);
    validate_immutable(slice.spec.pool.name, old.spec.pool.name, pool.child("name"), errors);
    validate_immutable(slice.spec.node_name, old.spec.node_name, slice.spec.node_name.value_or(""),
                       path.child("nodeName"), errors);
  }
  void cells(const ResourceSlice& slice, base::WallTime now, TableRow& row) const override {
    row.cells = {slice.metadata.name, slice.spec.node_name.value_or(""), slice.spec.driver, slice.spec.pool.name,
                 age_cell(slice.metadata, now)};
  }
  std::vector<SelectableField> selectable_fields(const ResourceSlice& slice) const override {
    return {{"spec.nodeName", slice.spec.node_name.value_or("")}, {"spec.driver", slice.spec.driver}};
  }
  std::string unknown_field_label(std::string_view label, std::string_view api_version) const override {
    return "field label not supported for " + std::string(api_version) + ", Kind=ResourceSlice: " + std::string(label);
  }
};

}  // namespace

std::unique_ptr<const KindRules> resource_slice_rules() { return std::make_unique<ResourceSliceRules>(); }

}  // namespace api
