// A structural schema and a value of any bytes: compile, prune, default, coerce and validate end in errors or a value,
// never in a crash.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "gen/catalogue.h"
#include "gen/meta/v1.h"
#include "object/json.h"
#include "schema/structural/json_path.h"
#include "schema/structural/openapi.h"
#include "schema/structural/structural_schema.h"
#include "schema/structural/structurality.h"

// The input: a schema, a newline, a value, a newline, a JSONPath.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const size_t first = input.find('\n');
  if (first == std::string_view::npos) return 0;
  const size_t second = std::min(input.find('\n', first + 1), input.size());
  auto json = object::parse_json(input.substr(0, first));
  auto value = object::parse_json(input.substr(first + 1, second - first - 1));
  if (!json || !value) return 0;
  object::FieldErrors errors;
  schema::validate_structural(*json, {}, errors);
  schema::published_schema({"a.io", "v1", "K", "KList", "ks", &*json, {}}, schema::OpenApiVersion::kV2);
  schema::published_schema({"a.io", "v1", "K", "KList", "ks", &*json, {}}, schema::OpenApiVersion::kV3);
  if (second < input.size()) {
    if (auto path = schema::JsonPath::parse(input.substr(second + 1))) (void)path->find(*value);
  }
  const auto compiled = schema::StructuralSchema::compile(*json, gen::message_of<api::meta::v1::ObjectMeta>());
  if (!compiled) return 0;
  const schema::SchemaNode root = (*compiled)->root();
  const object::Value old = *value;
  std::vector<std::string> dropped;
  schema::prune(root, *value, schema::Place::kResource, &dropped);
  schema::prune_nulls(root, *value);
  schema::coerce_embedded(root, *value, schema::Place::kPart, {}, schema::OnMalformed::kDrop, &dropped);
  schema::set_defaults(root, *value);
  schema::validate(root, *value, nullptr, {}, errors);
  schema::validate(root, *value, &old, {}, errors);
  schema::validate_list_types(root, *value, {}, errors);
  (void)object::to_json(*value);
  return 0;
}
