// Any text as an expression: it compiles or gets an error with a place; what compiles evaluates within its limits,
// twice with the same result and cost.
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "cel/cel.h"
#include "object/value.h"

namespace {

const cel::Environment& environment() {
  static const cel::Environment kEnvironment = [] {
    cel::Environment made = cel::Environment::kubernetes({1, 35});
    made.declare("self", cel::simple_type(cel::TypeKind::kDyn));
    return made;
  }();
  return kEnvironment;
}

const object::Value& self() {
  static const object::Value kSelf = [] {
    object::Object members;
    members.set("a", object::Value(int64_t{1}));
    members.set("b", object::Value("text"));
    members.set("c", object::Value(object::Array{object::Value(1.5), object::Value(true), object::Value()}));
    members.set("d", object::Value(object::Object()));
    return object::Value(members);
  }();
  return kSelf;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto program = environment().compile(text);
  if (!program) {
    CHECK(program.error().message.starts_with("ERROR: <input>:"));
    return 0;
  }
  cel::Activation variables(*program);
  variables.set(0, cel::Value::of(self()));
  cel::EvaluateOptions options;
  options.cost_limit = 100'000;
  cel::Arena first, second;
  const cel::Outcome once = program->evaluate(first, variables, options);
  const cel::Outcome again = program->evaluate(second, variables, options);
  CHECK(once.cost == again.cost && once.stop == again.stop);
  CHECK(debug_text(once.value) == debug_text(again.value));
  return 0;
}
