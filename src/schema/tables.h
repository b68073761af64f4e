// The API's messages as tables: what the generic code (codecs, patches, apply, OpenAPI, printing) knows of a type. The
// tables are constant data generated from api/schema (src/gen); nothing here is ever written at run time. Thread: any.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace schema {

enum class Type : uint8_t { kBool, kInt32, kInt64, kDouble, kString, kBytes, kMessage };
enum class Card : uint8_t { kSingular, kRepeated, kMap };  // a map's key is always a string
// When JSON leaves the member out.
enum class JsonOmit : uint8_t { kNever, kNil, kLen0, kZero, kIsZero };
enum class ListType : uint8_t { kUnset, kAtomic, kSet, kMap };
enum class Granularity : uint8_t { kUnset, kGranular, kAtomic };
// Types with an encoding of their own in JSON, and partly in protobuf: special-types of the facts, by their ids.
enum class Special : uint8_t {
  kNone,
  kTime,
  kMicroTime,
  kDuration,
  kQuantity,
  kIntOrString,
  kRawExtension,
  kUnknown,
  kFieldsV1,
  kGroupVersion,
  kJson,
  kSchemaOrBool,
  kSchemaOrArray,
  kSchemaOrStringArray,
  kCustomObject,  // the object of a custom resource: its members stand in the object's own JSON (custom_content.h)
};

// strategic merge patch, as in the struct tags
inline constexpr uint8_t kPatchMerge = 1;
inline constexpr uint8_t kPatchRetainKeys = 2;
inline constexpr uint8_t kPatchReplace = 4;

struct Message;

// How code that knows no struct reaches into a std::vector<T>.
struct VectorOps {
  void* (*append)(void* vector);  // a new default element at the end
  void (*reserve)(void* vector, size_t count);
  size_t (*size)(const void* vector);
  const void* (*at)(const void* vector, size_t i);
};
// … into a std::map<std::string, T>.
struct MapOps {
  void* (*emplace)(void* map, std::string_view key);  // the value under the key, made if absent
  void (*each)(const void* map, void* context, void (*visit)(void* context, std::string_view key, const void* value));
  // The same from the last key to the first.
  void (*each_reverse)(const void* map, void* context,
                       void (*visit)(void* context, std::string_view key, const void* value));
};
// … and makes one, or one in a base::Box<T>.
struct StructOps {
  size_t size;
  void* (*create)();
  void (*destroy)(void*);
  void* (*box_ensure)(void* box);
  const void* (*box_get)(const void* box);  // null when empty
};

// A closed or open set of string values.
struct NamedType {
  std::string_view name;
  bool closed;
  std::span<const std::string_view> values;
};

struct Field {
  uint32_t number;  // protobuf field number; 0 = the member exists in JSON only
  Type type;
  Card card;
  // Singular members: false = protobuf always writes it; true = only when set (a pointer in Go, or bytes).
  // In the struct: false = T, true = std::optional<scalar> or base::Box<message>.
  bool presence;
  bool inlined;  // a nested message in protobuf whose members stand in the parent's JSON object
  bool required;
  bool optional;
  JsonOmit omit;
  ListType list_type;
  Granularity map_type;
  Granularity struct_type;
  uint8_t patch;          // kPatch… bits
  std::string_view name;  // protobuf name
  std::string_view json;  // "" = not in JSON (or inlined)
  std::string_view patch_key;
  std::span<const std::string_view> list_keys;
  std::string_view default_json;  // "" = none
  const NamedType* named;         // the constants of a string field, or null
  const Message* message;         // for Type::kMessage
  uint32_t offset;                // in the struct; meaningful when the message has `ops`
  const VectorOps* vector_ops;    // repeated messages of messages with structs
  const MapOps* map_ops;          // maps of messages of messages with structs
  std::string_view go_type;  // as upstream's decoding errors print it: "int32", "[]v1.Container", "v1.ResourceList"
};

// One field in the order of the wire: what the codecs ask of each field of each message, side by side in memory.
struct FieldStep {
  uint32_t number;
  uint32_t offset;  // as in the Field
  uint16_t field;   // index into Message::fields
  Type type;
  Card card;
  bool presence;
  bool inlined;
};
FieldStep step_of(const Field& field, size_t index);

// Struct member types: bool, int32_t, int64_t, double, std::string (string and bytes); std::optional of them when
// `presence`; std::vector of them; std::map<std::string, std::string> for maps of string and bytes.
struct Message {
  std::string_view package;              // "core.v1"
  std::string_view name;                 // "Pod"
  std::string_view proto_name;           // "k8s.io.api.core.v1.Pod"; "" for JSON-only messages
  std::span<const Field> fields;         // in JSON order; at most 64
  std::span<const FieldStep> by_number;  // those that protobuf has, by ascending number
  // A bit for each field, counted as in `fields`, that JSON may show when it is absent: JsonOmit::kNever, and inlined.
  uint64_t shown_absent;
  // Well-formed bytes of it may still be no value: it is, or holds, embedded JSON text or an IntOrString.
  bool unsure;
  Special special;
  bool type_meta;  // JSON has kind and apiVersion first
  bool alias;      // a wrapped list: JSON is the bare array of field 1
  Granularity struct_type;
  const StructOps* ops;  // null when no C++ struct is generated
};

// The value for Message::shown_absent.
uint64_t shown_absent_of(std::span<const Field> fields);

// Null when there is none. Linear for small messages, so keep the result where it matters.
const Field* find_json_field(const Message& message, std::string_view json_name);
const Field* find_number(const Message& message, uint32_t number);

// A kind of a group version.
enum class KindRole : uint8_t { kObject, kList, kOther };
struct Kind {
  std::string_view group;
  std::string_view version;
  std::string_view kind;
  KindRole role;
  std::string_view list_kind;  // of an object: its list's kind, or ""
  std::string_view item_kind;  // of a list: its item's kind
  const Message* message;
  // Minor versions ("1.21"); "" = none. Deprecated kinds answer with a Warning header.
  std::string_view introduced;
  std::string_view deprecated;
  std::string_view removed;
  std::string_view replacement;
};

struct Column {
  std::string_view name;
  std::string_view type;
  std::string_view format;
  int32_t priority;
};

// One served resource or subresource ("pods/status") of a group version.
struct Resource {
  std::string_view group;
  std::string_view version;
  std::string_view name;         // "pods", "status", …
  std::string_view subresource;  // "" for the resource itself
  std::string_view kind;
  std::string_view response_group;  // the kind's group version where it differs (scale, token); else ""
  std::string_view response_version;
  bool namespaced;
  std::span<const std::string_view> verbs;
  std::string_view singular;
  std::span<const std::string_view> short_names;
  std::span<const std::string_view> categories;
  std::string_view storage_hash;
  std::string_view key_prefix;    // "/registry/pods"; "" when nothing is stored
  std::string_view stored_group;  // the group version and kind that the store holds
  std::string_view stored_version;
  std::string_view stored_kind;
  std::span<const Column> columns;
};

// In the order of discovery.
struct GroupVersion {
  std::string_view group;
  std::string_view version;
  bool served_by_default;
  int32_t group_priority;
  int32_t version_priority;
  std::span<const Resource> resources;
};

}  // namespace schema
