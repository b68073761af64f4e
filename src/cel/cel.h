// The CEL engine: compile an expression against an Environment into a Program, evaluate the Program on values.
//   Environment environment = Environment::kubernetes({1, 35});
//   environment.declare("self", *decl_type);
//   TRY_ASSIGN(Program rule, environment.compile("self.replicas <= self.maxReplicas"));
//   Arena arena;
//   Activation variables(rule);   // one slot for each declared variable, in order of declaration
//   variables.set(0, Value::of(object, decl_type));
//   Outcome outcome = rule.evaluate(arena, variables, {});
// Pure: no clock, I/O or global. An Environment and a Program are immutable once built and may be used by many threads
// at once; an Arena and an Activation belong to one.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "cel/arena.h"
#include "cel/decl_type.h"
#include "cel/limits.h"
#include "cel/type.h"
#include "cel/value.h"

namespace cel {

struct FunctionTable;
struct Code;

// The Kubernetes version whose libraries an expression may use: the server's for expressions already stored, the one
// before for new ones.
struct Version {
  int major = 1;
  int minor = 35;
};

struct CostEstimate {
  uint64_t min = 0;
  uint64_t max = 0;  // saturates
};

struct EvaluateOptions {
  uint64_t cost_limit = kPerCallCostLimit;
  const std::atomic<bool>* cancelled = nullptr;  // looked at in comprehensions
};

// Why an evaluation stopped before it had a result of the language.
enum class Stop : uint8_t { kNone, kCostExceeded, kCancelled, kMemoryExceeded };

struct Outcome {
  Value value;  // Kind::kError with upstream's message when the expression failed; lives in the arena
  uint64_t cost = 0;
  Stop stop = Stop::kNone;
};

class Program;

// The values of the declared variables. An unset one gives "no such attribute(s): name".
class Activation {
 public:
  explicit Activation(size_t variables) : values_(variables), set_(variables, 0) {}
  explicit Activation(const Program& program);
  void set(size_t slot, const Value& value) {
    values_[slot] = value;
    set_[slot] = 1;
  }
  void clear() { set_.assign(set_.size(), 0); }
  const Value* find(size_t slot) const { return slot < set_.size() && set_[slot] ? &values_[slot] : nullptr; }

 private:
  std::vector<Value> values_;
  std::vector<char> set_;
};

class Program {
 public:
  Program(Program&&) noexcept;
  Program& operator=(Program&&) noexcept;
  ~Program();

  Outcome evaluate(Arena& arena, const Activation& variables, const EvaluateOptions& options = {}) const;
  // Static estimate from the bounds that the declared types give.
  CostEstimate estimated_cost() const;
  TypeKind result_kind() const;
  const std::string& result_type() const;  // as format_type() shows it
  // Why upstream would not make a program of it: a constant that cannot be converted, a constant pattern that is
  // malformed. "" = nothing.
  const std::string& problem() const;
  size_t variable_count() const;
  // Whether the expression refers to the variable in that slot (oldSelf makes a rule a transition rule).
  bool uses(size_t slot) const;
  size_t memory() const;  // bytes held

 private:
  friend class Environment;
  explicit Program(std::unique_ptr<const Code> code);
  std::unique_ptr<const Code> code_;
};

enum class TypeChecking : uint8_t { kOn, kOff };

class Environment {
 public:
  // The language and the libraries that Kubernetes of that version has. Builds the tables of functions (over 100 KB):
  // make one and copy it for each schema; copies share the tables.
  static Environment kubernetes(Version version);
  // The language and every library, with dyn literals and has() that costs: for conformance.
  static Environment everything();

  // Declares a variable; its slot is the number of variables declared before. Types must outlive the environment and
  // its programs.
  size_t declare(std::string_view name, const Type* type);
  size_t declare(std::string_view name, const DeclType& type);
  // Object types whose fields the checker may look up, and which a literal Name{…} may make.
  void add_types(std::shared_ptr<const DeclTypes> types);
  // The namespace in which names are resolved; "" by default.
  void set_container(std::string_view name) { container_ = name; }
  void set_type_checking(TypeChecking checking) { checking_ = checking; }

  // Errors are kInvalid with upstream's text: "ERROR: <input>:1:5: undeclared reference to 'x' (in container '')\n |
  // …".
  base::Result<Program> compile(std::string_view text) const;

  struct Variable {
    std::string name;
    const Type* type = nullptr;
    const DeclType* decl = nullptr;
  };
  const std::vector<Variable>& variables() const { return variables_; }
  const std::vector<std::shared_ptr<const DeclTypes>>& types() const { return types_; }
  const FunctionTable& functions() const { return *functions_; }
  const std::string& container() const { return container_; }

 private:
  explicit Environment(std::shared_ptr<const FunctionTable> functions) : functions_(std::move(functions)) {}

  std::shared_ptr<const FunctionTable> functions_;
  std::vector<Variable> variables_;
  std::vector<std::shared_ptr<const DeclTypes>> types_;
  std::string container_;
  TypeChecking checking_ = TypeChecking::kOn;
};

}  // namespace cel
