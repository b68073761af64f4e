// A schema's JSON as CEL's declared types read it. Pure; thread: one.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "cel/decl_type.h"
#include "object/value.h"

namespace api {

// A view: the JSON outlives it.
class RuleSchema final : public cel::SchemaSource {
 public:
  explicit RuleSchema(const object::Object& json) : json_(&json) {}

  std::string_view type() const override;
  std::string_view format() const override;
  bool int_or_string() const override;
  bool preserve_unknown_fields() const override;
  bool embedded_resource() const override;
  bool nullable() const override;
  bool has_default() const override;
  std::optional<int64_t> max_length() const override;
  std::optional<int64_t> max_items() const override;
  std::optional<int64_t> max_properties() const override;
  std::optional<int64_t> longest_enum_value() const override;
  const cel::SchemaSource* items() const override;
  const cel::SchemaSource* additional_properties() const override;
  bool has_properties() const override;
  void each_property(const std::function<void(std::string_view, const cel::SchemaSource&)>& visit) const override;
  bool is_required(std::string_view name) const override;
  std::string_view list_type() const override;
  std::vector<std::string> list_map_keys() const override;

 private:
  std::optional<int64_t> integer(std::string_view name) const;
  const object::Object* json_;
  mutable std::unique_ptr<RuleSchema> items_, additional_;
};

}  // namespace api
