// Declared types: what the schema of a custom resource or a built-in kind says about its values, in the form that the
// checker (field types), the evaluator (how to read a JSON value) and the cost estimator (size bounds) need.
// Built once for a schema, immutable afterwards, shared by all programs on that schema, which it must outlive.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "cel/type.h"

namespace cel {

enum class DeclKind : uint8_t {
  kIntOrString,
  kBool,
  kInt,
  kDouble,
  kString,
  kBytes,      // string with format byte
  kDuration,   // string with format duration
  kTimestamp,  // string with format date-time
  kDate,       // string with format date: a timestamp too
  kList,
  kMap,     // object with additionalProperties
  kObject,  // object with properties, or with nothing
  kDyn,     // no type: JSON's own types are taken
};
enum class ListKind : uint8_t { kAtomic, kSet, kMap };

struct DeclType;
struct DeclField {
  std::string escaped;  // the name in expressions
  std::string name;     // the name in JSON
  const DeclType* type = nullptr;
  bool required = false;
};

struct DeclType {
  DeclKind kind = DeclKind::kDyn;
  ListKind list_kind = ListKind::kAtomic;
  bool nullable = false;
  bool open = false;                   // an object that has every field, of type dyn
  std::vector<std::string> list_keys;  // JSON names, for ListKind::kMap
  const Type* type = nullptr;          // for the checker
  const DeclType* element = nullptr;   // of lists and maps
  std::vector<DeclField> fields;       // of objects, in order of `escaped`
  uint64_t max_elements = 0;           // upper bound of size(); 0 for scalars and objects
  int64_t min_serialized_size = 1;     // bytes of the smallest JSON text

  const DeclField* find(std::string_view escaped) const;
  const DeclField* find_json(std::string_view name) const;  // by JSON name
};

// A schema, read once by DeclTypes::build. Pointers must stay valid during the call only.
class SchemaSource {
 public:
  virtual ~SchemaSource() = default;
  virtual std::string_view type() const = 0;  // "object", "array", "string", …; "" when absent
  virtual std::string_view format() const { return {}; }
  virtual bool int_or_string() const { return false; }
  virtual bool preserve_unknown_fields() const { return false; }
  virtual bool embedded_resource() const { return false; }
  virtual bool nullable() const { return false; }
  virtual bool has_default() const { return false; }
  virtual std::optional<int64_t> max_length() const { return {}; }
  virtual std::optional<int64_t> max_items() const { return {}; }
  virtual std::optional<int64_t> max_properties() const { return {}; }
  // Bytes of the longest string among the enum's values; nothing when there is no enum.
  virtual std::optional<int64_t> longest_enum_value() const { return {}; }
  virtual const SchemaSource* items() const { return nullptr; }
  virtual const SchemaSource* additional_properties() const { return nullptr; }
  virtual bool has_properties() const { return false; }
  virtual void each_property(const std::function<void(std::string_view, const SchemaSource&)>&) const {}
  virtual bool is_required(std::string_view) const { return false; }
  virtual std::string_view list_type() const { return {}; }  // "atomic", "set", "map" or ""
  virtual std::vector<std::string> list_map_keys() const { return {}; }
};

enum class SchemaRoot : uint8_t {
  kPlain,
  kResource,  // apiVersion, kind, metadata.name and metadata.generateName are there whatever the schema says
};

class DeclTypes {
 public:
  DeclTypes() = default;
  DeclTypes(const DeclTypes&) = delete;
  DeclTypes& operator=(const DeclTypes&) = delete;

  // The declared type of a schema, or null when expressions cannot see it (no type, or a list or map of such).
  // `name` begins the names of its object types ("self" gives self, self.spec, self.spec.list.@idx).
  const DeclType* build(const SchemaSource& schema, std::string_view name, SchemaRoot root = SchemaRoot::kPlain);
  // A declared object type by hand, for request attributes and the like; its type is an object of that name. Fields may
  // come in any order.
  const DeclType* object(std::string_view name, std::vector<DeclField> fields);
  // One that has every field, of type dyn.
  const DeclType* open_object(std::string_view name);
  const DeclType* list_of(const DeclType* element, uint64_t max_elements);
  const DeclType* map_of(const DeclType* element, uint64_t max_elements);
  // The object type of that name among those built; null when there is none.
  const DeclType* find(std::string_view object_name) const;
  // Shared scalar types.
  static const DeclType* scalar(DeclKind kind);
  TypePool& pool() { return pool_; }

 private:
  const DeclType* build_list(const SchemaSource& schema, const std::string& name);
  const DeclType* build_map(const SchemaSource& schema, const std::string& name);
  const DeclType* build_object(const SchemaSource& schema, const std::string& name, SchemaRoot root);
  const DeclType* build_string(const SchemaSource& schema);
  const DeclType* build_node(const SchemaSource& schema, const std::string& name, SchemaRoot root);
  DeclType* add(DeclKind kind);

  TypePool pool_;
  std::deque<DeclType> types_;
  std::unordered_map<std::string_view, const DeclType*> by_name_;
};

// A JSON field name as an identifier of CEL (__dot__, __dash__, __slash__, __underscores__, __{keyword}__), or nothing
// when it can't be one.
std::optional<std::string> escape(std::string_view name);
bool is_keyword(std::string_view name);
// The inverse; nothing when the text has a sequence that escape() never writes.
std::optional<std::string> unescape(std::string_view escaped);

}  // namespace cel
