#include "api/core/event.h"

#include <algorithm>
#include <cctype>

#include "api/meta_validation.h"
#include "api/shared/cells.h"
#include "api/shared/checks.h"
#include "object/names.h"

namespace api {
namespace {

using core::v1::Event;

constexpr size_t kNameBytes = 128;
constexpr size_t kMessageBytes = 1024;
constexpr std::string_view kEventsGroup = "events.k8s.io";

void check_length(std::string_view field, size_t size, size_t limit, FieldErrors& errors) {
  if (size > limit) {
    errors.invalid(FieldPath(field), "", "can have at most " + std::to_string(limit) + " characters");
  }
}

// What every event must satisfy; those with an event time are of the newer form whatever version they came in.
void check_common(const Event& event, std::string_view controller_field, FieldErrors& errors) {
  const FieldPath involved("involvedObject");
  const std::string& name_space = event.involved_object.namespace_;
  // Compat: an event about a cluster-wide object lives in "default".
  const bool agrees = name_space.empty() ? event.metadata.namespace_.empty() || event.metadata.namespace_ == "default"
                                         : name_space == event.metadata.namespace_;
  if (!agrees) errors.invalid(involved.child("namespace"), name_space, "does not match event.namespace");
  if (event.event_time.zero()) return;
  const FieldPath controller(controller_field);
  if (event.reporting_component.empty()) errors.required(controller);
  errors.invalid_each(controller, event.reporting_component,
                      object::validate_qualified_name(event.reporting_component));
  if (event.reporting_instance.empty()) errors.required(FieldPath("reportingInstance"));
  check_length("reportingInstance", event.reporting_instance.size(), kNameBytes, errors);
  if (event.action.empty()) errors.required(FieldPath("action"));
  check_length("action", event.action.size(), kNameBytes, errors);
  if (event.reason.empty()) errors.required(FieldPath("reason"));
  check_length("reason", event.reason.size(), kNameBytes, errors);
  check_length("message", event.message.size(), kMessageBytes, errors);
}

void check_series(const Event& event, FieldErrors& errors) {
  if (!event.series) return;
  const FieldPath series("series");
  if (event.series->count < 2) errors.invalid(series.child("count"), "", "should be at least 2");
  if (event.series->last_observed_time.zero()) errors.required(series.child("lastObservedTime"));
}

void check_new_form(const Event& event, FieldErrors& errors) {
  check_series(event, errors);
  constexpr std::string_view kUnset = "needs to be unset";
  if (event.event_time.zero()) errors.required(FieldPath("eventTime"));
  if (event.type != "Normal" && event.type != "Warning") {
    errors.invalid(FieldPath("type"), "", "has invalid value: " + event.type);
  }
  if (!event.first_timestamp.zero()) errors.invalid(FieldPath("firstTimestamp"), "", kUnset);
  if (!event.last_timestamp.zero()) errors.invalid(FieldPath("lastTimestamp"), "", kUnset);
  if (event.count != 0) errors.invalid(FieldPath("count"), "", kUnset);
  if (!event.source.component.empty() || !event.source.host.empty()) {
    errors.invalid(FieldPath("source"), "", kUnset);
  }
}

BadValue shown_reference(const core::v1::ObjectReference& reference) {
  object::Object text;
  text.append("Kind", reference.kind);
  text.append("Namespace", reference.namespace_);
  text.append("Name", reference.name);
  text.append("UID", reference.uid);
  text.append("APIVersion", reference.api_version);
  text.append("ResourceVersion", reference.resource_version);
  text.append("FieldPath", reference.field_path);
  return shown_json(std::move(text));
}

void check_new_form_update(const Event& event, const Event& old, FieldErrors& errors) {
  if (event.series != old.series) check_series(event, errors);
  validate_immutable(event.involved_object, old.involved_object, shown_reference(event.involved_object),
                     FieldPath("involvedObject"), errors);
  validate_immutable(event.reason, old.reason, FieldPath("reason"), errors);
  validate_immutable(event.message, old.message, FieldPath("message"), errors);
  object::Object source;
  source.append("Component", event.source.component);
  source.append("Host", event.source.host);
  validate_immutable(event.source, old.source, shown_json(std::move(source)), FieldPath("source"), errors);
  validate_immutable(event.first_timestamp, old.first_timestamp, object::format_time(event.first_timestamp),
                     FieldPath("firstTimestamp"), errors);
  validate_immutable(event.last_timestamp, old.last_timestamp, object::format_time(event.last_timestamp),
                     FieldPath("lastTimestamp"), errors);
  validate_immutable(event.count, old.count, FieldPath("count"), errors);
  validate_immutable(event.type, old.type, FieldPath("type"), errors);
  validate_immutable(event.event_time, old.event_time, object::format_micro_time(event.event_time),
                     FieldPath("eventTime"), errors);
  validate_immutable(event.action, old.action, FieldPath("action"), errors);
  validate_immutable(event.related, old.related,
                     event.related ? shown_reference(*event.related) : BadValue::verbatim("null"), FieldPath("related"),
                     errors);
  validate_immutable(event.reporting_component, old.reporting_component, FieldPath("reportingController"), errors);
  validate_immutable(event.reporting_instance, old.reporting_instance, FieldPath("reportingInstance"), errors);
}

std::string lower(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(), [](unsigned char c) { return std::tolower(c); });
  return result;
}

std::string trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\n\v\f\r";
  const size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return "";
  return std::string(text.substr(first, text.find_last_not_of(kSpace) - first + 1));
}

std::string micro_age(const object::MicroTime& time, base::WallTime now) {
  return time.zero() ? "<unknown>" : object::human_duration(now - object::to_wall_time(time));
}

class EventRules final : public RulesFor<Event> {
 public:
  EventRules() : RulesFor("", "v1", "Event") {}
  CreateOnUpdate create_on_update() const override { return CreateOnUpdate::kAllowed; }
  NameValidator name_validator() const override { return name_is_path_segment; }

  void validate(RuleContext& context, const Event& event, FieldErrors& errors) const override {
    const bool new_form = context.request_group == kEventsGroup;
    check_common(event, new_form ? "reportingController" : "reportingComponent", errors);
    if (new_form) check_new_form(event, errors);
  }
  void validate_update(RuleContext& context, const Event& event, const Event& old, FieldErrors& errors) const override {
    const bool new_form = context.request_group == kEventsGroup;
    check_common(event, new_form ? "reportingController" : "reportingComponent", errors);
    if (new_form) check_new_form_update(event, old, errors);
  }
  void cells(const Event& event, base::WallTime now, TableRow& row) const override {
    const std::string first =
        event.first_timestamp.zero() ? micro_age(event.event_time, now) : object::human_age(event.first_timestamp, now);
    std::string last = event.last_timestamp.zero() ? first : object::human_age(event.last_timestamp, now);
    int64_t count = event.count == 0 ? 1 : event.count;
    if (event.series) {
      last = micro_age(event.series->last_observed_time, now);
      count = event.series->count;
    }
    std::string target = lower(event.involved_object.kind);
    if (!event.involved_object.name.empty()) target += "/" + event.involved_object.name;
    std::string source = or_text(event.source.component, event.reporting_component);
    const std::string host = or_text(event.source.host, event.reporting_instance);
    if (!host.empty()) source += ", " + host;
    row.cells = {
        last,  event.type, event.reason,       target, event.involved_object.field_path, source, trimmed(event.message),
        first, count,      event.metadata.name};
  }
  std::vector<SelectableField> selectable_fields(const Event& event) const override {
    const auto& involved = event.involved_object;
    return {{"involvedObject.kind", involved.kind},
            {"involvedObject.namespace", involved.namespace_},
            {"involvedObject.name", involved.name},
            {"involvedObject.uid", involved.uid},
            {"involvedObject.apiVersion", involved.api_version},
            {"involvedObject.resourceVersion", involved.resource_version},
            {"involvedObject.fieldPath", involved.field_path},
            {"reason", event.reason},
            {"reportingComponent", event.reporting_component},
            {"source", or_text(event.source.component, event.reporting_component)},
            {"type", event.type}};
  }
};

}  // namespace

void event_to_stored(const events::v1::Event& served, core::v1::Event& stored) {
  stored.metadata = served.metadata;
  stored.event_time = served.event_time;
  stored.series.reset();
  if (served.series) {
    auto& series = stored.series.ensure();
    series.count = served.series->count;
    series.last_observed_time = served.series->last_observed_time;
  }
  stored.reporting_component = served.reporting_controller;
  stored.reporting_instance = served.reporting_instance;
  stored.action = served.action;
  stored.reason = served.reason;
  stored.involved_object = served.regarding;
  stored.related = served.related;
  stored.message = served.note;
  stored.type = served.type;
  stored.source = served.deprecated_source;
  stored.first_timestamp = served.deprecated_first_timestamp;
  stored.last_timestamp = served.deprecated_last_timestamp;
  stored.count = served.deprecated_count;
}

void event_from_stored(const core::v1::Event& stored, events::v1::Event& served) {
  served.metadata = stored.metadata;
  served.event_time = stored.event_time;
  served.series.reset();
  if (stored.series) {
    auto& series = served.series.ensure();
    series.count = stored.series->count;
    series.last_observed_time = stored.series->last_observed_time;
  }
  served.reporting_controller = stored.reporting_component;
  served.reporting_instance = stored.reporting_instance;
  served.action = stored.action;
  served.reason = stored.reason;
  served.regarding = stored.involved_object;
  served.related = stored.related;
  served.note = stored.message;
  served.type = stored.type;
  served.deprecated_source = stored.source;
  served.deprecated_first_timestamp = stored.first_timestamp;
  served.deprecated_last_timestamp = stored.last_timestamp;
  served.deprecated_count = stored.count;
}

std::string_view stored_event_field(std::string_view served_field) {
  static constexpr std::pair<std::string_view, std::string_view> kFields[] = {
      {"metadata.name", "metadata.name"},
      {"metadata.namespace", "metadata.namespace"},
      {"regarding.kind", "involvedObject.kind"},
      {"regarding.namespace", "involvedObject.namespace"},
      {"regarding.name", "involvedObject.name"},
      {"regarding.uid", "involvedObject.uid"},
      {"regarding.apiVersion", "involvedObject.apiVersion"},
      {"regarding.resourceVersion", "involvedObject.resourceVersion"},
      {"regarding.fieldPath", "involvedObject.fieldPath"},
      {"reason", "reason"},
      {"reportingController", "reportingComponent"},
      {"type", "type"},
  };
  for (const auto& [served, stored] : kFields) {
    if (served == served_field) return stored;
  }
  return "";
}

std::unique_ptr<const KindRules> event_rules() { return std::make_unique<EventRules>(); }

}  // namespace api
