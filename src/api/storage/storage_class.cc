#include <algorithm>
#include <cctype>
#include <set>

#include "api/shared/cells.h"
#include "api/shared/checks.h"
#include "api/storage/parameters.h"
#include "gen/storage/v1.h"
#include "object/names.h"

namespace api {
namespace {

using storage::v1::StorageClass;

constexpr const char* kDefaultAnnotations[] = {"storageclass.kubernetes.io/is-default-class",
                                               "storageclass.beta.kubernetes.io/is-default-class"};

bool is_default(const meta::v1::ObjectMeta& metadata) {
  return std::ranges::any_of(kDefaultAnnotations, [&](const char* key) {
    auto found = metadata.annotations.find(key);
    return found != metadata.annotations.end() && found->second == "true";
  });
}

void check_topologies(const StorageClass& object, FieldErrors& errors) {
  const FieldPath path("allowedTopologies");
  for (size_t i = 0; i < object.allowed_topologies.size(); ++i) {
    const FieldPath term = path.index(i), expressions = term.child("matchLabelExpressions");
    std::set<std::string_view> keys;
    const auto& items = object.allowed_topologies[i].match_label_expressions;
    for (size_t j = 0; j < items.size(); ++j) {
      const FieldPath item = expressions.index(j), values = item.child("values");
      if (items[j].values.empty()) errors.required(values);
      std::set<std::string_view> seen;
      for (size_t k = 0; k < items[j].values.size(); ++k) {
        if (!seen.insert(items[j].values[k]).second) errors.duplicate(values.index(k), items[j].values[k]);
      }
      validate_label_name(items[j].key, item.child("key"), errors);
      if (!keys.insert(items[j].key).second) errors.duplicate(item.child("key"), items[j].key);
    }
  }
}

class StorageClassRules final : public RulesFor<StorageClass> {
 public:
  StorageClassRules() : RulesFor("storage.k8s.io", "v1", "StorageClass") {}

  void set_defaults(StorageClass& object) const override {
    if (!object.reclaim_policy) object.reclaim_policy = "Delete";
    if (!object.volume_binding_mode) object.volume_binding_mode = "Immediate";
  }
  void validate(RuleContext&, const StorageClass& object, FieldErrors& errors) const override {
    const FieldPath provisioner("provisioner");
    if (object.provisioner.empty()) {
      errors.required(provisioner);
    } else {
      std::string lower = object.provisioner;
      std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return std::tolower(c); });
      errors.invalid_each(provisioner, object.provisioner, object::validate_qualified_name(lower));
    }
    validate_parameters(object.parameters, FieldPath("parameters"), errors);
    if (object.reclaim_policy && !object.reclaim_policy->empty()) {
      check_enum(*object.reclaim_policy, FieldPath("reclaimPolicy"), errors, {"Delete", "Retain"});
    }
    check_enum(object.volume_binding_mode.value_or(""), FieldPath("volumeBindingMode"), errors,
               {"Immediate", "WaitForFirstConsumer"});
    check_topologies(object, errors);
  }
  void validate_update(RuleContext& context, const StorageClass& object, const StorageClass& old,
                       FieldErrors& errors) const override {
    validate(context, object, errors);
    auto fixed = [&](const auto& now, const auto& before, std::string_view field) {
      if (now == before) return;
      errors.forbidden(FieldPath(field), "updates to " + std::string(field) + " are forbidden.");
    };
    fixed(object.parameters, old.parameters, "parameters");
    fixed(object.provisioner, old.provisioner, "provisioner");
    fixed(object.reclaim_policy, old.reclaim_policy, "reclaimPolicy");
    validate_immutable(object.volume_binding_mode, old.volume_binding_mode, object.volume_binding_mode.value_or(""),
                       FieldPath("volumeBindingMode"), errors);
  }
  void cells(const StorageClass& object, base::WallTime now, TableRow& row) const override {
    row.cells = {object.metadata.name + (is_default(object.metadata) ? " (default)" : ""),
                 object.provisioner,
                 object.reclaim_policy.value_or("Delete"),
                 object.volume_binding_mode.value_or("Immediate"),
                 object.allow_volume_expansion.value_or(false),
                 age_cell(object.metadata, now)};
  }
};

}  // namespace

void validate_parameters(const std::map<std::string, std::string>& parameters, const FieldPath& path,
                         FieldErrors& errors) {
  constexpr int64_t kMaxCount = 512, kMaxBytes = 256 * 1024;
  if (static_cast<int64_t>(parameters.size()) > kMaxCount) return errors.too_long(path, kMaxCount);
  int64_t total = 0;
  for (const auto& [key, value] : parameters) {
    if (key.empty()) errors.invalid(path, key, "field can not be empty.");
    total += static_cast<int64_t>(key.size() + value.size());
  }
  if (total > kMaxBytes) errors.too_long(path, kMaxBytes);
}

std::unique_ptr<const KindRules> storage_class_rules() { return std::make_unique<StorageClassRules>(); }

}  // namespace api
