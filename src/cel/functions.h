// Functions: what they are called, which types they take, how they are computed and what they cost. A FunctionTable is
// built once for a set of libraries and shared by all environments with that set. Private to this folder.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "cel/cost_rules.h"
#include "cel/macros.h"
#include "cel/type.h"
#include "cel/value.h"

namespace cel {

// What a native function may use besides its arguments.
struct CallContext {
  Arena& arena;
  // The compiled form of an argument that is a constant pattern; null when there is none.
  const void* prepared = nullptr;

  Value error(std::string_view message) { return Value::error(arena, message); }
  Value string(std::string_view text) { return Value::of_string(arena.copy(text)); }
};

// Arguments never are errors. A receiver is the first argument.
using Native = Value (*)(CallContext& context, std::span<const Value> args);

struct Overload {
  std::string id;
  bool member = false;
  std::vector<const Type*> args;  // the receiver first
  const Type* result = nullptr;
  std::vector<std::string> type_params;
  Native native = nullptr;
  std::vector<uint32_t> kinds;  // per argument: the Kinds it takes, as bits
  CostRule cost = CostRule::kOne;
};

struct Function {
  std::string name;
  std::vector<Overload> overloads;
};

// One line of a library: "string.charAt(int): string", "size(list(T)): int", "math.abs(int): int" (a name with a dot
// whose first part is no type is a global function).
struct Declaration {
  const char* id;
  const char* signature;
  Native native;
};

struct FunctionTable {
  TypePool pool;
  std::unordered_map<std::string_view, std::unique_ptr<Function>> functions;
  // Names that stand for types or constants: int, list, google.protobuf.Timestamp, net.IP.
  std::unordered_map<std::string, const Type*> type_names;
  MacroSet macros;
  bool presence_costs = false;  // has() adds 1 to the cost
  bool homogeneous = true;      // list and map literals of mixed types are errors
  bool cel_go_extras = false;   // functions beyond Kubernetes, for conformance

  void add(const Declaration& declaration);
  void add(std::span<const Declaration> declarations) {
    for (const Declaration& declaration : declarations) add(declaration);
  }
  void add_type(std::string_view name);
  const Function* find(std::string_view name) const;
};

// Whether the overload takes arguments of these kinds.
bool accepts(const Overload& overload, std::span<const Value> args);

}  // namespace cel
