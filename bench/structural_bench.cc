// usage: structural_bench
// What a custom object of about 3 KB costs: prune, default, validate, and the memory of its schema.
#include <chrono>
#include <cstdio>
#include <string>

#include "base/check.h"
#include "gen/catalogue.h"
#include "gen/meta/v1.h"
#include "object/json.h"
#include "schema/structural/structural_schema.h"

namespace {

// A schema in the style of an operator's: 40 fields, nested lists and maps, patterns, formats and defaults.
std::string sample_schema() {
  std::string text = R"({"type":"object","properties":{"spec":{"type":"object","required":["replicas"],"properties":{
      "replicas":{"type":"integer","minimum":0,"maximum":100},"paused":{"type":"boolean","default":false},
      "strategy":{"type":"string","enum":["Rolling","Recreate"],"default":"Rolling"},
      "selector":{"type":"object","additionalProperties":{"type":"string","maxLength":63}},
      "resources":{"type":"object","properties":{"limits":{"type":"object","additionalProperties":{
          "anyOf":[{"type":"integer"},{"type":"string"}],"pattern":"^[0-9]+[a-zA-Z]*$","x-kubernetes-int-or-string":true}}}},
      "groups":{"type":"array","x-kubernetes-list-type":"map","x-kubernetes-list-map-keys":["name"],"items":{"type":"object",
          "required":["name"],"properties":{"name":{"type":"string","pattern":"^[a-z0-9-]+$","maxLength":63},
          "image":{"type":"string"},"port":{"type":"integer","format":"int32","default":8080},
          "env":{"type":"array","items":{"type":"object","properties":{"name":{"type":"string"},"value":{"type":"string"}}}}}}})";
  for (int i = 0; i < 25; ++i) {
    text += ",\"option" + std::to_string(i) +
            R"(":{"type":"string","description":"An option of the operator.","maxLength":256})";
  }
  return text + R"(}},"status":{"type":"object","properties":{"phase":{"type":"string"},"conditions":{"type":"array",
      "items":{"type":"object","properties":{"type":{"type":"string"},"status":{"type":"string"},
      "lastTransitionTime":{"type":"string","format":"date-time"}}}}}}}})";
}

std::string sample_object() {
  std::string text = R"({"apiVersion":"a.io/v1","kind":"K","metadata":{"name":"sample","namespace":"default"},
      "spec":{"replicas":3,"selector":{"app":"web","tier":"front"},"resources":{"limits":{"cpu":"2","memory":"512Mi"}},"groups":[)";
  for (int i = 0; i < 8; ++i) {
    text +=
        (i ? "," : "") + std::string(R"({"name":"group-)") + std::to_string(i) +
        R"(","image":"registry.example.com/team/app:v1.2.3","env":[{"name":"A","value":"value of a"},{"name":"B","value":"value of b"},{"name":"C","value":"value of c"}]})";
  }
  text += "]";
  for (int i = 0; i < 25; ++i)
    text += ",\"option" + std::to_string(i) + "\":\"the value of option " + std::to_string(i) + "\"";
  return text +
         R"(},"status":{"phase":"Running","conditions":[{"type":"Ready","status":"True","lastTransitionTime":"2024-01-01T00:00:00Z"}]}})";
}

template <typename Work>
void measure(const char* name, Work&& work) {
  constexpr int kRounds = 20'000;
  for (int i = 0; i < kRounds / 10; ++i) work();
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < kRounds; ++i) work();
  const auto spent = std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start).count();
  std::printf("%-40s %8.2f us\n", name, spent / kRounds);
}

}  // namespace

int main() {
  const auto json = object::parse_json(sample_schema());
  const std::string text = sample_object();
  const auto value = object::parse_json(text);
  CHECK(json && value);
  const auto& object_meta = gen::message_of<api::meta::v1::ObjectMeta>();
  const auto schema = schema::StructuralSchema::compile(*json, object_meta);
  CHECK(schema.has_value());
  const schema::SchemaNode root = (*schema)->root();
  std::printf("object: %zu bytes of JSON; schema: %zu bytes compiled\n", text.size(), (*schema)->memory_bytes());
  measure("compile the schema", [&] { CHECK(schema::StructuralSchema::compile(*json, object_meta).has_value()); });
  measure("copy the object", [&] { const object::Value copy = *value; });
  measure("copy, prune, default, coerce, validate", [&] {
    object::Value copy = *value;
    schema::prune(root, copy, schema::Place::kResource);
    schema::prune_nulls(root, copy);
    schema::coerce_embedded(root, copy, schema::Place::kPart, {}, schema::OnMalformed::kFail);
    schema::set_defaults(root, copy);
    object::FieldErrors errors;
    schema::validate(root, copy, nullptr, {}, errors);
    schema::validate_list_types(root, copy, {}, errors);
    CHECK(errors.empty());
  });
  measure("validate", [&] {
    object::FieldErrors errors;
    schema::validate(root, *value, nullptr, {}, errors);
    CHECK(errors.empty());
  });
}
