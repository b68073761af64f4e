// The expressions of webhooks' match conditions and of admission policies: do they compile, and to a type that fits?
// One object for each policy: it remembers the variables that the policy declares. Thread: one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cel/cel.h"
#include "object/field_error.h"

namespace api {

class PolicyExpressions {
 public:
  // What an expression may name beside object, oldObject, request and namespaceObject.
  static constexpr uint8_t kParams = 1, kAuthorizer = 2, kVariables = 4, kPatchTypes = 8;
  enum class Result : uint8_t { kBool, kString, kStringOrNull, kAny, kObject, kJsonPatches };
  // Compat: a new expression may use only what the version before has; one that was there already, everything.
  enum class Language : uint8_t { kNew, kStored };

  struct Use {
    uint8_t names = 0;
    Result result = Result::kBool;
    Language language = Language::kNew;
  };
  // Invalid at `path` when the expression is not as it must be.
  void check(std::string_view expression, Use use, const object::FieldPath& path, object::FieldErrors& errors);
  // The same for `variables.<name>`, which later expressions may then name.
  void check_variable(std::string_view name, std::string_view expression, Use use, const object::FieldPath& path,
                      object::FieldErrors& errors);

 private:
  struct Compiled {
    std::string problem;  // "" = none
    std::string type;     // as messages show it; "" = none
  };
  Compiled compile(std::string_view expression, Use use);

  const cel::Environment& environment(Language language);

  std::optional<cel::Environment> new_, stored_;                // made when needed
  std::vector<std::pair<std::string, std::string>> variables_;  // name, type
};

}  // namespace api
