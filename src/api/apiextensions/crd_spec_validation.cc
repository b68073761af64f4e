#include "api/apiextensions/crd_spec_validation.h"

#include <algorithm>
#include <set>

#include "api/admissionregistration/webhook_rules.h"
#include "api/apiextensions/ca_bundle.h"
#include "api/apiextensions/schema_field_path.h"
#include "api/apiextensions/schema_json.h"
#include "api/shared/checks.h"
#include "object/json.h"
#include "object/names.h"
#include "schema/structural/structurality.h"

namespace api {
namespace {

namespace v1 = apiextensions::v1;
using object::Array;
using object::Object;
using object::Value;

constexpr size_t kMaxSelectableFields = 8;

std::string joined(const std::vector<std::string>& messages) {
  std::string out;
  for (const std::string& message : messages) out += (out.empty() ? "" : ",") + message;
  return out;
}

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? char(c + 32) : c; });
  return text;
}

void check_label(const std::string& text, const FieldPath& path, FieldErrors& errors) {
  const std::string messages = joined(object::validate_dns1035_label(text));
  if (!messages.empty()) errors.invalid(path, text, messages);
}

// What all versions have in common.
struct Common {
  bool schema = false, subresources = false, columns = false, selectable_fields = false;
};

Common common_of(const std::vector<v1::CustomResourceDefinitionVersion>& versions) {
  Common common;
  if (versions.empty()) return common;
  const auto& first = versions.front();
  const auto all = [&](auto member) {
    return std::ranges::all_of(versions, [&](const auto& version) { return version.*member == first.*member; });
  };
  using Version = v1::CustomResourceDefinitionVersion;
  common.schema = all(&Version::schema);
  common.subresources = all(&Version::subresources);
  common.columns = all(&Version::additional_printer_columns);
  common.selectable_fields = all(&Version::selectable_fields);
  return common;
}

Value shown_columns(const std::vector<v1::CustomResourceColumnDefinition>& columns) {
  Array out;
  for (const auto& column : columns) {
    Object shown;
    shown.append("Name", column.name);
    shown.append("Type", column.type);
    shown.append("Format", column.format);
    shown.append("Description", column.description);
    shown.append("Priority", int64_t{column.priority});
    shown.append("JSONPath", column.json_path);
    out.emplace_back(std::move(shown));
  }
  return out;
}

Value shown_subresources(const v1::CustomResourceSubresources& subresources) {
  Object out, scale;
  out.append("Status", subresources.status ? Value(Object()) : Value());
  if (subresources.scale) {
    const auto& selector = subresources.scale->label_selector_path;
    scale.append("SpecReplicasPath", subresources.scale->spec_replicas_path);
    scale.append("StatusReplicasPath", subresources.scale->status_replicas_path);
    scale.append("LabelSelectorPath", selector ? Value(*selector) : Value());
  }
  out.append("Scale", subresources.scale ? Value(std::move(scale)) : Value());
  return out;
}

// The versions as upstream's messages show them: its internal structs, without what stands at the top of the spec.
BadValue shown_versions(const std::vector<v1::CustomResourceDefinitionVersion>& versions, const Common& common) {
  std::string out = "[";
  for (const auto& version : versions) {
    Object shown;
    shown.append("Name", version.name);
    shown.append("Served", version.served);
    shown.append("Storage", version.storage);
    shown.append("Deprecated", version.deprecated);
    shown.append("DeprecationWarning", version.deprecation_warning ? Value(*version.deprecation_warning) : Value());
    std::string schema = "null";
    if (!common.schema && version.schema) {
      const auto& props = version.schema->open_apiv3_schema;
      schema = "{\"OpenAPIV3Schema\":" + (props ? shown_schema(schema_json(*props)).text() : std::string("null")) + '}';
    }
    std::string text = object::to_json(Value(std::move(shown)));
    text.back() = ',';
    text += "\"Schema\":" + schema + ",\"Subresources\":";
    text += object::to_json(!common.subresources && version.subresources ? shown_subresources(*version.subresources)
                                                                         : Value());
    text += ",\"AdditionalPrinterColumns\":";
    const bool columns = !common.columns && !version.additional_printer_columns.empty();
    text += object::to_json(columns ? shown_columns(version.additional_printer_columns) : Value());
    text += ",\"SelectableFields\":";
    Array fields;
    for (const auto& field : version.selectable_fields) {
      Object one;
      one.append("JSONPath", field.json_path);
      fields.emplace_back(std::move(one));
    }
    text += object::to_json(!common.selectable_fields && !fields.empty() ? Value(std::move(fields)) : Value());
    out += (out.size() > 1 ? "," : "") + text + '}';
  }
  return BadValue::verbatim(out + ']');
}

// Compat: only the leading dot is asked for.
void check_simple_path(const std::string& text, const FieldPath& path, FieldErrors& errors) {
  if (!text.starts_with('.')) errors.invalid(path, text, "must be a simple json path starting with .");
}

void check_scale_path(const std::string& text, std::string_view under, const FieldPath& path, FieldErrors& errors) {
  if (text.empty()) {
    errors.required(path);
  } else if (!text.starts_with('.')) {
    check_simple_path(text, path, errors);
  } else if (!text.starts_with(under)) {
    errors.invalid(path, text, "should be a json path under " + std::string(under.substr(0, under.size() - 1)));
  }
}

void check_subresources(const base::Box<v1::CustomResourceSubresources>& subresources, const FieldPath& path,
                        FieldErrors& errors) {
  if (!subresources || !subresources->scale) return;
  const auto& scale = *subresources->scale;
  check_scale_path(scale.spec_replicas_path, ".spec.", path.child("scale.specReplicasPath"), errors);
  check_scale_path(scale.status_replicas_path, ".status.", path.child("scale.statusReplicasPath"), errors);
  if (!scale.label_selector_path || scale.label_selector_path->empty()) return;
  const std::string& selector = *scale.label_selector_path;
  const FieldPath at = path.child("scale.labelSelectorPath");
  if (!selector.starts_with('.')) {
    check_simple_path(selector, at, errors);
  } else if (!selector.starts_with(".spec.") && !selector.starts_with(".status.")) {
    errors.invalid(at, selector, "should be a json path under either .spec or .status");
  }
}

void check_columns(const std::vector<v1::CustomResourceColumnDefinition>& columns, const FieldPath& path,
                   FieldErrors& errors) {
  static constexpr std::string_view kTypes[] = {"boolean", "date", "integer", "number", "string"};
  static constexpr std::string_view kFormats[] = {"byte",  "date",  "date-time", "double",
                                                  "float", "int32", "int64",     "password"};
  for (size_t i = 0; i < columns.size(); ++i) {
    const auto& column = columns[i];
    const FieldPath at = path.index(i);
    if (column.name.empty()) errors.required(at.child("name"));
    constexpr std::string_view kTypeDetail = "must be one of boolean,date,integer,number,string";
    if (column.type.empty()) {
      errors.required(at.child("type"), kTypeDetail);
    } else if (std::ranges::find(kTypes, column.type) == std::end(kTypes)) {
      errors.invalid(at.child("type"), column.type, kTypeDetail);
    }
    if (!column.format.empty() && std::ranges::find(kFormats, column.format) == std::end(kFormats)) {
      errors.invalid(at.child("format"), column.format,
                     "must be one of byte,date,date-time,double,float,int32,int64,password");
    }
    if (column.json_path.empty()) {
      errors.required(at.child("JSONPath"));
    } else {
      check_simple_path(column.json_path, at.child("JSONPath"), errors);
    }
  }
}

void check_selectable_field(const std::string& text, schema::SchemaNode root, std::set<std::string>& seen,
                            const FieldPath& path, FieldErrors& errors) {
  if (text.empty()) return errors.required(path);
  const auto found = parse_schema_field_path(text, root, ArrayNotation::kRefused);
  if (!found) return errors.invalid(path, text, "is an invalid path: " + found.error().message);
  if (!found->steps.empty() && found->steps.front().name == "metadata") {
    errors.invalid(path, text, "must not point to fields in metadata");
  }
  const std::string_view type = found->node.type();
  if (type != "string" && type != "boolean" && type != "integer") {
    errors.invalid(path, text,
                   "must point to a field of type string, boolean or integer. Enum string fields and strings with "
                   "formats are allowed.");
  }
  if (!seen.insert(found->to_string()).second) errors.duplicate(path, text);
}

// Where a version's parts stand, and what its old form was.
struct Place {
  const FieldPath& schema;      // of the error when the schema cannot be read
  const FieldPath& selectable;  // of the list
  std::string_view missing;     // the message when there is no schema
  bool has_schema = true;       // whether schema and fields stand at the same place
};

void check_selectable_fields(const v1::CustomResourceDefinitionVersion& version,
                             const v1::CustomResourceDefinitionVersion* old, const Place& place, FieldErrors& errors) {
  const auto& fields = version.selectable_fields;
  if (fields.empty()) return;
  if (!place.has_schema || !version.schema || !version.schema->open_apiv3_schema) {
    return errors.invalid(place.selectable, "", place.missing);
  }
  const auto compiled = schema::StructuralSchema::compile(schema_json(*version.schema->open_apiv3_schema),
                                                          gen::message_of<meta::v1::ObjectMeta>());
  if (!compiled) errors.invalid(place.schema, "", compiled.error().message);
  const schema::SchemaNode root = compiled ? (*compiled)->root() : schema::SchemaNode();
  std::set<std::string> seen;
  for (size_t i = 0; i < fields.size(); ++i) {
    const FieldPath at = place.selectable.index(i);
    check_selectable_field(fields[i].json_path, root, seen, at.child("jsonPath"), errors);
  }
  const bool unchanged = old && old->selectable_fields == fields && fields.size() > kMaxSelectableFields;
  if (seen.size() > kMaxSelectableFields && !unchanged) {
    errors.too_many(place.selectable, static_cast<int64_t>(seen.size()), kMaxSelectableFields);
  }
}

// Go's unicode.IsPrint, for what a warning may hold: no control characters, no separators but the space.
bool is_printable(std::string_view text, size_t& bad) {
  for (size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    const bool c1 = c == 0xC2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) <= 0xA0;
    if (c >= 0x20 && c != 0x7F && !c1) continue;
    bad = i;
    return false;
  }
  return true;
}

void check_deprecation(const v1::CustomResourceDefinitionVersion& version, const FieldPath& path, FieldErrors& errors) {
  const auto& warning = version.deprecation_warning;
  if (!warning) return;
  // Compat: shown as JSON, not as a quoted text.
  const BadValue shown = BadValue::verbatim(object::to_json(Value(*warning)));
  if (!version.deprecated) return errors.invalid(path, shown, "can only be set for deprecated versions");
  if (warning->size() > 256) errors.invalid(path, shown, "must be <= 256 characters long");
  if (warning->empty()) errors.invalid(path, shown, "must not be an empty string");
  size_t bad = 0;
  if (!is_printable(*warning, bad)) {
    errors.invalid(
        path, shown,
        "must only contain printable UTF-8 characters; non-printable character found at index " + std::to_string(bad));
  }
}

void check_conversion(const base::Box<v1::CustomResourceConversion>& conversion, const CrdRequirements& requirements,
                      FieldErrors& errors) {
  if (!conversion) return;
  const FieldPath spec("spec"), path = spec.child("conversion");
  const FieldPath config = path.child("webhookClientConfig"), versions = path.child("conversionReviewVersions");
  check_enum(conversion->strategy, path.child("strategy"), errors, {"None", "Webhook"});
  const auto& webhook = conversion->webhook;
  if (conversion->strategy != "Webhook") {
    constexpr std::string_view kDetail = "should not be set when strategy is not set to Webhook";
    if (webhook && webhook->client_config) errors.forbidden(config, kDetail);
    if (webhook && !webhook->conversion_review_versions.empty()) errors.forbidden(versions, kDetail);
    return;
  }
  if (!webhook || !webhook->client_config) {
    errors.required(config, "required when strategy is set to Webhook");
  } else {
    admissionregistration::v1::WebhookClientConfig same;
    same.url = webhook->client_config->url;
    if (const auto& service = webhook->client_config->service) {
      auto& reference = same.service.ensure();
      reference.namespace_ = service->namespace_;
      reference.name = service->name;
      reference.path = service->path;
      reference.port = service->port;
    }
    validate_client_config(same, config, errors);
    if (requirements.valid_ca_bundle && webhook->client_config->ca_bundle) {
      validate_ca_bundle(*webhook->client_config->ca_bundle, config.child("caBundle"), errors);
    }
  }
  if (!webhook || webhook->conversion_review_versions.empty()) return errors.required(versions);
  std::set<std::string_view> seen;
  bool known = false;
  const auto& list = webhook->conversion_review_versions;
  for (size_t i = 0; i < list.size(); ++i) {
    if (!seen.insert(list[i]).second) {
      errors.invalid(versions.index(i), list[i], "duplicate version");
      continue;
    }
    errors.invalid_each(versions.index(i), list[i], object::validate_dns1035_label(list[i]));
    known = known || list[i] == "v1" || list[i] == "v1beta1";
  }
  if (requirements.known_review_version && !known) {
    errors.invalid(versions, shown(list), "must include at least one of v1, v1beta1");
  }
}

class SpecCheck {
 public:
  SpecCheck(const v1::CustomResourceDefinitionSpec& spec, CrdRequirements& requirements, FieldErrors& errors)
      : spec_(spec), requirements_(requirements), errors_(errors), common_(common_of(spec.versions)) {}

  void check() {
    check_group();
    check_enum(spec_.scope, path_.child("scope"), errors_, {"Cluster", "Namespaced"});
    check_schemas_present();
    for (size_t i = 0; i < spec_.versions.size(); ++i) check_version(spec_.versions[i], versions_.index(i));
    check_version_list();
    check_names();
    check_common();
    if (spec_.conversion && spec_.conversion->strategy != "None" && spec_.preserve_unknown_fields) {
      const FieldPath conversion = path_.child("conversion");
      errors_.invalid(conversion.child("strategy"), spec_.conversion->strategy,
                      "must be None if spec.preserveUnknownFields is true");
    }
    check_conversion(spec_.conversion, requirements_, errors_);
  }

 private:
  void check_group() {
    const FieldPath at = path_.child("group");
    if (spec_.group.empty()) {
      errors_.required(at);
    } else if (const auto messages = joined(object::validate_dns1123_subdomain(spec_.group)); !messages.empty()) {
      errors_.invalid(at, spec_.group, messages);
    } else if (spec_.group.find('.') == std::string::npos) {
      errors_.invalid(at, spec_.group, "should be a domain with at least one dot");
    }
  }

  static bool has_schema(const v1::CustomResourceDefinitionVersion& version) {
    return version.schema && version.schema->open_apiv3_schema;
  }

  void check_schemas_present() {
    for (size_t i = 0; i < spec_.versions.size(); ++i) {
      if (has_schema(spec_.versions[i])) continue;
      const FieldPath version = versions_.index(i), schema = version.child("schema");
      if (requirements_.schema_in_every_version) {
        errors_.required(schema.child("openAPIV3Schema"));
      } else if (!spec_.preserve_unknown_fields && spec_.versions[i].served) {
        errors_.required(schema.child("openAPIV3Schema"), "because otherwise all fields are pruned");
      }
    }
    if (!spec_.preserve_unknown_fields) return;
    const bool has_defaults = std::ranges::any_of(spec_.versions, [](const auto& version) {
      return has_schema(version) && schema::any_schema(schema_json(*version.schema->open_apiv3_schema),
                                                       [](const Object& json) { return json.contains("default"); });
    });
    if (has_defaults) {
      errors_.invalid(path_.child("preserveUnknownFields"), true,
                      "must be false in order to use defaults in the schema");
    }
  }

  void check_schema(const v1::CustomResourceDefinitionVersion& version, bool status, const FieldPath& path) {
    if (!has_schema(version)) return;
    SchemaRequirements requirements = requirements_.schema;
    requirements.structural = requirements.structural || !spec_.preserve_unknown_fields || has_extensions();
    requirements.status_subresource = status;
    requirements.expressions.unchanged = old_schema_is(version);
    validate_crd_schema(schema_json(*version.schema->open_apiv3_schema), requirements, path, errors_);
  }

  const v1::CustomResourceDefinitionVersion* old_version(std::string_view name) const {
    if (!requirements_.old) return nullptr;
    const auto& versions = requirements_.old->spec.versions;
    const auto found = std::ranges::find(versions, name, &v1::CustomResourceDefinitionVersion::name);
    return found == versions.end() ? nullptr : &*found;
  }

  // Compat: where all old versions have one schema, it is that of the versions that there were not, too.
  bool old_schema_is(const v1::CustomResourceDefinitionVersion& version) const {
    if (!requirements_.old) return false;
    const auto& versions = requirements_.old->spec.versions;
    const auto* old = !versions.empty() && common_of(versions).schema ? &versions.front() : old_version(version.name);
    return old && old->schema == version.schema;
  }

  // Compat: defaults and most extensions make sense in structural schemas only.
  bool has_extensions() const {
    return std::ranges::any_of(spec_.versions, [](const auto& version) {
      return has_schema(version) &&
             schema::any_schema(schema_json(*version.schema->open_apiv3_schema), [](const Object& json) {
               const auto has = [&](std::string_view name) { return json.contains(name); };
               return has("default") || true_at(json, "x-kubernetes-embedded-resource") ||
                      has("x-kubernetes-preserve-unknown-fields") || true_at(json, "x-kubernetes-int-or-string") ||
                      !list_at(json, "x-kubernetes-list-map-keys").empty() || has("x-kubernetes-list-type") ||
                      !list_at(json, "x-kubernetes-validations").empty();
             });
    });
  }

  static bool has_status(const v1::CustomResourceDefinitionVersion& version) {
    return version.subresources && version.subresources->status;
  }

  // What the version has of its own.
  void check_version(const v1::CustomResourceDefinitionVersion& version, const FieldPath& path) {
    check_label(version.name, path.child("name"), errors_);
    check_deprecation(version, path.child("deprecationWarning"), errors_);
    const FieldPath schema = path.child("schema");
    if (!common_.schema) check_schema(version, has_status(version), schema);
    if (!common_.subresources) check_subresources(version.subresources, path.child("subresources"), errors_);
    if (!common_.columns) {
      check_columns(version.additional_printer_columns, path.child("additionalPrinterColumns"), errors_);
    }
    if (common_.selectable_fields) return;
    check_selectable_fields(version, old_version(version.name),
                            {path.child("schema.openAPIV3Schema"), path.child("selectableFields"),
                             "may only be set when `version.schema.openAPIV3Schema` is not included", !common_.schema},
                            errors_);
  }

  void check_version_list() {
    std::set<std::string_view> names;
    bool unique = true;
    int storage = 0;
    for (const auto& version : spec_.versions) {
      unique = names.insert(version.name).second && unique;
      storage += version.storage ? 1 : 0;
    }
    if (!unique) {
      errors_.invalid(versions_, shown_versions(spec_.versions, common_), "must contain unique version names");
    }
    if (storage != 1) {
      errors_.invalid(versions_, shown_versions(spec_.versions, common_),
                      "must have exactly one version marked as storage version");
    }
    // Compat: the first version is also the internal form's spec.version.
    if (!spec_.versions.empty() && !spec_.versions.front().name.empty()) {
      check_label(spec_.versions.front().name, path_.child("version"), errors_);
    }
  }

  void check_names() {
    const FieldPath names = path_.child("names");
    if (spec_.names.plural.empty()) errors_.required(names.child("plural"));
    if (spec_.names.singular.empty()) errors_.required(names.child("singular"));
    if (spec_.names.kind.empty()) errors_.required(names.child("kind"));
    if (spec_.names.list_kind.empty()) errors_.required(names.child("listKind"));
    validate_crd_names(spec_.names, names, errors_);
  }

  // What all versions have in common, at the top of the spec.
  void check_common() {
    if (spec_.versions.empty()) return;
    const auto& first = spec_.versions.front();
    const bool any_status = std::ranges::any_of(spec_.versions, has_status);
    if (common_.schema) check_schema(first, any_status, path_.child("validation"));
    if (common_.subresources) check_subresources(first.subresources, path_.child("subresources"), errors_);
    if (common_.columns) {
      check_columns(first.additional_printer_columns, path_.child("additionalPrinterColumns"), errors_);
    }
    if (!common_.selectable_fields) return;
    check_selectable_fields(first, old_version(first.name),
                            {path_.child("schema.openAPIV3Schema"), path_.child("selectableFields"),
                             "may only be set when validations.schema is included", common_.schema},
                            errors_);
  }

  const v1::CustomResourceDefinitionSpec& spec_;
  const CrdRequirements& requirements_;
  FieldErrors& errors_;
  const Common common_;
  const FieldPath path_{"spec"};
  const FieldPath versions_ = path_.child("versions");
};

}  // namespace

void validate_crd_names(const v1::CustomResourceDefinitionNames& names, const FieldPath& path, FieldErrors& errors) {
  if (!names.plural.empty()) check_label(names.plural, path.child("plural"), errors);
  if (!names.singular.empty()) check_label(names.singular, path.child("singular"), errors);
  const auto check_kind = [&](const std::string& kind, std::string_view name) {
    const std::string messages = joined(object::validate_dns1035_label(lower(kind)));
    if (kind.empty() || messages.empty()) return;
    errors.invalid(path.child(name), kind, "may have mixed case, but should otherwise match: " + messages);
  };
  check_kind(names.kind, "kind");
  check_kind(names.list_kind, "listKind");
  const FieldPath short_names = path.child("shortNames"), categories = path.child("categories");
  for (size_t i = 0; i < names.short_names.size(); ++i) check_label(names.short_names[i], short_names.index(i), errors);
  if (!names.kind.empty() && names.kind == names.list_kind) {
    errors.invalid(path.child("listKind"), names.list_kind, "kind and listKind may not be the same");
  }
  for (size_t i = 0; i < names.categories.size(); ++i) check_label(names.categories[i], categories.index(i), errors);
}

void validate_crd_spec(const v1::CustomResourceDefinitionSpec& spec, CrdRequirements requirements,
                       FieldErrors& errors) {
  SpecCheck(spec, requirements, errors).check();
}

}  // namespace api
