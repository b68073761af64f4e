// For tests of rules: runs an object through what the pipeline runs, and shows the errors.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "api/kinds.h"
#include "api/rules.h"
#include "gen/codec.h"
#include "object/json.h"
#include "schema/proto_value.h"
#include "schema/transcode.h"

namespace api {

// An object from its JSON; an empty one, and a failed test, when it cannot be read.
template <typename T>
T from_json(std::string_view text) {
  const auto tree = object::parse_json(text);
  EXPECT_TRUE(tree) << text;
  std::string raw;
  const auto encoded = schema::encode_value(gen::message_of<T>(), *tree, raw, {});
  EXPECT_TRUE(encoded) << text;
  auto object = gen::decode<T>(raw);
  EXPECT_TRUE(object) << text;
  return object ? *std::move(object) : T();
}
template <typename T>
std::string to_json(const T& object) {
  std::string text;
  EXPECT_TRUE(schema::append_json(gen::message_of<T>(), gen::encode(object), {}, text));
  return text;
}

class RulesHarness {
 public:
  explicit RulesHarness(std::unique_ptr<const KindRules> rules) : rules_(std::move(rules)) {
    context.warnings = &warnings;
  }
  const KindRules& rules() const { return *rules_; }

  // Defaults, preparation and validation of a new object; the errors as one text.
  template <typename T>
  std::string create(T& object) {
    rules_->set_defaults_any(&object);
    rules_->prepare_for_create_any(context, &object);
    object::FieldErrors errors;
    rules_->validate_any(context, &object, errors);
    return errors.empty() ? "" : errors.to_string();
  }
  template <typename T>
  std::string update(T& object, const T& old) {
    rules_->set_defaults_any(&object);
    rules_->prepare_for_update_any(context, &object, &old);
    object::FieldErrors errors;
    rules_->validate_update_any(context, &object, &old, errors);
    return errors.empty() ? "" : errors.to_string();
  }
  template <typename T>
  std::string update(std::string_view subresource, T& object, const T& old) {
    rules_->set_defaults_any(&object);
    rules_->prepare_for_subresource_any(subresource, context, &object, &old);
    object::FieldErrors errors;
    rules_->validate_subresource_any(subresource, context, &object, &old, errors);
    return errors.empty() ? "" : errors.to_string();
  }
  // The cells as one text: "a|1|true".
  template <typename T>
  std::string cells(const T& object) const {
    TableRow row;
    rules_->cells_any(&object, context.now, row);
    std::string text;
    for (const auto& cell : row.cells) {
      if (!text.empty() || &cell != &row.cells.front()) text += '|';
      if (const auto* s = cell.string_if()) text += *s;
      if (const auto* i = cell.int_if()) text += std::to_string(*i);
      if (const auto* b = cell.bool_if()) text += *b ? "true" : "false";
    }
    return text;
  }

  std::vector<std::string> warnings;
  RuleContext context;

 private:
  std::unique_ptr<const KindRules> rules_;
};

}  // namespace api
