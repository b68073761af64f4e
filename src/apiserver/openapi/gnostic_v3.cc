#include "apiserver/openapi/gnostic_v3.h"

#include <bit>

#include "codec/wire.h"
#include "object/json.h"

namespace apiserver::openapi {
namespace {

using codec::append_bytes_field;
using codec::append_varint_field;
using object::Array;
using object::Member;
using object::Object;
using object::Value;

// Field numbers below are those of gnostic's OpenAPIv3.proto. Members that the documents never have are not written.

const Object kNothing;
const Array kNone;

const Object& members(const Value* value) { return value && value->object_if() ? *value->object_if() : kNothing; }
const Array& items(const Value* value) { return value && value->array_if() ? *value->array_if() : kNone; }

struct Numbered {
  std::string_view name;
  uint32_t number;
};

void text_field(std::string& out, const Value& parent, Numbered field) {
  const Value* value = parent.find(field.name);
  if (value && value->string_if() && !value->string_if()->empty())
    append_bytes_field(out, field.number, *value->string_if());
}
void flag_field(std::string& out, const Value& parent, Numbered field) {
  const Value* value = parent.find(field.name);
  if (value && value->bool_if() && *value->bool_if()) append_varint_field(out, field.number, 1);
}
void count_field(std::string& out, const Value& parent, Numbered field) {
  const Value* value = parent.find(field.name);
  if (value && value->int_if() && *value->int_if() != 0)
    append_varint_field(out, field.number, static_cast<uint64_t>(*value->int_if()));
}
double number_of(const Value& value) {
  if (value.int_if()) return static_cast<double>(*value.int_if());
  return value.double_if() ? *value.double_if() : 0;
}
void number_field(std::string& out, const Value& parent, Numbered field) {
  const Value* value = parent.find(field.name);
  if (value && value->is_number() && number_of(*value) != 0)
    codec::append_fixed64_field(out, field.number, std::bit_cast<uint64_t>(number_of(*value)));
}
void texts_field(std::string& out, const Value& parent, Numbered field) {
  for (const Value& each : items(parent.find(field.name)))
    append_bytes_field(out, field.number, each.string_if() ? *each.string_if() : std::string());
}

// Messages of one member.
std::string wrapped(uint32_t number, std::string_view message) {
  std::string out;
  append_bytes_field(out, number, message);
  return out;
}
// Named… messages: name = 1, value = 2.
void named(std::string& out, uint32_t number, std::string_view name, std::string_view value) {
  append_bytes_field(out, number, wrapped(1, name) + wrapped(2, value));
}
// Any.yaml; JSON is YAML.
std::string any(const Value& value) { return wrapped(2, object::to_json(value) + "\n"); }

void extensions(std::string& out, uint32_t number, const Value& parent) {
  for (const Member& member : members(&parent)) {
    if (member.key.starts_with("x-")) named(out, number, member.key, any(member.value));
  }
}

// Reference._ref, as the second member of an …OrReference message; "" when there is none.
std::string reference(const Value& value) {
  const Value* ref = value.find("$ref");
  return ref && ref->string_if() ? wrapped(2, wrapped(1, *ref->string_if())) : std::string();
}

std::string schema_message(const Value& schema);

std::string schema_or_reference(const Value& schema) {
  std::string ref = reference(schema);
  return ref.empty() ? wrapped(1, schema_message(schema)) : ref;
}
std::string named_schemas(const Value* schemas) {
  std::string out;
  for (const Member& member : members(schemas)) named(out, 1, member.key, schema_or_reference(member.value));
  return out;
}

// Compat: gnostic keeps scalars; of another default it keeps that there is one.
std::string default_type(const Value& value) {
  std::string out;
  if (value.is_number()) codec::append_fixed64_field(out, 1, std::bit_cast<uint64_t>(number_of(value)));
  if (value.bool_if()) append_varint_field(out, 2, *value.bool_if() ? 1 : 0);
  if (value.string_if()) append_bytes_field(out, 3, *value.string_if());
  return out;
}

std::string additional_properties(const Value& value) {
  if (!value.bool_if()) return wrapped(1, schema_or_reference(value));
  std::string out;
  append_varint_field(out, 2, *value.bool_if() ? 1 : 0);
  return out;
}

// The limits of values.
void bounds(std::string& out, const Value& schema) {
  number_field(out, schema, {"multipleOf", 10});
  number_field(out, schema, {"maximum", 11});
  flag_field(out, schema, {"exclusiveMaximum", 12});
  number_field(out, schema, {"minimum", 13});
  flag_field(out, schema, {"exclusiveMinimum", 14});
  count_field(out, schema, {"maxLength", 15});
  count_field(out, schema, {"minLength", 16});
  text_field(out, schema, {"pattern", 17});
  count_field(out, schema, {"maxItems", 18});
  count_field(out, schema, {"minItems", 19});
  flag_field(out, schema, {"uniqueItems", 20});
  count_field(out, schema, {"maxProperties", 21});
  count_field(out, schema, {"minProperties", 22});
}

std::string schema_message(const Value& schema) {
  std::string out;
  flag_field(out, schema, {"nullable", 1});
  if (const Value* docs = schema.find("externalDocs")) {
    std::string inner;
    text_field(inner, *docs, {"description", 1});
    text_field(inner, *docs, {"url", 2});
    append_bytes_field(out, 6, inner);
  }
  if (const Value* example = schema.find("example")) append_bytes_field(out, 7, any(*example));
  text_field(out, schema, {"title", 9});
  bounds(out, schema);
  texts_field(out, schema, {"required", 23});
  for (const Value& each : items(schema.find("enum"))) append_bytes_field(out, 24, any(each));
  text_field(out, schema, {"type", 25});
  for (const Numbered& list : {Numbered{"allOf", 26}, {"oneOf", 27}, {"anyOf", 28}}) {
    for (const Value& each : items(schema.find(list.name)))
      append_bytes_field(out, list.number, schema_or_reference(each));
  }
  if (const Value* no = schema.find("not")) append_bytes_field(out, 29, schema_message(*no));
  if (const Value* each = schema.find("items")) append_bytes_field(out, 30, wrapped(1, schema_or_reference(*each)));
  if (const Value* properties = schema.find("properties")) append_bytes_field(out, 31, named_schemas(properties));
  if (const Value* more = schema.find("additionalProperties"))
    append_bytes_field(out, 32, additional_properties(*more));
  if (const Value* standard = schema.find("default")) append_bytes_field(out, 33, default_type(*standard));
  text_field(out, schema, {"description", 34});
  text_field(out, schema, {"format", 35});
  extensions(out, 36, schema);
  return out;
}

void parameters(std::string& out, const Value& parent, Numbered field) {
  for (const Value& parameter : items(parent.find(field.name))) {
    std::string inner;
    text_field(inner, parameter, {"name", 1});
    text_field(inner, parameter, {"in", 2});
    text_field(inner, parameter, {"description", 3});
    flag_field(inner, parameter, {"required", 4});
    if (const Value* schema = parameter.find("schema")) append_bytes_field(inner, 10, schema_or_reference(*schema));
    const std::string ref = reference(parameter);
    append_bytes_field(out, field.number, ref.empty() ? wrapped(1, inner) : ref);
  }
}

void content(std::string& out, const Value& parent, uint32_t number) {
  const Value* types = parent.find("content");
  if (!types) return;
  std::string all;
  for (const Member& member : members(types)) {
    std::string type;
    if (const Value* schema = member.value.find("schema")) append_bytes_field(type, 1, schema_or_reference(*schema));
    named(all, 1, member.key, type);
  }
  append_bytes_field(out, number, all);
}

std::string responses(const Value& value) {
  std::string out;
  for (const Member& member : members(&value)) {
    std::string response;
    text_field(response, member.value, {"description", 1});
    content(response, member.value, 3);
    named(out, 2, member.key, wrapped(1, response));
  }
  return out;
}

std::string operation_message(const Value& operation) {
  std::string out;
  texts_field(out, operation, {"tags", 1});
  text_field(out, operation, {"description", 3});
  text_field(out, operation, {"operationId", 5});
  parameters(out, operation, {"parameters", 6});
  if (const Value* body = operation.find("requestBody")) {
    std::string inner;
    text_field(inner, *body, {"description", 1});
    content(inner, *body, 2);
    flag_field(inner, *body, {"required", 3});
    append_bytes_field(out, 7, wrapped(1, inner));
  }
  if (const Value* answers = operation.find("responses")) append_bytes_field(out, 8, responses(*answers));
  flag_field(out, operation, {"deprecated", 10});
  extensions(out, 13, operation);
  return out;
}

std::string path_item(const Value& item) {
  static constexpr Numbered kMethods[] = {{"get", 4},     {"put", 5},  {"post", 6},  {"delete", 7},
                                          {"options", 8}, {"head", 9}, {"patch", 10}};
  std::string out;
  for (const Numbered& method : kMethods) {
    if (const Value* operation = item.find(method.name))
      append_bytes_field(out, method.number, operation_message(*operation));
  }
  parameters(out, item, {"parameters", 13});
  return out;
}

std::string components(const Value& value) {
  std::string out, schemes;
  if (const Value* schemas = value.find("schemas")) append_bytes_field(out, 1, named_schemas(schemas));
  for (const Member& member : members(value.find("securitySchemes"))) {
    std::string scheme;
    text_field(scheme, member.value, {"type", 1});
    text_field(scheme, member.value, {"description", 2});
    text_field(scheme, member.value, {"name", 3});
    text_field(scheme, member.value, {"in", 4});
    named(schemes, 1, member.key, wrapped(1, scheme));
  }
  if (!schemes.empty()) append_bytes_field(out, 7, schemes);
  return out;
}

}  // namespace

std::string version3_protobuf(const Value& document) {
  std::string out, paths;
  text_field(out, document, {"openapi", 1});
  if (const Value* info = document.find("info")) {
    std::string inner;
    text_field(inner, *info, {"title", 1});
    text_field(inner, *info, {"version", 6});
    append_bytes_field(out, 2, inner);
  }
  for (const Member& member : members(document.find("paths"))) named(paths, 1, member.key, path_item(member.value));
  append_bytes_field(out, 4, paths);
  if (const Value* value = document.find("components")) append_bytes_field(out, 5, components(*value));
  return out;
}

}  // namespace apiserver::openapi
