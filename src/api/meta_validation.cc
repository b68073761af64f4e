#include "api/meta_validation.h"

#include <algorithm>
#include <cctype>
#include <set>

#include "object/json.h"
#include "object/names.h"
#include "object/quantity.h"
#include "object/time.h"

namespace api {
namespace {

// Values are quoted for messages only when there are some: labels and annotations of every write pass here.
void report(object::FieldErrors& errors, const object::FieldPath& path, std::string_view value,
            const std::vector<std::string>& messages) {
  if (!messages.empty()) errors.invalid_each(path, value, messages);
}

using object::FieldErrors;
using object::FieldPath;
using object::Value;

constexpr int64_t kMaxAnnotationsBytes = 256 << 10;
constexpr std::string_view kOrphan = "orphan";
constexpr std::string_view kForeground = "foregroundDeletion";

std::string join(const std::vector<std::string>& parts, std::string_view separator) {
  std::string out;
  for (const auto& part : parts) {
    if (!out.empty()) out += separator;
    out += part;
  }
  return out;
}

// Go's %#v of a sorted []string.
std::string go_list(const std::set<std::string>& values) {
  std::vector<std::string> quoted;
  for (const auto& value : values) quoted.push_back(object::BadValue(value).text());
  return "[]string{" + join(quoted, ", ") + "}";
}

// A prefix may end in "-": that is checked as if another character followed.
std::string mask_trailing_dash(std::string_view name) {
  std::string out(name);
  if (out.size() > 1 && out.ends_with('-')) {
    out.pop_back();
    if (out.back() == '-') out.back() = 'a';
    out += 'a';
  }
  return out;
}

void validate_owner(const meta::v1::OwnerReference& owner, const FieldPath& path, FieldErrors& errors) {
  const size_t slash = owner.api_version.find('/');
  const bool malformed = slash != std::string::npos && owner.api_version.find('/', slash + 1) != std::string::npos;
  const std::string version = malformed                    ? ""
                              : slash == std::string::npos ? owner.api_version
                                                           : owner.api_version.substr(slash + 1);
  const std::string group = malformed || slash == std::string::npos ? "" : owner.api_version.substr(0, slash);
  if (version.empty()) errors.invalid(path.child("apiVersion"), owner.api_version, "version must not be empty");
  if (owner.kind.empty()) errors.invalid(path.child("kind"), owner.kind, "must not be empty");
  if (owner.name.empty()) errors.invalid(path.child("name"), owner.name, "must not be empty");
  if (owner.uid.empty()) errors.invalid(path.child("uid"), owner.uid, "must not be empty");
  if (group.empty() && version == "v1" && owner.kind == "Event") {
    errors.invalid(path, shown(owner), "/v1, Kind=Event is disallowed from being an owner");
  }
}

Value to_value(const meta::v1::OwnerReference& owner) {
  object::Object out;
  out.set("apiVersion", owner.api_version);
  out.set("kind", owner.kind);
  out.set("name", owner.name);
  out.set("uid", owner.uid);
  if (owner.controller) out.set("controller", *owner.controller);
  if (owner.block_owner_deletion) out.set("blockOwnerDeletion", *owner.block_owner_deletion);
  return out;
}

void validate_managed_fields(const std::vector<meta::v1::ManagedFieldsEntry>& entries, const FieldPath& path,
                             FieldErrors& errors) {
  constexpr size_t kMaxManager = 128, kMaxSubresource = 256;
  for (size_t i = 0; i < entries.size(); ++i) {
    const auto& entry = entries[i];
    const FieldPath at = path.index(i);
    if (entry.operation != "Apply" && entry.operation != "Update") {
      errors.invalid(at.child("operation"), entry.operation, "must be `Apply` or `Update`");
    }
    if (!entry.fields_type.empty() && entry.fields_type != "FieldsV1") {
      errors.invalid(at.child("fieldsType"), entry.fields_type, "must be `FieldsV1`");
    }
    if (entry.manager.size() > kMaxManager) errors.too_long(at.child("manager"), kMaxManager);
    if (entry.subresource.size() > kMaxSubresource) errors.too_long(at.child("subresource"), kMaxSubresource);
  }
}

// Finalizers of upstream's own kinds without a domain must be ones that upstream knows.
void validate_core_finalizers(const meta::v1::ObjectMeta& metadata, const FieldPath& path, FieldErrors& errors) {
  for (size_t i = 0; i < metadata.finalizers.size(); ++i) {
    const std::string& finalizer = metadata.finalizers[i];
    if (finalizer.find('/') != std::string::npos) continue;
    if (finalizer == "kubernetes" || finalizer == kOrphan || finalizer == kForeground) continue;
    errors.invalid(path.index(i), finalizer, "name is neither a standard finalizer name nor is it fully qualified");
  }
}

// The parts that are checked on create and update alike.
void validate_parts(const meta::v1::ObjectMeta& metadata, const FieldPath& path, FieldErrors& errors) {
  validate_labels(metadata.labels, path.child("labels"), errors);
  validate_annotations(metadata.annotations, path.child("annotations"), errors);
  validate_owner_references(metadata.owner_references, path.child("ownerReferences"), errors);
}

std::string json_time(const object::Time& time) { return time.zero() ? "null" : object::format_time(time); }

void validate_update_once(const meta::v1::ObjectMeta& metadata, const meta::v1::ObjectMeta& old, FieldErrors& errors) {
  const FieldPath path("metadata");
  if (old.deletion_timestamp) {
    std::set<std::string> added(metadata.finalizers.begin(), metadata.finalizers.end());
    for (const auto& finalizer : old.finalizers) added.erase(finalizer);
    if (!added.empty()) {
      errors.forbidden(
          path.child("finalizers"),
          "no new finalizers can be added if the object is being deleted, found new finalizers " + go_list(added));
    }
  }
  if (metadata.resource_version.empty()) {
    errors.invalid(path.child("resourceVersion"), "", "must be specified for an update");
  }
  if (metadata.generation < old.generation) {
    errors.invalid(path.child("generation"), metadata.generation, "must not be decremented");
  }
  validate_immutable(metadata.name, old.name, path.child("name"), errors);
  validate_immutable(metadata.namespace_, old.namespace_, path.child("namespace"), errors);
  validate_immutable(metadata.uid, old.uid, path.child("uid"), errors);
  if (!(metadata.creation_timestamp == old.creation_timestamp)) {
    errors.invalid(path.child("creationTimestamp"), object::BadValue::verbatim(json_time(metadata.creation_timestamp)),
                   kFieldImmutable);
  }
  if (!(metadata.deletion_timestamp == old.deletion_timestamp)) {
    errors.invalid(
        path.child("deletionTimestamp"),
        object::BadValue::verbatim(metadata.deletion_timestamp ? json_time(*metadata.deletion_timestamp) : "null"),
        kFieldImmutable);
  }
  const auto& grace = metadata.deletion_grace_period_seconds;
  validate_immutable(grace, old.deletion_grace_period_seconds,
                     object::BadValue::verbatim(grace ? std::to_string(*grace) : "null"),
                     path.child("deletionGracePeriodSeconds"), errors);
  validate_parts(metadata, path, errors);
  validate_managed_fields(metadata.managed_fields, path.child("managedFields"), errors);
}

}  // namespace

void validate_object_meta(const meta::v1::ObjectMeta& metadata, const MetaSubject& subject, FieldErrors& errors) {
  const FieldPath path("metadata");
  if (!metadata.generate_name.empty()) {
    errors.invalid_each(path.child("generateName"), metadata.generate_name,
                        subject.names(metadata.generate_name, NameUse::kPrefix));
  }
  if (metadata.name.empty()) {
    errors.required(path.child("name"), "name or generateName is required");
  } else {
    errors.invalid_each(path.child("name"), metadata.name, subject.names(metadata.name, NameUse::kName));
  }
  if (subject.scope == Scope::kCluster) {
    if (!metadata.namespace_.empty()) errors.forbidden(path.child("namespace"), "not allowed on this type");
  } else if (metadata.namespace_.empty()) {
    errors.required(path.child("namespace"));
  } else {
    errors.invalid_each(path.child("namespace"), metadata.namespace_,
                        object::validate_dns1123_label(metadata.namespace_));
  }
  validate_not_negative(metadata.generation, path.child("generation"), errors);
  validate_parts(metadata, path, errors);
  validate_finalizers(metadata.finalizers, path.child("finalizers"), errors);
  validate_managed_fields(metadata.managed_fields, path.child("managedFields"), errors);
  if (subject.rules == MetaRules::kBuiltIn) validate_core_finalizers(metadata, path.child("finalizers"), errors);
}

void validate_object_meta_update(const meta::v1::ObjectMeta& metadata, const meta::v1::ObjectMeta& old, MetaRules rules,
                                 FieldErrors& errors) {
  const size_t before = errors.size();
  validate_update_once(metadata, old, errors);
  if (rules == MetaRules::kCustom) return;
  const FieldPath path("metadata");
  // Compat: the same errors stand twice.
  if (errors.size() != before) validate_update_once(metadata, old, errors);
  validate_core_finalizers(metadata, path.child("finalizers"), errors);
}

void prepare_meta_for_create(meta::v1::ObjectMeta& metadata) {
  metadata.deletion_timestamp.reset();
  metadata.deletion_grace_period_seconds.reset();
  metadata.self_link.clear();
}

void prepare_meta_for_update(meta::v1::ObjectMeta& metadata, const meta::v1::ObjectMeta& old) {
  metadata.generation = old.generation;
  metadata.self_link.clear();
  if (metadata.uid.empty()) metadata.uid = old.uid;
  metadata.creation_timestamp = old.creation_timestamp;
  if (old.deletion_timestamp) metadata.deletion_timestamp = old.deletion_timestamp;
  if (!metadata.deletion_grace_period_seconds) {
    metadata.deletion_grace_period_seconds = old.deletion_grace_period_seconds;
  }
}

void reset_meta_for_status(meta::v1::ObjectMeta& metadata, const meta::v1::ObjectMeta& old) {
  metadata.deletion_timestamp = old.deletion_timestamp;
  metadata.generation = old.generation;
  metadata.self_link = old.self_link;
  metadata.labels = old.labels;
  metadata.annotations = old.annotations;
  metadata.finalizers = old.finalizers;
  metadata.owner_references = old.owner_references;
}

void dedup_owner_references(meta::v1::ObjectMeta& metadata, std::vector<std::string>& warnings) {
  std::set<std::string> seen;
  std::vector<std::string> repeated;
  std::erase_if(metadata.owner_references, [&](const auto& owner) {
    if (seen.insert(owner.uid).second) return false;
    repeated.push_back(owner.uid);
    return true;
  });
  if (repeated.empty()) return;
  warnings.push_back(
      ".metadata.ownerReferences contains duplicate entries; API server dedups owner references in 1.20+, and may "
      "reject such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: " +
      join(repeated, ", "));
}

void ip_warnings(std::string_view ip, const FieldPath& path, std::vector<std::string>& warnings) {
  object::IpAddress address;
  if (!object::parse_ip(ip, address, object::IpSyntax::kLegacy)) return;
  const std::string canonical = object::format_ip(address);
  const std::string shown_ip = object::BadValue(ip).text(), shown_canonical = object::BadValue(canonical).text();
  if (!object::parse_ip(ip, address, object::IpSyntax::kStrict)) {
    warnings.push_back(path.to_string() + ": non-standard IP address " + shown_ip +
                       " will be considered invalid in a future Kubernetes release: use " + shown_canonical);
  } else if (!address.is_v4() && canonical != ip) {
    warnings.push_back(path.to_string() + ": IPv6 address " + shown_ip + " should be in RFC 5952 canonical format (" +
                       shown_canonical + ")");
  }
}

std::vector<std::string> name_is_dns_subdomain(std::string_view name, NameUse use) {
  if (use == NameUse::kPrefix) return object::validate_dns1123_subdomain(mask_trailing_dash(name));
  return object::validate_dns1123_subdomain(name);
}

std::vector<std::string> name_is_dns_label(std::string_view name, NameUse use) {
  if (use == NameUse::kPrefix) return object::validate_dns1123_label(mask_trailing_dash(name));
  return object::validate_dns1123_label(name);
}

std::vector<std::string> name_is_dns1035_label(std::string_view name, NameUse use) {
  if (use == NameUse::kPrefix) return object::validate_dns1035_label(mask_trailing_dash(name));
  return object::validate_dns1035_label(name);
}

std::vector<std::string> name_is_path_segment(std::string_view name, NameUse use) {
  return use == NameUse::kPrefix ? object::validate_path_segment_prefix(name)
                                 : object::validate_path_segment_name(name);
}

void validate_labels(const StringMap& labels, const FieldPath& path, FieldErrors& errors) {
  for (const auto& [key, value] : labels) {
    validate_label_name(key, path, errors);
    report(errors, path, value, object::validate_label_value(value));
  }
}

void validate_annotations(const StringMap& annotations, const FieldPath& path, FieldErrors& errors) {
  int64_t bytes = 0;
  for (const auto& [key, value] : annotations) {
    std::string lower = key;
    std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    report(errors, path, key, object::validate_qualified_name(lower));
    bytes += static_cast<int64_t>(key.size() + value.size());
  }
  if (bytes > kMaxAnnotationsBytes) errors.too_long(path, kMaxAnnotationsBytes);
}

void validate_owner_references(const std::vector<meta::v1::OwnerReference>& references, const FieldPath& path,
                               FieldErrors& errors) {
  std::string controller;
  for (const auto& owner : references) {
    validate_owner(owner, path, errors);
    if (!owner.controller.value_or(false)) continue;
    const std::string name = owner.kind + "/" + owner.name;
    if (controller.empty()) {
      controller = name;
      continue;
    }
    object::Array all;
    for (const auto& each : references) all.push_back(to_value(each));
    errors.invalid(path, Value(std::move(all)),
                   "Only one reference can have Controller set to true. Found \"true\" in references for " +
                       controller + " and " + name);
  }
}

void validate_finalizers(const std::vector<std::string>& finalizers, const FieldPath& path, FieldErrors& errors) {
  for (const auto& finalizer : finalizers) validate_qualified_name(finalizer, path, errors);
  if (std::ranges::count(finalizers, kOrphan) > 0 && std::ranges::count(finalizers, kForeground) > 0) {
    errors.invalid(path, shown(finalizers), "finalizer orphan and foregroundDeletion cannot be both set");
  }
}

void validate_label_selector(const meta::v1::LabelSelector& selector, const FieldPath& path, FieldErrors& errors,
                             SelectorValues values) {
  validate_labels(selector.match_labels, path.child("matchLabels"), errors);
  const FieldPath expressions = path.child("matchExpressions");
  for (size_t i = 0; i < selector.match_expressions.size(); ++i) {
    const auto& expression = selector.match_expressions[i];
    const FieldPath at = expressions.index(i);
    const std::string& op = expression.operator_;
    if (op == "In" || op == "NotIn") {
      if (expression.values.empty()) {
        errors.required(at.child("values"), "must be specified when `operator` is 'In' or 'NotIn'");
      }
    } else if (op == "Exists" || op == "DoesNotExist") {
      if (!expression.values.empty()) {
        errors.forbidden(at.child("values"), "may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
      }
    } else {
      errors.invalid(at.child("operator"), op, "not a valid selector operator");
    }
    validate_label_name(expression.key, at.child("key"), errors);
    if (values == SelectorValues::kUnchecked) continue;
    const FieldPath values_path = at.child("values");
    for (size_t j = 0; j < expression.values.size(); ++j) {
      errors.invalid_each(values_path.index(j), expression.values[j],
                          object::validate_label_value(expression.values[j]));
    }
  }
}

void validate_dns1123_label(std::string_view value, const FieldPath& path, FieldErrors& errors) {
  errors.invalid_each(path, value, object::validate_dns1123_label(value));
}
void validate_dns1123_subdomain(std::string_view value, const FieldPath& path, FieldErrors& errors) {
  errors.invalid_each(path, value, object::validate_dns1123_subdomain(value));
}
void validate_qualified_name(std::string_view value, const FieldPath& path, FieldErrors& errors) {
  errors.invalid_each(path, value, object::validate_qualified_name(value));
}

// Compat: the label key's message differs from the qualified name's when there is more than one "/".
void validate_label_name(std::string_view value, const FieldPath& path, FieldErrors& errors) {
  report(errors, path, value, object::validate_qualified_name(value));
}

void validate_not_negative(int64_t value, const FieldPath& path, FieldErrors& errors) {
  if (value < 0) errors.invalid(path, value, kNotNegative);
}
void validate_not_negative(const object::Quantity& value, const FieldPath& path, FieldErrors& errors) {
  const auto quantity = object::QuantityValue::of(value);
  if (quantity.sign() < 0) errors.invalid(path, value.string, kNotNegative);
}

std::string inclusive_range_message(int64_t low, int64_t high) {
  return "must be between " + std::to_string(low) + " and " + std::to_string(high) + ", inclusive";
}

object::BadValue shown(const StringMap& labels) {
  if (labels.empty()) return object::BadValue::verbatim("null");
  object::Object out;
  for (const auto& [key, value] : labels) out.append(key, value);
  return Value(std::move(out));
}

object::BadValue shown(const meta::v1::LabelSelector& selector) {
  object::Object out;
  if (!selector.match_labels.empty()) {
    object::Object labels;
    for (const auto& [key, value] : selector.match_labels) labels.append(key, value);
    out.set("matchLabels", std::move(labels));
  }
  if (!selector.match_expressions.empty()) {
    object::Array expressions;
    for (const auto& expression : selector.match_expressions) {
      object::Object each;
      each.set("key", expression.key);
      each.set("operator", expression.operator_);
      if (!expression.values.empty()) {
        each.set("values", object::Array(expression.values.begin(), expression.values.end()));
      }
      expressions.emplace_back(std::move(each));
    }
    out.set("matchExpressions", std::move(expressions));
  }
  return Value(std::move(out));
}

object::BadValue shown(const std::vector<std::string>& list) {
  if (list.empty()) return object::BadValue::verbatim("null");
  return Value(object::Array(list.begin(), list.end()));
}

object::BadValue shown(const meta::v1::OwnerReference& reference) { return to_value(reference); }

}  // namespace api
