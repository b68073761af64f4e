// Rules of custom resources over an object: time to evaluate and to compile, and the memory that a program holds.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string>

#include "base/check.h"
#include "cel/cel.h"
#include "object/json.h"

namespace {

template <typename Work>
double best_microseconds(int times, Work work) {
  using Clock = std::chrono::steady_clock;
  double best = 1e9;
  for (int round = 0; round < 20; ++round) {
    const auto start = Clock::now();
    for (int i = 0; i < times; ++i) work();
    const std::chrono::duration<double, std::micro> spent = Clock::now() - start;
    best = std::min(best, spent.count() / times);
  }
  return best;
}

void measure(const char* text, const object::Value& self) {
  cel::Environment environment = cel::Environment::kubernetes({1, 35});
  environment.declare("self", cel::simple_type(cel::TypeKind::kDyn));
  const auto program = environment.compile(text);
  CHECK(program);
  cel::Arena arena;
  cel::Activation variables(*program);
  variables.set(0, cel::Value::of(self));
  const cel::Outcome outcome = program->evaluate(arena, variables);
  CHECK(outcome.value.is_true());
  const double evaluate = best_microseconds(10'000, [&] {
    arena.reset();
    CHECK(program->evaluate(arena, variables).value.is_true());
  });
  const double compile = best_microseconds(100, [&] { CHECK(environment.compile(text)); });
  std::printf("%8.3f us to evaluate  %8.1f us to compile  %6zu bytes  cost %4llu  %s\n", evaluate, compile,
              program->memory(), static_cast<unsigned long long>(outcome.cost), text);
}

}  // namespace

int main() {
  const auto self = object::parse_json(
      R"({"replicas": 3, "maxReplicas": 5, "names": ["alpha", "apple", "avocado", "almond"], "mode": "Auto",)"
      R"("host": "www.example.com", "limits": {"cpu": "500m", "memory": "1Gi"},)"
      R"("ports": [{"name": "http", "port": 80}, {"name": "https", "port": 443}]})");
  CHECK(self);
  for (const char* text : {
           "self.replicas <= self.maxReplicas",
           "self.replicas <= self.maxReplicas && self.names.all(n, n.startsWith('a'))",
           "self.mode in ['Auto', 'Manual'] && has(self.limits.cpu)",
           "self.ports.all(p, self.ports.exists_one(q, q.name == p.name))",
           "self.host.matches('^[a-z.]+$')",
           "quantity(self.limits.memory).isGreaterThan(quantity('500Mi'))",
           "self.names.map(n, n.upperAscii()).join(',').size() > 3",
       }) {
    measure(text, *self);
  }
  return 0;
}
