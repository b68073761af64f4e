// The x-kubernetes-validations of a custom resource, run on its objects. Immutable; pure; thread: any.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "object/field_error.h"
#include "object/value.h"
#include "schema/structural/structural_schema.h"

namespace api {

struct RuleNode;

class ValidationRules {
 public:
  // Null when the schema has no rules. `schema` is the compiled form of the same JSON and is kept. kResource: the
  // schema is that of a whole resource.
  static std::shared_ptr<const ValidationRules> compile(const object::Value& json,
                                                        std::shared_ptr<const schema::StructuralSchema> schema,
                                                        schema::Place place = schema::Place::kResource);
  ~ValidationRules();
  ValidationRules(const ValidationRules&) = delete;
  ValidationRules& operator=(const ValidationRules&) = delete;

  // Do rules that are not about a change fail on what an update left alone?
  enum class Ratcheting : uint8_t { kOff, kOn };
  // With kOn what an update did not change does not fail, but warns. All rules together may cost
  // cel::kRuntimeCostBudget. Compat: call it after everything else, and not at all when blocks_rules() says so.
  void validate(const object::Value& object, const object::Value* old, const object::FieldPath& path,
                object::FieldErrors& errors, Ratcheting ratcheting, std::vector<std::string>* warnings) const;

 private:
  ValidationRules();
  std::shared_ptr<const schema::StructuralSchema> schema_;
  std::unique_ptr<const RuleNode> root_;
};

// True when the errors so far say that the object is not of the shape that rules expect: then adds the error that says
// that they were not run.
bool blocks_rules(object::FieldErrors& errors);

}  // namespace api
