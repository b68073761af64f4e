#include "api/apiextensions/schema_json.h"

#include <algorithm>

#include "gen/codec.h"
#include "object/json.h"
#include "schema/proto_value.h"

namespace api {
namespace {

using object::Array;
using object::BadValue;
using object::Object;
using object::Value;

enum class Shown : uint8_t {
  kText,
  kFlag,
  kPointer,
  kSchema,
  kSchemas,
  kSchemaMap,
  kItems,
  kSchemaOrBool,
  kRules,
  kDocs,
  kDependencies
};

struct Field {
  std::string_view name;  // of the struct's member
  std::string_view json;
  Shown shown;
};

// In the struct's order.
constexpr Field kFields[] = {
    {"ID", "id", Shown::kText},
    {"Schema", "$schema", Shown::kText},
    {"Ref", "$ref", Shown::kPointer},
    {"Description", "description", Shown::kText},
    {"Type", "type", Shown::kText},
    {"Nullable", "nullable", Shown::kFlag},
    {"Format", "format", Shown::kText},
    {"Title", "title", Shown::kText},
    {"Default", "default", Shown::kPointer},
    {"Maximum", "maximum", Shown::kPointer},
    {"ExclusiveMaximum", "exclusiveMaximum", Shown::kFlag},
    {"Minimum", "minimum", Shown::kPointer},
    {"ExclusiveMinimum", "exclusiveMinimum", Shown::kFlag},
    {"MaxLength", "maxLength", Shown::kPointer},
    {"MinLength", "minLength", Shown::kPointer},
    {"Pattern", "pattern", Shown::kText},
    {"MaxItems", "maxItems", Shown::kPointer},
    {"MinItems", "minItems", Shown::kPointer},
    {"UniqueItems", "uniqueItems", Shown::kFlag},
    {"MultipleOf", "multipleOf", Shown::kPointer},
    {"Enum", "enum", Shown::kPointer},
    {"MaxProperties", "maxProperties", Shown::kPointer},
    {"MinProperties", "minProperties", Shown::kPointer},
    {"Required", "required", Shown::kPointer},
    {"Items", "items", Shown::kItems},
    {"AllOf", "allOf", Shown::kSchemas},
    {"OneOf", "oneOf", Shown::kSchemas},
    {"AnyOf", "anyOf", Shown::kSchemas},
    {"Not", "not", Shown::kSchema},
    {"Properties", "properties", Shown::kSchemaMap},
    {"AdditionalProperties", "additionalProperties", Shown::kSchemaOrBool},
    {"PatternProperties", "patternProperties", Shown::kSchemaMap},
    {"Dependencies", "dependencies", Shown::kDependencies},
    {"AdditionalItems", "additionalItems", Shown::kSchemaOrBool},
    {"Definitions", "definitions", Shown::kSchemaMap},
    {"ExternalDocs", "externalDocs", Shown::kDocs},
    {"Example", "example", Shown::kPointer},
    {"XPreserveUnknownFields", "x-kubernetes-preserve-unknown-fields", Shown::kPointer},
    {"XEmbeddedResource", "x-kubernetes-embedded-resource", Shown::kFlag},
    {"XIntOrString", "x-kubernetes-int-or-string", Shown::kFlag},
    {"XListMapKeys", "x-kubernetes-list-map-keys", Shown::kPointer},
    {"XListType", "x-kubernetes-list-type", Shown::kPointer},
    {"XMapType", "x-kubernetes-map-type", Shown::kPointer},
    {"XValidations", "x-kubernetes-validations", Shown::kRules},
};

Value shown_value(const Value& schema);

Value shown_list(const Value& list, Value (*each)(const Value&)) {
  Array out;
  for (const Value& item : *list.array_if()) out.push_back(each(item));
  return out;
}

Value shown_rule_value(const Value& rule) {
  Object out;
  const auto text = [&](std::string_view name, std::string_view json) {
    const Value* value = rule.find(json);
    out.append(std::string(name), value ? *value : Value(""));
  };
  const auto pointer = [&](std::string_view name, std::string_view json) {
    const Value* value = rule.find(json);
    out.append(std::string(name), value ? *value : Value());
  };
  text("Rule", "rule");
  text("Message", "message");
  text("MessageExpression", "messageExpression");
  pointer("Reason", "reason");
  text("FieldPath", "fieldPath");
  pointer("OptionalOldSelf", "optionalOldSelf");
  return out;
}

Value shown_member(Shown shown, const Value* value) {
  if (!value || value->is_null()) {
    return shown == Shown::kText ? Value("") : shown == Shown::kFlag ? Value(false) : Value();
  }
  Object out;
  switch (shown) {
    case Shown::kText:
    case Shown::kFlag:
    case Shown::kPointer:
      return *value;
    case Shown::kSchema:
      return shown_value(*value);
    case Shown::kSchemas:
      return value->is_array() ? shown_list(*value, shown_value) : *value;
    case Shown::kRules:
      return value->is_array() ? shown_list(*value, shown_rule_value) : *value;
    case Shown::kSchemaMap:
      if (!value->is_object()) return *value;
      for (const object::Member& member : *value->object_if()) out.append(member.key, shown_value(member.value));
      out.sort_by_key();
      return out;
    case Shown::kItems:
      out.append("Schema", value->is_object() ? shown_value(*value) : Value());
      out.append("JSONSchemas", value->is_array() ? shown_list(*value, shown_value) : Value());
      return out;
    case Shown::kDocs:
      out.append("Description", value->string_at({"description"}));
      out.append("URL", value->string_at({"url"}));
      return out;
    case Shown::kDependencies:
      if (!value->is_object()) return *value;
      for (const object::Member& member : *value->object_if()) {
        Object one;
        one.append("Schema", member.value.is_object() ? shown_value(member.value) : Value());
        one.append("Property", member.value.is_array() ? member.value : Value());
        out.append(member.key, std::move(one));
      }
      out.sort_by_key();
      return out;
    case Shown::kSchemaOrBool:
      out.append("Allows", value->is_object() ? Value(true) : *value);
      out.append("Schema", value->is_object() ? shown_value(*value) : Value());
      return out;
  }
  return *value;
}

Value shown_value(const Value& schema) {
  Object out;
  for (const Field& field : kFields)
    out.append(std::string(field.name), shown_member(field.shown, schema.find(field.json)));
  return out;
}

}  // namespace

Value schema_json(const apiextensions::v1::JSONSchemaProps& schema) {
  auto decoded = schema::decode_value(gen::message_of<apiextensions::v1::JSONSchemaProps>(), gen::encode(schema));
  return decoded ? *std::move(decoded) : Value(Object());
}

BadValue shown_schema(const Value& schema) { return BadValue::verbatim(object::to_json(shown_value(schema))); }
BadValue shown_items(const Value& items) {
  return BadValue::verbatim(object::to_json(shown_member(Shown::kItems, &items)));
}
BadValue shown_rule(const Value& rule) { return BadValue::verbatim(object::to_json(shown_rule_value(rule))); }

}  // namespace api
