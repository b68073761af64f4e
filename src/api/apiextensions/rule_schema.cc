#include "api/apiextensions/rule_schema.h"

#include <algorithm>

#include "api/apiextensions/schema_json.h"

namespace api {

using object::Object;
using object::Value;

std::string_view RuleSchema::type() const { return text_at(*json_, "type"); }
std::string_view RuleSchema::format() const { return text_at(*json_, "format"); }
bool RuleSchema::int_or_string() const { return true_at(*json_, "x-kubernetes-int-or-string"); }
bool RuleSchema::preserve_unknown_fields() const { return true_at(*json_, "x-kubernetes-preserve-unknown-fields"); }
bool RuleSchema::embedded_resource() const { return true_at(*json_, "x-kubernetes-embedded-resource"); }
bool RuleSchema::nullable() const { return true_at(*json_, "nullable"); }
bool RuleSchema::has_default() const {
  const Value* value = json_->find("default");
  return value && !value->is_null();
}

std::optional<int64_t> RuleSchema::integer(std::string_view name) const {
  const Value* value = json_->find(name);
  return value && value->int_if() ? std::optional(*value->int_if()) : std::nullopt;
}
std::optional<int64_t> RuleSchema::max_length() const { return integer("maxLength"); }
std::optional<int64_t> RuleSchema::max_items() const { return integer("maxItems"); }
std::optional<int64_t> RuleSchema::max_properties() const { return integer("maxProperties"); }

std::optional<int64_t> RuleSchema::longest_enum_value() const {
  std::optional<int64_t> longest;
  for (const Value& value : list_at(*json_, "enum")) {
    const int64_t size = value.string_if() ? static_cast<int64_t>(value.string_if()->size()) : 0;
    longest = std::max(longest.value_or(0), size);
  }
  return longest;
}

const cel::SchemaSource* RuleSchema::items() const {
  const Object* items = object_at(*json_, "items");
  if (items && !items_) items_ = std::make_unique<RuleSchema>(*items);
  return items_.get();
}

const cel::SchemaSource* RuleSchema::additional_properties() const {
  const Object* schema = object_at(*json_, "additionalProperties");
  if (schema && !additional_) additional_ = std::make_unique<RuleSchema>(*schema);
  return additional_.get();
}

bool RuleSchema::has_properties() const {
  const Object* properties = object_at(*json_, "properties");
  return properties && !properties->empty();
}

void RuleSchema::each_property(const std::function<void(std::string_view, const cel::SchemaSource&)>& visit) const {
  const Object* properties = object_at(*json_, "properties");
  if (!properties) return;
  for (const object::Member& member : *properties) {
    if (member.value.is_object()) visit(member.key, RuleSchema(*member.value.object_if()));
  }
}

bool RuleSchema::is_required(std::string_view name) const {
  const object::Array& required = list_at(*json_, "required");
  return std::ranges::find(required, Value(name)) != required.end();
}

std::string_view RuleSchema::list_type() const { return text_at(*json_, "x-kubernetes-list-type"); }

std::vector<std::string> RuleSchema::list_map_keys() const {
  std::vector<std::string> keys;
  for (const Value& key : list_at(*json_, "x-kubernetes-list-map-keys")) {
    if (key.string_if()) keys.push_back(*key.string_if());
  }
  return keys;
}

}  // namespace api
