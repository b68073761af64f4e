#include "api/apiextensions/custom_resource_definition.h"

#include <algorithm>
#include <set>

#include "api/apiextensions/ca_bundle.h"
#include "api/apiextensions/crd_spec_validation.h"
#include "api/apiextensions/schema_json.h"
#include "api/kinds.h"
#include "api/shared/cells.h"
#include "api/shared/strategy.h"
#include "schema/structural/formats.h"
#include "schema/structural/structural_schema.h"
#include "schema/structural/structurality.h"

namespace api {
namespace {

namespace v1 = apiextensions::v1;
using Definition = v1::CustomResourceDefinition;
using object::Object;
using object::Value;

constexpr std::string_view kApproved = "api-approved.kubernetes.io";
constexpr std::string_view kApprovalUrl = "https://github.com/kubernetes/enhancements/pull/1111";

bool is_protected_group(std::string_view group) {
  return group == "k8s.io" || group.ends_with(".k8s.io") || group == "kubernetes.io" ||
         group.ends_with(".kubernetes.io");
}

enum class Approval : uint8_t { kInvalid, kApproved, kBypassed, kMissing };

std::string approval_text(const Definition& definition) {
  const auto found = definition.metadata.annotations.find(std::string(kApproved));
  return found == definition.metadata.annotations.end() ? std::string() : found->second;
}

// An absolute URL with a host approves.
bool is_url_with_host(std::string_view text) {
  const size_t colon = text.find("://");
  if (colon == std::string_view::npos || colon == 0 || !schema::has_format(schema::Format::kUri, text)) return false;
  const std::string_view rest = text.substr(colon + 3);
  return !rest.empty() && rest.front() != '/' && rest.front() != '?';
}

Approval approval_of(const std::string& text) {
  if (text.empty()) return Approval::kMissing;
  if (text.starts_with("unapproved")) return Approval::kBypassed;
  return is_url_with_host(text) ? Approval::kApproved : Approval::kInvalid;
}

std::string approval_reason(Approval approval, const std::string& text) {
  const std::string must = "protected groups must have approval annotation \"" + std::string(kApproved) + '"';
  switch (approval) {
    case Approval::kMissing:
      return must + ", see " + std::string(kApprovalUrl);
    case Approval::kBypassed:
      return "not approved: \"" + text + '"';
    case Approval::kApproved:
      return "approved in " + text;
    case Approval::kInvalid:
      break;
  }
  return must + " with either a URL or a reason starting with \"unapproved\", see " + std::string(kApprovalUrl);
}

void check_approval(const Definition& definition, const Definition* old, FieldErrors& errors) {
  if (!is_protected_group(definition.spec.group)) return;
  const std::string text = approval_text(definition);
  const Approval approval = approval_of(text);
  if (old && approval_of(approval_text(*old)) == approval) return;
  const FieldPath metadata("metadata"), annotations = metadata.child("annotations"), path = annotations.key(kApproved);
  if (approval == Approval::kMissing) errors.required(path, approval_reason(approval, text));
  if (approval == Approval::kInvalid) errors.invalid(path, text, approval_reason(approval, text));
}

void check_stored_versions(const Definition& definition, FieldErrors& errors) {
  const FieldPath status("status"), path = status.child("storedVersions");
  const auto& stored = definition.status.stored_versions;
  const auto& versions = definition.spec.versions;
  if (stored.empty()) return errors.invalid(path, shown(stored), "must have at least one stored version");
  std::set<std::string_view> seen;
  for (const auto& version : versions) {
    // Compat: of versions of one name, the first alone is looked for.
    const bool again = !seen.insert(version.name).second;
    if (version.storage && (again || std::ranges::find(stored, version.name) == stored.end())) {
      errors.invalid(path, shown(stored), "must have the storage version " + version.name);
    }
  }
  for (size_t i = 0; i < stored.size(); ++i) {
    const std::string& name = stored[i];
    if (std::ranges::find(versions, name, &v1::CustomResourceDefinitionVersion::name) != versions.end()) continue;
    errors.invalid(path.index(i), name,
                   "missing from spec.versions; " + name +
                       " was previously a storage version, and must remain in spec.versions until a storage migration "
                       "ensures no data remains persisted in " +
                       name + " and removes " + name + " from status.storedVersions");
  }
}

void check_rest(const Definition& definition, const Definition* old, FieldErrors& errors) {
  const FieldPath status("status"), spec("spec");
  validate_crd_names(definition.status.accepted_names, status.child("acceptedNames"), errors);
  check_stored_versions(definition, errors);
  check_approval(definition, old, errors);
  if (definition.spec.preserve_unknown_fields && !(old && old->spec.preserve_unknown_fields)) {
    errors.invalid(spec.child("preserveUnknownFields"), true,
                   "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema "
                   "instead");
  }
}

const v1::JSONSchemaProps* schema_of(const v1::CustomResourceDefinitionVersion& version) {
  return version.schema ? version.schema->open_apiv3_schema.get() : nullptr;
}

void add_storage_version(Definition& definition) {
  const auto& versions = definition.spec.versions;
  const auto found = std::ranges::find_if(versions, [](const auto& version) { return version.storage; });
  if (found == versions.end()) return;
  auto& stored = definition.status.stored_versions;
  if (std::ranges::find(stored, found->name) == stored.end()) stored.push_back(found->name);
}

// Formats of strings that are not checked, in the order of the versions.
std::vector<std::string> unknown_formats(const v1::CustomResourceDefinitionSpec& spec) {
  std::vector<std::string> out;
  const v1::JSONSchemaProps* previous = nullptr;
  for (const auto& version : spec.versions) {
    const v1::JSONSchemaProps* props = schema_of(version);
    // Compat: a schema that all versions share is looked at once.
    if (!props || (previous && *previous == *props)) continue;
    previous = props;
    schema::any_schema(schema_json(*props), [&](const Object& json) {
      const std::string_view format = text_at(json, "format");
      if (!format.empty() && text_at(json, "type") == "string" &&
          schema::format_by_name(format) == schema::Format::kNone) {
        out.emplace_back(format);
      }
      return false;
    });
  }
  return out;
}

void warn_of_formats(RuleContext& context, const Definition& definition, const Definition* old) {
  if (!context.warnings) return;
  const auto known = old ? unknown_formats(old->spec) : std::vector<std::string>();
  for (const std::string& format : unknown_formats(definition.spec)) {
    if (std::ranges::find(known, format) != known.end()) continue;
    context.warnings->push_back("unrecognized format \"" + format + '"');
  }
}

CrdRequirements requirements_of_update(const Definition& old) {
  CrdRequirements out;
  out.old = &old;
  for (const auto& version : old.spec.versions) {
    if (const auto* props = schema_of(version)) {
      relax_for(schema_json(*props), out.schema);
    } else {
      out.schema_in_every_version = false;
    }
  }
  const auto& conversion = old.spec.conversion;
  const auto* client = conversion && conversion->webhook ? conversion->webhook->client_config.get() : nullptr;
  // Compat: an established definition must not come to have a bad bundle; one that is bad may stay so.
  const bool has_bundle = client && !client->ca_bundle.value_or("").empty();
  out.valid_ca_bundle = is_condition_true(old, "Established") && !(has_bundle && ca_bundle_problem(*client->ca_bundle));
  if (conversion && conversion->webhook && !conversion->webhook->conversion_review_versions.empty()) {
    out.known_review_version = std::ranges::any_of(conversion->webhook->conversion_review_versions,
                                                   [](const auto& name) { return name == "v1" || name == "v1beta1"; });
  }
  return out;
}

class CustomResourceDefinitionRules final : public RulesFor<Definition> {
 public:
  CustomResourceDefinitionRules() : RulesFor("apiextensions.k8s.io", "v1", "CustomResourceDefinition") {}
  UpdateWithoutVersion update_without_version() const override { return UpdateWithoutVersion::kRefused; }
  std::vector<std::string_view> reset_fields(std::string_view subresource) const override {
    if (subresource == "status") return {".metadata", ".spec"};
    return {".status"};
  }

  void set_defaults(Definition& object) const override {
    auto& names = object.spec.names;
    if (names.singular.empty()) {
      names.singular = names.kind;
      std::ranges::transform(names.singular, names.singular.begin(),
                             [](char c) { return c >= 'A' && c <= 'Z' ? char(c + 32) : c; });
    }
    if (names.list_kind.empty() && !names.kind.empty()) names.list_kind = names.kind + "List";
    if (!object.spec.conversion) object.spec.conversion.ensure().strategy = "None";
    if (const auto& webhook = object.spec.conversion->webhook;
        webhook && webhook->client_config && webhook->client_config->service) {
      auto& service = *object.spec.conversion->webhook->client_config->service;
      if (!service.port) service.port = 443;
    }
    if (object.status.stored_versions.empty()) add_storage_version(object);
  }

  void prepare_for_create(RuleContext&, Definition& object) const override {
    object.status = {};
    object.metadata.generation = 1;
    add_storage_version(object);
  }

  void prepare_for_update(RuleContext&, Definition& object, const Definition& old) const override {
    object.status = old.status;
    follow_generation(object.metadata, old.metadata, object.spec, old.spec);
    add_storage_version(object);
  }

  // Compat: metadata may change with the status.
  void prepare_for_subresource(std::string_view subresource, RuleContext&, Definition& object,
                               const Definition& old) const override {
    if (subresource == "status") object.spec = old.spec;
  }

  void validate(RuleContext& context, const Definition& object, FieldErrors& errors) const override {
    const FieldPath metadata("metadata");
    if (object.metadata.name != object.spec.names.plural + '.' + object.spec.group) {
      errors.invalid(metadata.child("name"), object.metadata.name, "must be spec.names.plural+\".\"+spec.group");
    }
    validate_crd_spec(object.spec, {}, errors);
    check_rest(object, nullptr, errors);
    if (errors.empty()) warn_of_formats(context, object, nullptr);
  }

  void validate_update(RuleContext& context, const Definition& object, const Definition& old,
                       FieldErrors& errors) const override {
    validate_crd_spec(object.spec, requirements_of_update(old), errors);
    const FieldPath spec("spec"), names = spec.child("names");
    if (is_condition_true(old, "Established")) {
      validate_immutable(object.spec.scope, old.spec.scope, spec.child("scope"), errors);
      validate_immutable(object.spec.names.kind, old.spec.names.kind, names.child("kind"), errors);
    }
    validate_immutable(object.spec.group, old.spec.group, spec.child("group"), errors);
    validate_immutable(object.spec.names.plural, old.spec.names.plural, names.child("plural"), errors);
    check_rest(object, &old, errors);
    if (errors.empty()) warn_of_formats(context, object, &old);
  }

  void validate_subresource(std::string_view subresource, RuleContext&, const Definition& object, const Definition&,
                            FieldErrors& errors) const override {
    const FieldPath status("status");
    if (subresource == "status") {
      validate_crd_names(object.status.accepted_names, status.child("acceptedNames"), errors);
    }
  }
};

}  // namespace

bool is_condition_true(const Definition& definition, std::string_view type) {
  const auto& conditions = definition.status.conditions;
  const auto found = std::ranges::find(conditions, type, &v1::CustomResourceDefinitionCondition::type);
  return found != conditions.end() && found->status == "True";
}

std::optional<v1::CustomResourceDefinitionCondition> non_structural_condition(const Definition& definition) {
  v1::CustomResourceDefinitionCondition condition;
  condition.type = "NonStructuralSchema";
  FieldErrors errors;
  const FieldPath spec("spec"), versions = spec.child("versions");
  if (definition.spec.preserve_unknown_fields) {
    errors.invalid(spec.child("preserveUnknownFields"), true, "must be false");
  }
  for (size_t i = 0; i < definition.spec.versions.size(); ++i) {
    const auto& version = definition.spec.versions[i];
    const auto* props = schema_of(version);
    if (!props) continue;
    const Value json = schema_json(*props);
    if (auto compiled = schema::StructuralSchema::compile(json, gen::message_of<meta::v1::ObjectMeta>()); !compiled) {
      condition.status = "Unknown";
      condition.reason = "StructuralError";
      condition.message =
          "failed to check validation schema for version " + version.name + ": " + compiled.error().message;
      return condition;
    }
    const FieldPath at = versions.index(i), schema = at.child("schema");
    schema::validate_structural(json, schema.child("openAPIV3Schema"), errors);
  }
  if (errors.empty()) return std::nullopt;
  condition.status = "True";
  condition.reason = "Violations";
  condition.message = errors.to_string();
  return condition;
}

std::optional<v1::CustomResourceDefinitionCondition> api_approval_condition(const Definition& definition) {
  if (!is_protected_group(definition.spec.group)) return std::nullopt;
  const std::string text = approval_text(definition);
  const Approval approval = approval_of(text);
  v1::CustomResourceDefinitionCondition condition;
  condition.type = "KubernetesAPIApprovalPolicyConformant";
  condition.status = approval == Approval::kApproved ? "True" : "False";
  condition.message = approval_reason(approval, text);
  switch (approval) {
    case Approval::kInvalid:
      condition.reason = "InvalidAnnotation";
      break;
    case Approval::kMissing:
      condition.reason = "MissingAnnotation";
      break;
    case Approval::kApproved:
      condition.reason = "ApprovedAnnotation";
      break;
    case Approval::kBypassed:
      condition.reason = "UnapprovedAnnotation";
      break;
  }
  return condition;
}

std::unique_ptr<const KindRules> custom_resource_definition_rules() {
  return std::make_unique<CustomResourceDefinitionRules>();
}

}  // namespace api
