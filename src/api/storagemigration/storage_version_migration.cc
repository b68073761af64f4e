#include <algorithm>

#include "api/shared/cells.h"
#include "api/shared/strategy.h"
#include "gen/storagemigration/v1beta1.h"
#include "object/names.h"

namespace api {
namespace {

using storagemigration::v1beta1::StorageVersionMigration;

bool is_true(const StorageVersionMigration& migration, std::string_view type) {
  return std::ranges::any_of(migration.status.conditions, [&](const meta::v1::Condition& condition) {
    return condition.type == type && condition.status == "True";
  });
}

// A number without leading zeros.
bool is_resource_version(std::string_view text) {
  return !text.empty() && text[0] != '0' && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

void check_state(const StorageVersionMigration& migration, const StorageVersionMigration& old, const FieldPath& path,
                 FieldErrors& errors) {
  const bool succeeded = is_true(migration, "Succeeded"), failed = is_true(migration, "Failed");
  const bool running = is_true(migration, "Running");
  const auto invalid = [&](std::string_view why) { errors.invalid(path, shown(migration.status.conditions), why); };
  if (succeeded && failed) invalid("Both success and failed conditions cannot be true at the same time");
  if (succeeded && running) invalid("Running condition cannot be true when success condition is true");
  if (failed && running) invalid("Running condition cannot be true when failed condition is true");
  if (is_true(old, "Succeeded") && !succeeded) invalid("Success condition cannot be set to false once it is true");
  if (is_true(old, "Failed") && !failed) invalid("Failed condition cannot be set to false once it is true");
}

class StorageVersionMigrationRules final : public PlainStatusRules<StorageVersionMigration> {
 public:
  StorageVersionMigrationRules() : PlainStatusRules("storagemigration.k8s.io", "v1beta1", "StorageVersionMigration") {}
  UpdateWithoutVersion update_without_version() const override { return UpdateWithoutVersion::kRefused; }

  void validate(RuleContext&, const StorageVersionMigration& migration, FieldErrors& errors) const override {
    const FieldPath spec("spec"), path = spec.child("resource");
    const auto& [group, resource] = migration.spec.resource;
    if (resource.empty()) {
      errors.required(path.child("resource"), "resource is required to be set");
    } else if (const auto messages = object::validate_dns1035_label(resource); !messages.empty()) {
      errors.invalid(path.child("resource"), resource, join(messages, ","));
    }
    if (group.empty()) return;
    if (const auto messages = object::validate_dns1123_subdomain(group); !messages.empty()) {
      errors.invalid(path.child("group"), group, join(messages, ","));
    }
  }
  void validate_update(RuleContext& context, const StorageVersionMigration& migration,
                       const StorageVersionMigration& old, FieldErrors& errors) const override {
    validate(context, migration, errors);
    validate_immutable(migration.spec, old.spec, shown_spec(migration), FieldPath("spec"), errors);
  }
  void validate_subresource(std::string_view, RuleContext&, const StorageVersionMigration& migration,
                            const StorageVersionMigration& old, FieldErrors& errors) const override {
    const FieldPath status("status"), path = status.child("resourceVersion"), conditions = status.child("conditions");
    const std::string &version = migration.status.resource_version, &before = old.status.resource_version;
    if (!is_resource_version(version)) {
      errors.invalid(path, version, "resource version is not well formed: " + version);
    }
    validate_conditions(migration.status.conditions, conditions, errors);
    if (!before.empty() && before != version) errors.invalid(path, version, kFieldImmutable);
    check_state(migration, old, conditions, errors);
  }
  std::vector<std::string_view> reset_fields(std::string_view subresource) const override {
    if (subresource.empty()) return {".status"};
    return {".metadata", ".spec"};
  }
  void cells(const StorageVersionMigration& migration, base::WallTime, TableRow& row) const override {
    const auto& [group, resource] = migration.spec.resource;
    std::string state = "Unknown";
    for (const auto& condition : migration.status.conditions) {
      const bool known = condition.type == "Running" || condition.type == "Succeeded" || condition.type == "Failed";
      if (known && condition.status == "True") state = condition.type;
    }
    row.cells = {migration.metadata.name, group.empty() ? resource : resource + "." + group, state};
  }

 private:
  static BadValue shown_spec(const StorageVersionMigration& migration) {
    object::Object resource, spec;
    resource.set("group", migration.spec.resource.group);
    resource.set("resource", migration.spec.resource.resource);
    spec.set("Resource", std::move(resource));
    return object::Value(std::move(spec));
  }
};

}  // namespace

std::unique_ptr<const KindRules> storage_version_migration_rules() {
  return std::make_unique<StorageVersionMigrationRules>();
}

}  // namespace api
