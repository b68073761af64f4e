// An object of a kind that a CustomResourceDefinition defines: metadata like any other's, and the rest as JSON text
// (schema/custom_content.h). All such kinds share this struct and its one table; kind and apiVersion stand beside an
// object, as everywhere. Plain data; thread: any.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "gen/meta/v1.h"
#include "object/value.h"
#include "schema/custom_content.h"
#include "schema/tables.h"

namespace api {

struct CustomObject {
  meta::v1::ObjectMeta metadata;
  std::string content;  // compact, sorted members; "" = none
  // In stored objects: which schema they were last cleaned by, and the version that they are in.
  std::optional<int64_t> schema_mark;
  std::optional<std::string> stored_version;

  bool operator==(const CustomObject& other) const = default;

  // The content as a tree, and back. Parsing costs: parse once where several steps want the tree.
  object::Value tree() const;
  void set_tree(const object::Value& tree);
};

// The table of every custom object. Its ObjectMeta writes members in alphabetical order.
// Compat: upstream keeps custom objects as JSON maps, which it writes sorted.
const schema::Message& custom_message();

inline bool is_custom(const schema::Message& message) { return message.special == schema::Special::kCustomObject; }

}  // namespace api
