// Reads tests (convert.py's JSON) from standard input, writes one line of JSON for each: its name, and a problem if it
// does not pass.
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "cel/cel.h"
#include "codec/base64.h"
#include "object/json.h"

namespace {

using cel::Arena;
using cel::Kind;
using cel::Value;

double number_of(const std::string& text) {
  if (text == "inf" || text == "Infinity") return INFINITY;
  if (text == "-inf" || text == "-Infinity") return -INFINITY;
  if (text == "nan" || text == "NaN") return NAN;
  return std::strtod(text.c_str(), nullptr);
}

Value value_of(const object::Value& value, Arena& arena, cel::TypePool& types);

Value container_of(const std::string& kind, const object::Value& body, Arena& arena, cel::TypePool& types) {
  if (kind == "list") {
    Value* items = arena.allocate_array<Value>(body.array_if()->size());
    size_t count = 0;
    for (const object::Value& item : *body.array_if()) items[count++] = value_of(item, arena, types);
    return Value::of_list({items, count});
  }
  std::vector<cel::MapEntry> entries;
  for (const object::Value& pair : *body.array_if()) {
    const object::Array& both = *pair.array_if();
    entries.push_back({value_of(both[0], arena, types), value_of(both[1], arena, types)});
  }
  return Value::of_map(cel::make_map(arena, entries));
}

Value value_of(const object::Value& value, Arena& arena, cel::TypePool& types) {
  const object::Member& member = *value.object_if()->begin();
  const std::string& kind = member.key;
  if (kind == "list" || kind == "map") return container_of(kind, member.value, arena, types);
  if (kind == "timestamp" || kind == "duration") {
    const int64_t seconds = *(*member.value.array_if())[0].int_if(), nanos = *(*member.value.array_if())[1].int_if();
    if (kind == "timestamp") return Value::of_timestamp(seconds, static_cast<uint32_t>(nanos));
    return Value::of_duration(seconds * 1'000'000'000 + nanos);
  }
  const std::string& text = *member.value.string_if();
  if (kind == "bool") return Value::of_bool(text == "true");
  if (kind == "int64") return Value::of_int(std::strtoll(text.c_str(), nullptr, 0));
  if (kind == "uint64") return Value::of_uint(std::strtoull(text.c_str(), nullptr, 0));
  if (kind == "double") return Value::of_double(number_of(text));
  if (kind == "string") return Value::of_string(arena.copy(text));
  if (kind == "bytes") return Value::of_bytes(arena.copy(codec::parse_base64(text).value_or("")));
  if (kind == "type") {
    if (text == "google.protobuf.Timestamp") return Value::of_type(types.parse("timestamp"));
    if (text == "google.protobuf.Duration") return Value::of_type(types.parse("duration"));
    if (text == "list" || text == "map")
      return Value::of_type(types.parse(text == "list" ? "list(dyn)" : "map(dyn, dyn)"));
    if (text == "optional_type") return Value::of_type(types.parse("optional(dyn)"));
    return Value::of_type(text == "null_type" ? cel::simple_type(cel::TypeKind::kNull) : types.parse(text));
  }
  return Value::null();
}

bool same(const Value& a, const Value& b, Arena& arena) {
  if (a.kind() != b.kind()) return false;
  if (a.kind() == Kind::kDouble && std::isnan(a.as_double())) return std::isnan(b.as_double());
  if (a.kind() == Kind::kList) {
    if (a.size() != b.size()) return false;
    for (size_t i = 0; i < a.size(); ++i) {
      if (!same(a.element(i, arena), b.element(i, arena), arena)) return false;
    }
    return true;
  }
  return equal(a, b, arena);
}

const object::Array& array_at(const object::Value& test, std::string_view key) { return *test.find(key)->array_if(); }

std::string judge(const object::Value& test, const cel::Program& program, const cel::Environment& environment) {
  if (const object::Value* type = test.find("type"); type && *type->string_if() != program.result_type()) {
    return "its type is " + program.result_type() + ", not " + *type->string_if();
  }
  if (*test.find("check_only")->bool_if()) return "";
  Arena arena;
  cel::TypePool types;
  cel::Activation variables(program);
  for (const object::Value& binding : array_at(test, "bindings")) {
    for (size_t slot = 0; slot < environment.variables().size(); ++slot) {
      if (environment.variables()[slot].name != *binding.find("name")->string_if()) continue;
      variables.set(slot, value_of(*binding.find("value"), arena, types));
    }
  }
  cel::EvaluateOptions options;
  options.cost_limit = UINT64_MAX;
  const Value result = program.evaluate(arena, variables, options).value;
  if (test.find("error")) return result.is_error() ? "" : "it gives " + debug_text(result) + ", not an error";
  if (result.is_error()) return "error: " + std::string(result.message());
  if (!test.find("value")) return "";
  const Value wanted = value_of(*test.find("value"), arena, types);
  return same(result, wanted, arena) ? "" : "it gives " + debug_text(result) + ", not " + debug_text(wanted);
}

std::string run(const object::Value& test) {
  if (!test.string_at({"unsupported"}).empty()) return "the test " + std::string(test.string_at({"unsupported"}));
  cel::Environment environment = cel::Environment::everything();
  environment.set_container(test.string_at({"container"}));
  const bool check = *test.find("check")->bool_if();
  if (!check) environment.set_type_checking(cel::TypeChecking::kOff);
  cel::TypePool types;
  for (const object::Value& variable : array_at(test, "variables")) {
    environment.declare(variable.string_at({"name"}), types.parse(variable.string_at({"type"})));
  }
  for (const object::Value& binding : array_at(test, "bindings")) {  // unchecked tests declare nothing
    bool declared = false;
    for (const auto& variable : environment.variables())
      declared = declared || variable.name == binding.string_at({"name"});
    if (!declared) environment.declare(binding.string_at({"name"}), cel::simple_type(cel::TypeKind::kDyn));
  }
  const auto program = environment.compile(test.string_at({"expr"}));
  if (!program) return test.find("error") ? "" : program.error().message;
  return judge(test, *program, environment);
}

}  // namespace

int main() {
  std::string input;
  char buffer[65536];
  for (size_t got = 0; (got = fread(buffer, 1, sizeof(buffer), stdin)) > 0;) input.append(buffer, got);
  const auto tests = object::parse_json(input);
  if (!tests || !tests->is_array()) {
    fprintf(stderr, "the input is no JSON array\n");
    return 1;
  }
  for (const object::Value& test : *tests->array_if()) {
    object::Object line;
    line.set("name", *test.find("name"));
    const std::string problem = run(test);
    if (!problem.empty()) line.set("problem", problem);
    puts(object::to_json(line).c_str());
  }
  return 0;
}
