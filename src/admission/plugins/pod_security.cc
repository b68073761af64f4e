// Labels of a Namespace name the Pod Security level that its Pods must keep (enforce) or are warned about (warn).
// Violations of the audit level belong to the audit log, which has no place for them yet.
#include <algorithm>
#include <charconv>
#include <map>
#include <set>

#include "admission/plugins/common.h"
#include "admission/plugins/plugins.h"
#include "admission/plugins/pod_security_checks.h"
#include "codec/json_text.h"
#include "gen/apps/v1.h"
#include "gen/batch/v1.h"
#include "gen/codec.h"
#include "object/field_error.h"
#include "schema/metadata_view.h"

namespace admission {
namespace {

using api::core::v1::Pod;
using api::core::v1::PodTemplateSpec;
using object::FieldErrors;
using pod_security::Level;
using pod_security::LevelVersion;

constexpr std::string_view kPrefix = "pod-security.kubernetes.io/";
// Of a Namespace whose enforce level rises, so many Pods are looked at.
constexpr size_t kMaxPodsChecked = 3000;

struct Policy {
  LevelVersion enforce, audit, warn;
  bool privileged() const {
    return enforce.level == Level::kPrivileged && audit.level == Level::kPrivileged && warn.level == Level::kPrivileged;
  }
};

void add_error(FieldErrors& errors, std::string_view label, std::string_view value, std::string_view detail) {
  const object::FieldPath metadata("metadata");
  const object::FieldPath labels = metadata.child("labels");
  errors.invalid(labels.key(label), value, detail);
}

// False when the text is no level. Compat: `level` is then restricted.
bool parse_level(std::string_view text, Level& level) {
  level = text == "privileged" ? Level::kPrivileged : text == "baseline" ? Level::kBaseline : Level::kRestricted;
  return text == "privileged" || text == "baseline" || text == "restricted";
}

// "latest" or "v1.<n>", without leading zeros. False when the text is neither; the version is then the latest.
bool parse_version(std::string_view text, int& minor) {
  minor = pod_security::kLatest;
  if (text == "latest") return true;
  if (!text.starts_with("v1.")) return false;
  const std::string_view digits = text.substr(3);
  if (digits.empty() || (digits.size() > 1 && digits[0] == '0')) return false;
  int parsed = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), parsed);
  if (error != std::errc() || end != digits.data() + digits.size() || parsed < 0) return false;
  minor = parsed;
  return true;
}

// The labels under kPrefix, without it: "enforce", "enforce-version", "audit", … Cheap when there are none.
using PolicyLabels = std::map<std::string_view, std::string_view>;

PolicyLabels labels_of(const std::map<std::string, std::string>& labels) {
  PolicyLabels found;
  for (const auto& [key, value] : labels) {
    if (key.starts_with(kPrefix)) found.emplace(std::string_view(key).substr(kPrefix.size()), value);
  }
  return found;
}

// One mode's level and version. True when a valid level was given.
bool read_mode(const PolicyLabels& labels, const std::string& mode, LevelVersion& into, FieldErrors& errors) {
  bool has_level = false;
  if (auto found = labels.find(mode); found != labels.end()) {
    has_level = parse_level(found->second, into.level);
    if (!has_level) {
      add_error(errors, std::string(kPrefix) + mode, found->second, "must be one of privileged, baseline, restricted");
      if (mode != "enforce") into.level = Level::kPrivileged;  // Compat: only enforcement fails closed
    }
  }
  const std::string version = mode + "-version";
  if (auto found = labels.find(version); found != labels.end() && !parse_version(found->second, into.minor)) {
    add_error(errors, std::string(kPrefix) + version, found->second, "must be \"latest\" or \"v1.x\"");
  }
  return has_level;
}

Policy policy_of(const PolicyLabels& labels, FieldErrors& errors) {
  Policy policy;
  if (labels.empty()) return policy;
  const bool has_enforce = read_mode(labels, "enforce", policy.enforce, errors);
  read_mode(labels, "audit", policy.audit, errors);
  read_mode(labels, "warn", policy.warn, errors);
  // Compat: who enforces is warned too, unless the label says otherwise (workloads learn of it before their Pods fail).
  if (has_enforce && !labels.contains("warn") && policy.enforce.level > policy.warn.level) {
    policy.warn.level = policy.enforce.level;
    if (!labels.contains("warn-version")) policy.warn.minor = policy.enforce.minor;
  }
  return policy;
}

// The policy of the request's namespace.
Policy namespace_policy(const Attributes& attributes, const Lookup& lookup) {
  const std::string* raw = attributes.namespace_raw(lookup);
  if (!raw) return {};
  auto meta = schema::view_metadata(*raw);
  if (!meta) return {};
  PolicyLabels labels;
  for (const auto& [key, value] : meta->labels) {
    if (key.starts_with(kPrefix)) labels.emplace(key.substr(kPrefix.size()), value);
  }
  FieldErrors ignored;
  return policy_of(labels, ignored);
}

void warn(const Attributes& attributes, std::string text) {
  if (attributes.warnings) attributes.warnings->push_back(std::move(text));
}

void warn_of(const Attributes& attributes, const LevelVersion& policy, const api::meta::v1::ObjectMeta& metadata,
             const api::core::v1::PodSpec& spec) {
  const auto violations = pod_security::evaluate(policy, metadata, spec);
  if (violations.empty()) return;
  warn(attributes,
       "would violate PodSecurity \"" + policy.to_string() + "\": " + pod_security::with_details(violations));
}

template <typename List>
bool images_differ(const List& now, const List& before) {
  if (now.size() != before.size()) return true;
  for (size_t i = 0; i < now.size(); ++i) {
    if (now[i].image != before[i].image) return true;
  }
  return false;
}

// Compat: of an update only new images and new ephemeral containers matter; nothing else that counts can change.
bool significant(const Pod& pod, const Pod& old) {
  if (images_differ(pod.spec.containers, old.spec.containers)) return true;
  if (images_differ(pod.spec.init_containers, old.spec.init_containers)) return true;
  for (const auto& container : pod.spec.ephemeral_containers) {
    const auto& now = container.ephemeral_container_common;
    const bool known = std::ranges::any_of(old.spec.ephemeral_containers, [&](const auto& candidate) {
      const auto& before = candidate.ephemeral_container_common;
      return before.name == now.name && before.image == now.image;
    });
    if (!known) return true;
  }
  return false;
}

// The Pod template of a workload; null for everything else.
const PodTemplateSpec* template_of(const Attributes& a) {
  if (const auto* o = object_as<api::apps::v1::Deployment>(a)) return &o->spec.template_;
  if (const auto* o = object_as<api::apps::v1::ReplicaSet>(a)) return &o->spec.template_;
  if (const auto* o = object_as<api::apps::v1::DaemonSet>(a)) return &o->spec.template_;
  if (const auto* o = object_as<api::apps::v1::StatefulSet>(a)) return &o->spec.template_;
  if (const auto* o = object_as<api::batch::v1::Job>(a)) return &o->spec.template_;
  if (const auto* o = object_as<api::batch::v1::CronJob>(a)) return &o->spec.job_template.spec.template_;
  if (const auto* o = object_as<api::core::v1::ReplicationController>(a)) return o->spec.template_.get();
  if (const auto* o = object_as<api::core::v1::PodTemplate>(a)) return &o->template_;
  return nullptr;
}

// What the Pods of a namespace violate, one warning for each kind of violation.
class NamespaceSurvey {
 public:
  explicit NamespaceSurvey(const LevelVersion& policy) : policy_(policy) {}

  void run(const Lookup& lookup, const std::string& ns) {
    std::vector<std::string> siblings;  // Pods of a controller of which one was looked at already
    std::set<std::string, std::less<>> controllers;
    lookup.each("", "pods", ns, [&](std::string_view, std::string_view raw) {
      ++total_;
      auto meta = schema::view_metadata(raw);
      if (!meta) return;
      for (const auto& owner : meta->owner_references) {
        if (owner.controller && !controllers.emplace(owner.uid).second) {
          if (siblings.size() < kMaxPodsChecked) siblings.emplace_back(raw);
          return;
        }
      }
      look(raw);
    });
    for (const std::string& raw : siblings) look(raw);
  }

  void report(const Attributes& attributes, const std::string& ns) const {
    if (checked_ < total_) {
      warn(attributes, "new PodSecurity enforce level only checked against the first " + std::to_string(checked_) +
                           " of " + std::to_string(total_) + " existing pods");
    }
    if (groups_.empty()) return;
    warn(attributes, "existing pods in namespace " + codec::go_quoted(ns) +
                         " violate the new PodSecurity enforce level \"" + policy_.to_string() + "\"");
    std::vector<std::string> lines;
    for (const auto& [reasons, group] : groups_) {
      std::string others;
      if (group.count == 2) others = " (and 1 other pod)";
      if (group.count > 2) others = " (and " + std::to_string(group.count - 1) + " other pods)";
      lines.push_back(group.first_name + others + ": " + reasons);
    }
    std::ranges::sort(lines);
    for (std::string& line : lines) warn(attributes, std::move(line));
  }

 private:
  struct Group {
    std::string first_name;
    size_t count = 0;
  };

  void look(std::string_view raw) {
    if (checked_ >= kMaxPodsChecked) return;
    ++checked_;
    auto pod = gen::decode<Pod>(raw);
    if (!pod) return;
    const auto violations = pod_security::evaluate(policy_, pod->metadata, pod->spec);
    if (violations.empty()) return;
    Group& group = groups_[pod_security::reasons_only(violations)];
    if (group.count == 0 || pod->metadata.name < group.first_name) group.first_name = pod->metadata.name;
    ++group.count;
  }

  LevelVersion policy_;
  size_t total_ = 0, checked_ = 0;
  std::map<std::string, Group> groups_;
};

class PodSecurity final : public Plugin {
 public:
  std::string_view name() const override { return "PodSecurity"; }

  base::Result<void> validate(const Attributes& attributes, const Lookup& lookup) override {
    if (attributes.operation != Operation::kCreate && attributes.operation != Operation::kUpdate) return {};
    if (!attributes.object || !*attributes.object) return {};
    if (attributes.group.empty() && attributes.resource == "pods") return check_pod(attributes, lookup);
    if (!attributes.subresource.empty()) return {};
    if (attributes.is("", "namespaces")) return check_namespace(attributes, lookup);
    if (const PodTemplateSpec* pod = template_of(attributes)) {
      const Policy policy = namespace_policy(attributes, lookup);
      warn_of(attributes, policy.warn, pod->metadata, pod->spec);
    }
    return {};
  }

 private:
  static base::Result<void> check_pod(const Attributes& attributes, const Lookup& lookup) {
    constexpr std::string_view kIgnored[] = {"exec", "attach",      "binding", "eviction",
                                             "log",  "portforward", "proxy",   "status"};
    if (std::ranges::find(kIgnored, attributes.subresource) != std::end(kIgnored)) return {};
    const Pod* pod = object_as<Pod>(attributes);
    if (!pod) return {};
    const Policy policy = namespace_policy(attributes, lookup);
    if (policy.privileged()) return {};
    const Pod* old = old_as<Pod>(attributes);
    if (attributes.operation == Operation::kUpdate && old && !significant(*pod, *old)) return {};
    const auto violations = pod_security::evaluate(policy.enforce, pod->metadata, pod->spec);
    if (!violations.empty()) {
      return forbid(attributes, "violates PodSecurity \"" + policy.enforce.to_string() +
                                    "\": " + pod_security::with_details(violations));
    }
    // What keeps the enforced policy keeps the same policy when it only warns.
    if (!(policy.warn == policy.enforce)) warn_of(attributes, policy.warn, pod->metadata, pod->spec);
    return {};
  }

  static base::Result<void> check_namespace(const Attributes& attributes, const Lookup& lookup) {
    const auto* object = object_as<api::core::v1::Namespace>(attributes);
    if (!object) return {};
    FieldErrors errors;
    const Policy policy = policy_of(labels_of(object->metadata.labels), errors);
    const auto* old = old_as<api::core::v1::Namespace>(attributes);
    FieldErrors old_errors;
    const Policy before = old ? policy_of(labels_of(old->metadata.labels), old_errors) : Policy();
    // Compat: what was wrong before may stay.
    if (!errors.empty() && (!old || errors.errors() != old_errors.errors())) {
      return base::fail(object::invalid_error("", "Namespace", object->metadata.name, errors));
    }
    const bool stricter = policy.enforce.level > before.enforce.level || policy.enforce.minor != before.enforce.minor;
    if (!old || policy.enforce.level == Level::kPrivileged || !stricter) return {};
    NamespaceSurvey survey(policy.enforce);
    survey.run(lookup, object->metadata.name);
    survey.report(attributes, object->metadata.name);
    return {};
  }
};

}  // namespace

std::unique_ptr<Plugin> make_pod_security() { return std::make_unique<PodSecurity>(); }

}  // namespace admission
