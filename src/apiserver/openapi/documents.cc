#include "apiserver/openapi/documents.h"

#include <map>

#include "api/custom/custom_object.h"
#include "apiserver/crd/openapi.h"
#include "apiserver/openapi/gnostic.h"
#include "apiserver/openapi/schemas.h"
#include "codec/json_text.h"
#include "object/json.h"

namespace apiserver::openapi {
namespace {

using object::Array;
using object::Object;
using object::Value;
using schema::Message;

Value strings(const std::vector<std::string_view>& values) {
  Array out;
  for (std::string_view value : values) out.push_back(value);
  return out;
}

// Definitions of custom kinds are named after the kind.
std::string name_of(const Operation& op, const Message& message) {
  if (!api::is_custom(message)) return definition_name(message);
  std::string name = schema::model_name(op.kind.group, op.kind.version, op.kind.kind);
  return &message == &custom_list() ? name + "List" : name;
}

Value ref_to(Dialect dialect, const Operation& op, const Message& message) {
  Object out;
  out.set("$ref", reference(dialect, name_of(op, message)));
  return out;
}

Value string_schema() {
  Object out;
  out.set("type", "string");
  return out;
}

void add_extensions(const Operation& op, Object& out) {
  if (!op.action.empty()) out.set("x-kubernetes-action", op.action);
  if (op.kind.kind.empty()) return;
  Object kind;
  kind.set("group", op.kind.group);
  kind.set("kind", op.kind.kind);
  kind.set("version", op.kind.version);
  out.set("x-kubernetes-group-version-kind", std::move(kind));
}

// --- version 2 ---

Value parameter_v2(const Parameter& parameter) {
  Object out;
  out.set("description", parameter.text);
  out.set("in", parameter.in);
  out.set("name", parameter.name);
  if (parameter.in == "path") out.set("required", true);
  out.set("type", parameter.type);
  out.set("uniqueItems", true);
  return out;
}

Value parameter_use_v2(const Parameter& parameter) {
  if (parameter.shared.empty()) return parameter_v2(parameter);
  Object out;
  out.set("$ref", "#/parameters/" + std::string(parameter.shared));
  return out;
}

constexpr std::string_view kOptionsBody = "body-2Y1dVQaQ", kPatchBody = "body-78PwaGsr";

Value body_v2(const Operation& op, const Message& message, Operation::Need need) {
  Object out;
  out.set("in", "body");
  out.set("name", "body");
  if (need == Operation::Need::kRequired) out.set("required", true);
  out.set("schema", ref_to(Dialect::kV2, op, message));
  return out;
}

Value body_use_v2(const Operation& op) {
  const bool options = op.body->name == "DeleteOptions", patch = op.body->name == "Patch";
  if (!options && !patch) return body_v2(op, *op.body, op.body_need);
  Object out;
  out.set("$ref", "#/parameters/" + std::string(options ? kOptionsBody : kPatchBody));
  return out;
}

Value responses_v2(const Operation& op) {
  Object out;
  for (int code : op.codes) {
    Object response;
    response.set("description", code == 200 ? "OK" : code == 201 ? "Created" : "Accepted");
    response.set("schema", op.answer ? ref_to(Dialect::kV2, op, *op.answer) : string_schema());
    out.set(std::to_string(code), std::move(response));
  }
  Object unauthorized;
  unauthorized.set("description", "Unauthorized");
  out.set("401", std::move(unauthorized));
  return out;
}

Value operation_v2(const Operation& op) {
  Object out;
  if (op.consumes != Media::kNone) out.set("consumes", strings(media_types(op.consumes, op.cbor)));
  out.set("operationId", op.id);
  Array parameters;
  if (op.body) parameters.push_back(body_use_v2(op));
  for (const Parameter* each : op.parameters) parameters.push_back(parameter_use_v2(*each));
  if (!parameters.empty()) out.set("parameters", std::move(parameters));
  out.set("produces", strings(media_types(op.produces, op.cbor)));
  out.set("responses", responses_v2(op));
  out.set("schemes", strings({"https"}));
  out.set("tags", strings({op.tag}));
  add_extensions(op, out);
  return out;
}

Value path_v2(const PathItem& item) {
  Object out;
  for (const Operation& op : item.operations) out.set(op.method, operation_v2(op));
  Array parameters;
  for (const Parameter* each : item.parameters) parameters.push_back(parameter_use_v2(*each));
  if (!parameters.empty()) out.set("parameters", std::move(parameters));
  return out;
}

// --- version 3 ---

Value content(const Operation& op, const std::vector<std::string_view>& types, const Message* message) {
  Object out;
  for (std::string_view type : types) {
    Object one;
    one.set("schema", message ? ref_to(Dialect::kV3, op, *message) : string_schema());
    out.set(type, std::move(one));
  }
  return out;
}

Value parameter_v3(const Parameter& parameter) {
  Object out, type;
  type.set("type", parameter.type);
  type.set("uniqueItems", true);
  out.set("description", parameter.text);
  out.set("in", parameter.in);
  out.set("name", parameter.name);
  if (parameter.in == "path") out.set("required", true);
  out.set("schema", std::move(type));
  return out;
}

Value operation_v3(const Operation& op) {
  Object out, responses;
  out.set("operationId", op.id);
  Array parameters;
  for (const Parameter* each : op.parameters) parameters.push_back(parameter_v3(*each));
  if (!parameters.empty()) out.set("parameters", std::move(parameters));
  if (op.body) {
    Object body;
    body.set("content", content(op, media_types(op.consumes, op.cbor), op.body));
    if (op.body_need == Operation::Need::kRequired) body.set("required", true);
    out.set("requestBody", std::move(body));
  }
  for (int code : op.codes) {
    Object response;
    response.set("description", code == 200 ? "OK" : code == 201 ? "Created" : "Accepted");
    response.set("content", content(op, media_types(op.produces, op.cbor), op.answer));
    responses.set(std::to_string(code), std::move(response));
  }
  Object unauthorized;
  unauthorized.set("description", "Unauthorized");
  responses.set("401", std::move(unauthorized));
  out.set("responses", std::move(responses));
  out.set("tags", strings({op.tag}));
  add_extensions(op, out);
  return out;
}

Value path_v3(const PathItem& item) {
  Object out;
  for (const Operation& op : item.operations) out.set(op.method, operation_v3(op));
  Array parameters;
  for (const Parameter* each : item.parameters) parameters.push_back(parameter_v3(*each));
  if (!parameters.empty()) out.set("parameters", std::move(parameters));
  return out;
}

// --- whole documents: one small tree at a time, so that the cost in memory is that of the text ---

void collect(const PathItem& item, Messages& messages) {
  for (const Operation& op : item.operations) {
    for (const Message* message : {op.body, op.answer}) {
      if (message && !api::is_custom(*message)) messages.insert(message);
    }
  }
}

std::map<std::string, const Message*> by_name(const Messages& messages) {
  std::map<std::string, const Message*> out;
  for (const Message* message : closure(messages)) out.emplace(definition_name(*message), message);
  return out;
}

void member(std::string& out, bool& first, std::string_view key, const Value& value) {
  out += first ? "" : ",";
  first = false;
  codec::append_json_string(out, key);
  out += ':';
  object::append_json(out, value);
}

constexpr std::string_view kSecurity =
    R"("BearerToken":{"description":"Bearer token","in":"header","name":"authorization","type":"apiKey"})";

// Every path item by its path, all sections together.
std::map<std::string, PathItem> all_paths(const Endpoints& endpoints) {
  std::map<std::string, PathItem> out;
  for (Section& section : sections(endpoints)) {
    for (PathItem& item : section.paths) {
      std::string path = item.path;
      out.emplace(std::move(path), std::move(item));
    }
  }
  return out;
}

// What version 2 consists of, one part after the other, in either encoding.
template <typename EachParameter, typename EachPath, typename EachDefinition>
void visit_version2(const Endpoints& endpoints, EachParameter each_parameter, EachPath each_path,
                    EachDefinition each_definition) {
  const std::map<std::string, PathItem> paths = all_paths(endpoints);
  Messages messages;
  const Message *options = nullptr, *patch = nullptr;
  for (const auto& [path, item] : paths) {
    collect(item, messages);
    each_path(path, path_v2(item));
  }
  for (const Message* message : messages) {
    if (message->package == "meta.v1" && message->name == "DeleteOptions") options = message;
    if (message->package == "meta.v1" && message->name == "Patch") patch = message;
  }
  if (options) each_parameter(kOptionsBody, body_v2({}, *options, Operation::Need::kOptional));
  if (patch) each_parameter(kPatchBody, body_v2({}, *patch, Operation::Need::kRequired));
  for (const Parameter* each : shared_parameters()) each_parameter(each->shared, parameter_v2(*each));
  for (const auto& [name, message] : by_name(messages)) {
    Messages referred;
    each_definition(name, definition(Dialect::kV2, *message, referred));
  }
  for (const std::string& group : endpoints.custom().groups()) {
    for (const std::string& version : endpoints.custom().versions(group)) {
      const CustomKinds kinds(endpoints.custom(), group, version);
      for (const PathItem& item : kinds.section().paths) each_path(item.path, path_v2(item));
      kinds.each_definition(schema::OpenApiVersion::kV2, each_definition);
    }
  }
}

}  // namespace

std::string version2_json(const Endpoints& endpoints) {
  std::string paths, parameters, definitions;
  bool first_path = true, first_parameter = true, first_definition = true;
  visit_version2(
      endpoints, [&](std::string_view key, const Value& value) { member(parameters, first_parameter, key, value); },
      [&](std::string_view key, const Value& value) { member(paths, first_path, key, value); },
      [&](std::string_view key, const Value& value) { member(definitions, first_definition, key, value); });
  std::string out = R"({"swagger":"2.0","info":{"title":"Kubernetes","version":"1.35"},"paths":{)";
  out += paths + R"(},"definitions":{)" + definitions + R"(},"parameters":{)" + parameters +
         R"(},"securityDefinitions":{)";
  out += kSecurity;
  out += R"(},"security":[{"BearerToken":[]}]})";
  return out;
}

std::string version2_protobuf(const Endpoints& endpoints) {
  GnosticDocument document;
  visit_version2(
      endpoints, [&](std::string_view key, const Value& value) { document.add_parameter(key, value); },
      [&](std::string_view key, const Value& value) { document.add_path(key, value); },
      [&](std::string_view key, const Value& value) { document.add_definition(key, value); });
  return document.finish("Kubernetes", "1.35");
}

std::string version3_json(const Section& section) { return version3_json(section, nullptr); }

std::string version3_json(const Section& section, const CustomKinds* kinds) {
  std::string out = R"({"openapi":"3.0.0","info":{"title":"Kubernetes","version":"1.35"},"paths":{)";
  Messages messages;
  bool first = true;
  for (const PathItem& item : section.paths) {
    collect(item, messages);
    member(out, first, item.path, path_v3(item));
  }
  out += R"(},"components":{)";
  if (!messages.empty()) {
    out += R"("schemas":{)";
    first = true;
    for (const auto& [name, message] : by_name(messages)) {
      Messages referred;
      member(out, first, name, definition(Dialect::kV3, *message, referred));
    }
    if (kinds) {
      kinds->each_definition(schema::OpenApiVersion::kV3,
                             [&](const std::string& name, const Value& value) { member(out, first, name, value); });
    }
    out += "},";
  }
  out += R"("securitySchemes":{)";
  out += kSecurity;
  out += "}}}";
  return out;
}

}  // namespace apiserver::openapi
