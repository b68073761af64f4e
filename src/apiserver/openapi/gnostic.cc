#include "apiserver/openapi/gnostic.h"

#include "codec/wire.h"
#include "object/json.h"

namespace apiserver::openapi {
namespace {

using codec::append_bytes_field;
using codec::append_varint_field;
using object::Member;
using object::Value;

// Field numbers below are those of gnostic's OpenAPIv2.proto.

std::string_view text_of(const Value& value) {
  const std::string* text = value.string_if();
  return text ? std::string_view(*text) : std::string_view();
}

void text_field(std::string& out, uint32_t number, const Value& parent, std::string_view name) {
  const Value* value = parent.find(name);
  if (value && value->string_if() && !value->string_if()->empty()) append_bytes_field(out, number, *value->string_if());
}

void flag_field(std::string& out, uint32_t number, const Value& parent, std::string_view name) {
  const Value* value = parent.find(name);
  if (value && value->bool_if() && *value->bool_if()) append_varint_field(out, number, 1);
}

void texts_field(std::string& out, uint32_t number, const Value& parent, std::string_view name) {
  const Value* value = parent.find(name);
  if (!value || !value->array_if()) return;
  for (const Value& each : *value->array_if()) append_bytes_field(out, number, text_of(each));
}

// Named… messages: name = 1, value = 2.
void named(std::string& out, uint32_t number, std::string_view name, std::string_view value) {
  std::string pair;
  append_bytes_field(pair, 1, name);
  append_bytes_field(pair, 2, value);
  append_bytes_field(out, number, pair);
}

// Any.yaml; JSON is YAML.
std::string any(const Value& value) {
  std::string out;
  append_bytes_field(out, 2, object::to_json(value) + "\n");
  return out;
}

void extensions(std::string& out, uint32_t number, const Value& parent) {
  for (const Member& member : *parent.object_if()) {
    if (member.key.starts_with("x-")) named(out, number, member.key, any(member.value));
  }
}

std::string schema_message(const Value& schema) {
  std::string out;
  text_field(out, 1, schema, "$ref");
  text_field(out, 2, schema, "format");
  text_field(out, 4, schema, "description");
  if (const Value* value = schema.find("default")) append_bytes_field(out, 5, any(*value));
  texts_field(out, 19, schema, "required");
  if (const Value* values = schema.find("enum")) {
    for (const Value& each : *values->array_if()) append_bytes_field(out, 20, any(each));
  }
  if (const Value* additional = schema.find("additionalProperties")) {
    std::string item;
    append_bytes_field(item, 1, schema_message(*additional));
    append_bytes_field(out, 21, item);
  }
  if (const Value* type = schema.find("type")) {
    std::string item;
    append_bytes_field(item, 1, text_of(*type));
    append_bytes_field(out, 22, item);
  }
  if (const Value* items = schema.find("items")) {
    std::string item;
    append_bytes_field(item, 1, schema_message(*items));
    append_bytes_field(out, 23, item);
  }
  if (const Value* properties = schema.find("properties")) {
    std::string all;
    for (const Member& member : *properties->object_if()) named(all, 1, member.key, schema_message(member.value));
    append_bytes_field(out, 25, all);
  }
  extensions(out, 31, schema);
  return out;
}

std::string parameter_message(const Value& parameter) {
  std::string out, inner;
  const std::string_view in = parameter.string_at({"in"});
  if (in == "body") {
    text_field(inner, 1, parameter, "description");
    text_field(inner, 2, parameter, "name");
    text_field(inner, 3, parameter, "in");
    flag_field(inner, 4, parameter, "required");
    append_bytes_field(inner, 5, schema_message(*parameter.find("schema")));
    append_bytes_field(out, 1, inner);
    return out;
  }
  const bool query = in == "query";
  flag_field(inner, 1, parameter, "required");
  text_field(inner, 2, parameter, "in");
  text_field(inner, 3, parameter, "description");
  text_field(inner, 4, parameter, "name");
  text_field(inner, query ? 6 : 5, parameter, "type");
  flag_field(inner, query ? 20 : 19, parameter, "uniqueItems");
  std::string non_body;
  append_bytes_field(non_body, query ? 3 : 4, inner);
  append_bytes_field(out, 2, non_body);
  return out;
}

// ParametersItem: a parameter, or a reference to a shared one.
void parameter_items(std::string& out, uint32_t number, const Value& parent) {
  const Value* parameters = parent.find("parameters");
  if (!parameters) return;
  for (const Value& each : *parameters->array_if()) {
    std::string item;
    if (each.find("$ref")) {
      std::string json_reference;
      text_field(json_reference, 1, each, "$ref");
      append_bytes_field(item, 2, json_reference);
    } else {
      append_bytes_field(item, 1, parameter_message(each));
    }
    append_bytes_field(out, number, item);
  }
}

std::string responses_message(const Value& responses) {
  std::string out;
  for (const Member& member : *responses.object_if()) {
    std::string response, value;
    text_field(response, 1, member.value, "description");
    if (const Value* schema = member.value.find("schema")) {
      std::string item;
      append_bytes_field(item, 1, schema_message(*schema));
      append_bytes_field(response, 2, item);
    }
    append_bytes_field(value, 1, response);
    named(out, 1, member.key, value);
  }
  return out;
}

std::string operation_message(const Value& operation) {
  std::string out;
  texts_field(out, 1, operation, "tags");
  text_field(out, 3, operation, "description");
  text_field(out, 5, operation, "operationId");
  texts_field(out, 6, operation, "produces");
  texts_field(out, 7, operation, "consumes");
  parameter_items(out, 8, operation);
  append_bytes_field(out, 9, responses_message(*operation.find("responses")));
  texts_field(out, 10, operation, "schemes");
  extensions(out, 13, operation);
  return out;
}

}  // namespace

void GnosticDocument::add_path(std::string_view path, const Value& item) {
  static constexpr std::pair<std::string_view, uint32_t> kMethods[] = {
      {"get", 2}, {"put", 3}, {"post", 4}, {"delete", 5}, {"options", 6}, {"head", 7}, {"patch", 8}};
  std::string out;
  for (const auto& [method, number] : kMethods) {
    if (const Value* operation = item.find(method)) append_bytes_field(out, number, operation_message(*operation));
  }
  parameter_items(out, 9, item);
  named(paths_, 2, path, out);
}

void GnosticDocument::add_definition(std::string_view name, const Value& schema) {
  named(definitions_, 1, name, schema_message(schema));
}

void GnosticDocument::add_parameter(std::string_view name, const Value& parameter) {
  named(parameters_, 1, name, parameter_message(parameter));
}

std::string GnosticDocument::finish(std::string_view title, std::string_view version) {
  std::string out, info, security, requirement;
  append_bytes_field(info, 1, title);
  append_bytes_field(info, 2, version);
  append_bytes_field(out, 1, "2.0");
  append_bytes_field(out, 2, info);
  append_bytes_field(out, 8, paths_);
  append_bytes_field(out, 9, definitions_);
  append_bytes_field(out, 10, parameters_);
  named(requirement, 1, "BearerToken", "");
  append_bytes_field(out, 12, requirement);
  std::string key, item;
  append_bytes_field(key, 1, "apiKey");
  append_bytes_field(key, 2, "authorization");
  append_bytes_field(key, 3, "header");
  append_bytes_field(key, 4, "Bearer token");
  append_bytes_field(item, 2, key);  // SecurityDefinitionsItem.api_key_security
  named(security, 1, "BearerToken", item);
  append_bytes_field(out, 13, security);
  return out;
}

}  // namespace apiserver::openapi
