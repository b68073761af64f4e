#include <algorithm>
#include <set>

#include "api/shared/cells.h"
#include "api/shared/checks.h"
#include "api/storage/parameters.h"
#include "gen/storage/v1.h"

namespace api {
namespace {

using storage::v1::CSINode;
using storage::v1::CSINodeDriver;

constexpr size_t kMaxNodeId = 256;

void check_driver(const CSINodeDriver& driver, const FieldPath& path, FieldErrors& errors) {
  validate_driver_name(driver.name, path.child("name"), errors);
  if (driver.node_id.empty()) {
    errors.required(path.child("nodeID"));
  } else if (driver.node_id.size() > kMaxNodeId) {
    errors.invalid(path.child("nodeID"), driver.node_id, "must be 256 characters or less");
  }
  if (driver.allocatable && driver.allocatable->count) {
    const FieldPath allocatable = path.child("allocatable");
    validate_not_negative(*driver.allocatable->count, allocatable.child("count"), errors);
  }
  const FieldPath keys = path.child("topologyKeys");
  std::set<std::string_view> seen;
  for (size_t i = 0; i < driver.topology_keys.size(); ++i) {
    const std::string& key = driver.topology_keys[i];
    if (!seen.insert(key).second) errors.duplicate(keys, key);
    validate_qualified_name(key, keys, errors);
  }
}

class CsiNodeRules final : public RulesFor<CSINode> {
 public:
  CsiNodeRules() : RulesFor("storage.k8s.io", "v1", "CSINode") {}
  UpdateWithoutVersion update_without_version() const override { return UpdateWithoutVersion::kRefused; }

  void validate(RuleContext&, const CSINode& node, FieldErrors& errors) const override {
    const FieldPath spec("spec"), drivers = spec.child("drivers");
    std::set<std::string_view> seen;
    for (size_t i = 0; i < node.spec.drivers.size(); ++i) {
      const FieldPath item = drivers.index(i);
      check_driver(node.spec.drivers[i], item, errors);
      if (!seen.insert(node.spec.drivers[i].name).second) {
        errors.duplicate(item.child("name"), node.spec.drivers[i].name);
      }
    }
  }
  void validate_update(RuleContext& context, const CSINode& node, const CSINode& old,
                       FieldErrors& errors) const override {
    // A driver may come and go; while it is there, only what it can hold may change.
    for (const auto& driver : node.spec.drivers) {
      auto before = std::ranges::find(old.spec.drivers, driver.name, &CSINodeDriver::name);
      if (before == old.spec.drivers.end()) continue;
      if (before->node_id != driver.node_id || before->topology_keys != driver.topology_keys) {
        errors.invalid(FieldPath("CSINode"), driver.name, kFieldImmutable);
      }
    }
    validate(context, node, errors);
  }
  void cells(const CSINode& node, base::WallTime now, TableRow& row) const override {
    row.cells = {node.metadata.name, static_cast<int64_t>(node.spec.drivers.size()), age_cell(node.metadata, now)};
  }
};

}  // namespace

std::unique_ptr<const KindRules> csi_node_rules() { return std::make_unique<CsiNodeRules>(); }

}  // namespace api
