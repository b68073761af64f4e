// What apply knows of a type: a scalar, a list (atomic, set, or keyed), a map or struct (granular or atomic), or any of
// them. Built-in kinds read it from their tables (message_type), schemaless values have deduced_type; the schemas of
// custom resources implement TypeModel. Pure; a TypeRef is two pointers and a tag; thread: any.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "schema/fieldpath/element.h"
#include "schema/tables.h"

namespace schema {

class TypeModel;

// A type: `node` and `tag` mean something to its model only. Null model: no type.
struct TypeRef {
  const TypeModel* model = nullptr;
  const void* node = nullptr;
  uint32_t tag = 0;
  explicit operator bool() const { return model != nullptr; }
};

enum class ScalarType : uint8_t { kNone, kUntyped, kString, kNumeric, kBoolean };
enum class ListRelation : uint8_t { kNone, kAtomic, kSet, kKeyed };
enum class MapRelation : uint8_t { kNone, kAtomic, kGranular };

// What a value of the type may be; more than one for untyped ones. kNone: it may not.
struct TypeInfo {
  ScalarType scalar = ScalarType::kNone;
  ListRelation list = ListRelation::kNone;
  MapRelation map = MapRelation::kNone;
  bool has_members = false;                     // find_member may find some
  std::span<const std::string_view> list_keys;  // of a keyed list
  TypeRef item;                                 // of a list
  TypeRef value;                                // of a map's undeclared members; null: they are errors
};

// What a missing member of an object stands for: nothing, or a value that the JSON form always writes.
enum class WhenAbsent : uint8_t { kNothing, kNull, kEmptyObject, kEmptyString, kZero, kFalse };

struct MemberType {
  TypeRef type;
  WhenAbsent when_absent = WhenAbsent::kNothing;
};

class TypeModel {
 public:
  virtual ~TypeModel() = default;
  virtual TypeInfo info(const TypeRef& type) const = 0;
  // A declared member. `hint` is kept between calls on one object: members that come in schema order are found at once.
  virtual std::optional<MemberType> find_member(const TypeRef& type, std::string_view name, size_t& hint) const = 0;
  // The default of a key member of a list's item type: what a key that is left out stands for.
  virtual std::optional<Scalar> key_default(const TypeRef& item, std::string_view name) const = 0;
};

inline TypeInfo type_info(const TypeRef& type) { return type.model ? type.model->info(type) : TypeInfo(); }

// The type of a message's JSON object, as upstream's OpenAPI describes it.
TypeRef message_type(const Message& message);
// A member of such an object, by its field.
MemberType message_member(const Field& field);
// Whatever the value is: lists atomic, maps granular.
TypeRef deduced_type();

}  // namespace schema
