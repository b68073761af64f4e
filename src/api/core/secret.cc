#include "api/shared/cells.h"
#include "api/shared/checks.h"
#include "object/json.h"
#include "object/names.h"

namespace api {
namespace {

constexpr int64_t kMaxDataBytes = 1 << 20;
constexpr std::string_view kImmutableSet = "field is immutable when `immutable` is set";
constexpr std::string_view kServiceAccountName = "kubernetes.io/service-account.name";

void check_docker_config(const core::v1::Secret& secret, std::string_view key, FieldErrors& errors) {
  const FieldPath data("data");
  auto found = secret.data.find(std::string(key));
  if (found == secret.data.end()) return errors.required(data.key(key));
  constexpr std::string_view kRedacted = "<secret contents redacted>";
  auto parsed = object::parse_json(found->second);
  if (!parsed) return errors.invalid(data.key(key), kRedacted, parsed.error().message);
  if (!parsed->is_object() && !parsed->is_null()) {
    errors.invalid(data.key(key), kRedacted,
                   "json: cannot unmarshal " + std::string(object::json_type_name(*parsed)) +
                       " into Go value of type map[string]interface {}");
  }
}

void check_keys(const core::v1::Secret& secret, std::initializer_list<const char*> keys, FieldErrors& errors) {
  const FieldPath data("data");
  for (const char* key : keys) {
    if (!secret.data.contains(key)) errors.required(data.key(key));
  }
}

void check_type(const core::v1::Secret& secret, FieldErrors& errors) {
  const std::string& type = secret.type;
  if (type == "kubernetes.io/service-account-token") {
    auto found = secret.metadata.annotations.find(std::string(kServiceAccountName));
    if (found != secret.metadata.annotations.end() && !found->second.empty()) return;
    const FieldPath metadata("metadata"), annotations = metadata.child("annotations");
    errors.required(annotations.key(kServiceAccountName));
  } else if (type == "kubernetes.io/dockercfg") {
    check_docker_config(secret, ".dockercfg", errors);
  } else if (type == "kubernetes.io/dockerconfigjson") {
    check_docker_config(secret, ".dockerconfigjson", errors);
  } else if (type == "kubernetes.io/basic-auth") {
    if (!secret.data.contains("username") && !secret.data.contains("password")) {
      check_keys(secret, {"username", "password"}, errors);
    }
  } else if (type == "kubernetes.io/ssh-auth") {
    check_keys(secret, {"ssh-privatekey"}, errors);
  } else if (type == "kubernetes.io/tls") {
    check_keys(secret, {"tls.crt", "tls.key"}, errors);
  }
}

class SecretRules final : public RulesFor<core::v1::Secret> {
 public:
  SecretRules() : RulesFor("", "v1", "Secret") {}

  void set_defaults(core::v1::Secret& secret) const override {
    // Compat: stringData is write-only and wins over data.
    for (auto& [key, value] : secret.string_data) secret.data[key] = std::move(value);
    secret.string_data.clear();
    if (secret.type.empty()) secret.type = "Opaque";
  }

  void validate(RuleContext&, const core::v1::Secret& secret, FieldErrors& errors) const override {
    int64_t total = 0;
    const FieldPath data("data");
    for (const auto& [key, value] : secret.data) {
      errors.invalid_each(data.key(key), key, object::validate_config_map_key(key));
      total += static_cast<int64_t>(value.size());
    }
    if (total > kMaxDataBytes) errors.too_long(data, kMaxDataBytes);
    check_type(secret, errors);
  }

  void validate_update(RuleContext& context, const core::v1::Secret& secret, const core::v1::Secret& old,
                       FieldErrors& errors) const override {
    validate_immutable(secret.type, old.type, FieldPath("type"), errors);
    if (old.immutable.value_or(false)) {
      if (!secret.immutable.value_or(false)) errors.forbidden(FieldPath("immutable"), kImmutableSet);
      if (secret.data != old.data) errors.forbidden(FieldPath("data"), kImmutableSet);
    }
    validate(context, secret, errors);
  }

  void cells(const core::v1::Secret& secret, base::WallTime now, TableRow& row) const override {
    row.cells = {secret.metadata.name, secret.type, static_cast<int64_t>(secret.data.size()),
                 age_cell(secret.metadata, now)};
  }
  std::vector<SelectableField> selectable_fields(const core::v1::Secret& secret) const override {
    return {{"type", secret.type}};
  }
};

}  // namespace

std::unique_ptr<const KindRules> secret_rules() { return std::make_unique<SecretRules>(); }

}  // namespace api
