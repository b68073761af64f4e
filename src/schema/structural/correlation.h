// The old value that belongs to a part of a new one, for ratcheting: members by name where the schema knows them, items
// of lists of type map by their keys, nothing else. Internal to schema/structural; lives on the stack of one
// validation.
#pragma once

#include <optional>
#include <string>
#include <unordered_map>

#include "schema/structural/compiled.h"

namespace schema::structural {

class Correlation {
 public:
  Correlation(const Compiled& schema, const Node& node, const object::Value& value, const object::Value& old)
      : schema_(&schema), node_(&node), value_(&value), old_(&old) {}

  // Of a member or an item of the new value; nullopt when it has no counterpart.
  std::optional<Correlation> member(std::string_view name, const object::Value& value) const;
  std::optional<Correlation> item(const object::Value& value) const;
  // Compat: an object with members that the schema does not know is never equal, since they have no counterpart.
  bool equal() const;
  const object::Value& old() const { return *old_; }

 private:
  const object::Value* old_item(const object::Value& value) const;

  const Compiled* schema_;
  const Node* node_;
  const object::Value* value_;
  const object::Value* old_;
  // Old items of a list of type map by their keys; made when the first is asked for.
  mutable std::unordered_map<std::string, const object::Value*> old_items_;
  mutable bool indexed_ = false;
};

}  // namespace schema::structural
