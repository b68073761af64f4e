// The compiled form of a structural schema: flat arrays that refer to each other by index. Internal to
// schema/structural. Node 0 is unused, so that index 0 says "none".
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "object/value.h"
#include "schema/structural/formats.h"
#include "schema/structural/pattern.h"
#include "schema/structural/structural_schema.h"

namespace schema::structural {

enum class Type : uint8_t { kUnset, kObject, kArray, kString, kInteger, kNumber, kBoolean, kOther };
enum class MapKind : uint8_t { kUnset, kAtomic, kGranular, kUnknown };

// A part of one of Compiled's arrays.
struct Range {
  uint32_t first = 0;
  uint32_t count = 0;
};

enum NodeFlag : uint16_t {
  kNullable = 1 << 0,
  kPreserve = 1 << 1,
  kEmbedded = 1 << 2,
  kIntOrString = 1 << 3,
  kHasAdditional = 1 << 4,      // additionalProperties is stated
  kAdditionalAllowed = 1 << 5,  // and is true or a schema
  // At or below the node, junctors left out:
  kDefaultsBelow = 1 << 6,
  kEmbeddedBelow = 1 << 7,
  kListTypesBelow = 1 << 8,
};

struct Node {
  Range properties;    // of Compiled::properties, sorted by name
  uint32_t items = 0;  // nodes
  uint32_t additional = 0;
  uint32_t checks = 0;         // of Compiled::checks
  uint32_t default_value = 0;  // of Compiled::values
  Range list_keys;             // of Compiled::names
  uint16_t flags = 0;
  Type type = Type::kUnset;
  ListKind list_kind = ListKind::kUnset;
  MapKind map_kind = MapKind::kUnset;

  bool is(NodeFlag flag) const { return (flags & flag) != 0; }
};

struct Property {
  std::string_view name;
  uint32_t node = 0;
};

enum CheckFlag : uint16_t {
  kMaximum = 1 << 0,
  kExclusiveMaximum = 1 << 1,
  kMinimum = 1 << 2,
  kExclusiveMinimum = 1 << 3,
  kMultipleOf = 1 << 4,
  kMaxLength = 1 << 5,
  kMinLength = 1 << 6,
  kMaxItems = 1 << 7,
  kMinItems = 1 << 8,
  kMaxProperties = 1 << 9,
  kMinProperties = 1 << 10,
};

// What a value of a node must be beyond its type. Most nodes have none.
struct Checks {
  double maximum = 0, minimum = 0, multiple_of = 0;
  int64_t max_length = 0, min_length = 0, max_items = 0, min_items = 0, max_properties = 0, min_properties = 0;
  Range required;                // of names
  Range enums;                   // of values
  Range all_of, any_of, one_of;  // of branches
  uint32_t not_node = 0;
  uint32_t pattern = 0;  // of patterns
  std::string_view format_text;
  Format format = Format::kNone;
  uint16_t flags = 0;

  bool is(CheckFlag flag) const { return (flags & flag) != 0; }
};

struct Compiled final : TypeModel {
  std::vector<Node> nodes;
  std::vector<Property> properties;
  std::vector<Checks> checks;
  std::vector<object::Value> values;
  std::vector<std::string_view> names;
  std::vector<uint32_t> branches;
  std::vector<std::unique_ptr<Pattern>> patterns;
  std::string text;  // what all names and format texts view
  const Message* object_meta = nullptr;
  uint32_t root = 0;

  const Node* node(uint32_t index) const { return index == 0 ? nullptr : &nodes[index]; }
  const Node* property(const Node& of, std::string_view name) const;
  // `hint` is kept between calls on one object: members that come in the properties' order are found at once.
  const Node* property(const Node& of, std::string_view name, size_t& hint) const;
  std::span<const Property> properties_of(const Node& of) const {
    return {properties.data() + of.properties.first, of.properties.count};
  }
  const Checks* checks_of(const Node& of) const { return of.checks == 0 ? nullptr : &checks[of.checks]; }
  const object::Value* default_of(const Node& of) const {
    return of.default_value == 0 ? nullptr : &values[of.default_value];
  }
  std::span<const std::string_view> list_keys(const Node& of) const {
    return {names.data() + of.list_keys.first, of.list_keys.count};
  }
  size_t memory_bytes() const;

  // apply_type.cc
  TypeInfo info(const TypeRef& type) const override;
  std::optional<MemberType> find_member(const TypeRef& type, std::string_view name, size_t& hint) const override;
  std::optional<Scalar> key_default(const TypeRef& item, std::string_view name) const override;
};

std::string_view type_name(Type type);

}  // namespace schema::structural
