#include <algorithm>
#include <cctype>
#include <set>
#include <tuple>

#include "api/shared/cells.h"
#include "api/shared/strategy.h"
#include "api/storage/parameters.h"
#include "gen/storage/v1.h"
#include "object/names.h"

namespace api {
namespace {

using storage::v1::CSIDriver;

constexpr int64_t kShortestToken = 600;

void check_tokens(const CSIDriver& driver, const FieldPath& path, FieldErrors& errors) {
  constexpr int64_t kLongestToken = int64_t{1} << 32;
  std::set<std::string_view> seen;
  for (size_t i = 0; i < driver.spec.token_requests.size(); ++i) {
    const auto& token = driver.spec.token_requests[i];
    const FieldPath item = path.index(i), seconds = item.child("expirationSeconds");
    if (!seen.insert(token.audience).second) errors.duplicate(item.child("audience"), token.audience);
    if (!token.expiration_seconds) continue;
    if (*token.expiration_seconds < kShortestToken) {
      errors.invalid(seconds, *token.expiration_seconds, "may not specify a duration less than 10 minutes");
    }
    if (*token.expiration_seconds > kLongestToken) {
      errors.invalid(seconds, *token.expiration_seconds, "may not specify a duration larger than 2^32 seconds");
    }
  }
}

auto mutable_fields(const CSIDriver& driver) {
  const auto& spec = driver.spec;
  return std::tie(spec.token_requests, spec.requires_republish, spec.se_linux_mount, spec.storage_capacity,
                  spec.pod_info_on_mount, spec.fs_group_policy, spec.node_allocatable_update_period_seconds,
                  spec.service_account_token_in_secrets);
}

bool leaks_tokens(const CSIDriver& driver) {
  return !driver.spec.token_requests.empty() && !driver.spec.service_account_token_in_secrets;
}

void warn(const CSIDriver& driver, RuleContext& context) {
  if (!leaks_tokens(driver)) return;
  context.warnings->push_back(
      "spec.serviceAccountTokenInSecrets is unset; if supported by this CSI driver, set to true to prevent possible "
      "logging of tokens in volume attributes");
}

class CsiDriverRules final : public RulesFor<CSIDriver> {
 public:
  CsiDriverRules() : RulesFor("storage.k8s.io", "v1", "CSIDriver") {}
  UpdateWithoutVersion update_without_version() const override { return UpdateWithoutVersion::kRefused; }

  void set_defaults(CSIDriver& driver) const override {
    auto& spec = driver.spec;
    if (!spec.attach_required) spec.attach_required = true;
    if (!spec.pod_info_on_mount) spec.pod_info_on_mount = false;
    if (!spec.storage_capacity) spec.storage_capacity = false;
    if (!spec.fs_group_policy) spec.fs_group_policy = "ReadWriteOnceWithFSType";
    if (spec.volume_lifecycle_modes.empty()) spec.volume_lifecycle_modes = {"Persistent"};
    if (!spec.requires_republish) spec.requires_republish = false;
    if (!spec.se_linux_mount) spec.se_linux_mount = false;
  }
  void prepare_for_create(RuleContext& context, CSIDriver& driver) const override { warn(driver, context); }
  void prepare_for_update(RuleContext& context, CSIDriver& driver, const CSIDriver& old) const override {
    follow_generation(driver.metadata, old.metadata, mutable_fields(driver), mutable_fields(old));
    if (!leaks_tokens(old)) warn(driver, context);
  }
  void validate(RuleContext&, const CSIDriver& driver, FieldErrors& errors) const override {
    const FieldPath spec("spec"), modes = spec.child("volumeLifecycleModes"), name("name");
    validate_driver_name(driver.metadata.name, name, errors);
    for (size_t i = 0; i < driver.spec.volume_lifecycle_modes.size(); ++i) {
      const std::string& mode = driver.spec.volume_lifecycle_modes[i];
      if (mode != "Ephemeral" && mode != "Persistent") {
        errors.not_supported(modes, mode, {"Ephemeral", "Persistent"});
      }
    }
    check_enum(driver.spec.fs_group_policy.value_or(""), spec.child("fsGroupPolicy"), errors,
               {"File", "None", "ReadWriteOnceWithFSType"});
    check_tokens(driver, spec.child("tokenRequests"), errors);
  }
  void validate_update(RuleContext& context, const CSIDriver& driver, const CSIDriver& old,
                       FieldErrors& errors) const override {
    validate(context, driver, errors);
    const FieldPath spec("spec");
    validate_immutable(driver.spec.attach_required, old.spec.attach_required,
                       driver.spec.attach_required.value_or(false), spec.child("attachedRequired"), errors);
    validate_immutable(driver.spec.volume_lifecycle_modes, old.spec.volume_lifecycle_modes,
                       shown(driver.spec.volume_lifecycle_modes), spec.child("volumeLifecycleModes"), errors);
  }
  void cells(const CSIDriver& driver, base::WallTime now, TableRow& row) const override {
    const auto& spec = driver.spec;
    std::vector<std::string> audiences;
    for (const auto& token : spec.token_requests) audiences.push_back(token.audience);
    row.cells = {driver.metadata.name,
                 spec.attach_required.value_or(true),
                 spec.pod_info_on_mount.value_or(false),
                 spec.storage_capacity.value_or(false),
                 audiences.empty() ? std::string("<unset>") : join(audiences, ","),
                 spec.requires_republish.value_or(false),
                 or_text(join(spec.volume_lifecycle_modes, ","), "<none>"),
                 age_cell(driver.metadata, now)};
  }
};

}  // namespace

void validate_driver_name(std::string_view name, const FieldPath& path, FieldErrors& errors) {
  constexpr int64_t kMaxBytes = 63;
  if (name.empty()) return errors.required(path);
  if (static_cast<int64_t>(name.size()) > kMaxBytes) errors.too_long(path, kMaxBytes);
  std::string lower(name);
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return std::tolower(c); });
  errors.invalid_each(path, name, object::validate_dns1123_subdomain(lower));
}

std::unique_ptr<const KindRules> csi_driver_rules() { return std::make_unique<CsiDriverRules>(); }

}  // namespace api
