// How values are made, and how those that read an API object do it in place.
#include "cel/value.h"

#include <bit>
#include <cmath>
#include <functional>

#include "cel/decl_type.h"
#include "codec/base64.h"
#include "codec/utf8.h"
#include "object/time.h"

namespace cel {

bool Opaque::field(std::string_view, Arena&, Value&) const { return false; }

Value Value::of_double(double value) {
  Value result = scalar(Kind::kDouble, 0);
  result.double_ = value;
  return result;
}

Value Value::of_timestamp(int64_t seconds, uint32_t nanoseconds) {
  Value result = scalar(Kind::kTimestamp, seconds);
  result.size_ = nanoseconds;
  return result;
}

Value Value::of_type(const Type* type) {
  Value result = scalar(Kind::kType, 0);
  result.pointer_ = type;
  return result;
}

Value Value::of_list(std::span<const Value> items) {
  Value result = scalar(Kind::kList, 0);
  result.size_ = static_cast<uint32_t>(items.size());
  result.items_ = items.data();
  return result;
}

Value Value::of_map(const MapData* map) {
  Value result = scalar(Kind::kMap, 0);
  result.pointer_ = map;
  return result;
}

Value Value::of_struct(const Type* type, const MapData* fields) {
  Value result = scalar(Kind::kStruct, 0);
  result.pointer_ = fields;
  result.extra_ = type;
  return result;
}

Value Value::of_opaque(const Opaque* opaque) {
  Value result = scalar(Kind::kOpaque, 0);
  result.pointer_ = opaque;
  return result;
}

Value Value::none() {
  Value result = scalar(Kind::kOptional, 0);
  result.pointer_ = nullptr;
  return result;
}

Value Value::optional_of(Arena& arena, Value value) {
  Value result = scalar(Kind::kOptional, 0);
  result.pointer_ = arena.make<Value>(value);
  return result;
}

Value Value::error(std::string_view message) { return text_value(Kind::kError, message); }

namespace {

Value wrong(std::string_view message, Arena* arena) {
  return arena ? Value::error(*arena, message) : Value::error("invalid data for the declared type");
}

std::string_view go_type(const object::Value& object) {
  switch (object.kind()) {
    case object::Value::Kind::kNull:
      return "<nil>";
    case object::Value::Kind::kBool:
      return "bool";
    case object::Value::Kind::kInt:
      return "int64";
    case object::Value::Kind::kDouble:
      return "float64";
    case object::Value::Kind::kString:
      return "string";
    case object::Value::Kind::kArray:
      return "[]interface {}";
    case object::Value::Kind::kObject:
      return "map[string]interface {}";
  }
  return "";
}

Value timestamp_of(const std::string& text, Arena* arena) {
  const auto time = object::parse_micro_time(text);
  if (!time) {
    const auto seconds = object::parse_time(text);
    if (!seconds) return wrong("Invalid date-time formatted string " + text + ": " + seconds.error().message, arena);
    return Value::of_timestamp(seconds->seconds, 0);
  }
  return Value::of_timestamp(time->seconds, static_cast<uint32_t>(time->nanos));
}

Value string_of(const object::Value& object, const DeclType& type, Arena* arena) {
  const std::string* text = object.string_if();
  if (!text) return wrong("invalid data, expected string, got " + std::string(go_type(object)), arena);
  switch (type.kind) {
    case DeclKind::kDuration: {
      const auto duration = object::parse_duration(*text);
      if (!duration) return wrong("Invalid duration " + *text + ": " + duration.error().message, arena);
      return Value::of_duration(duration->duration);
    }
    case DeclKind::kTimestamp:
      return timestamp_of(*text, arena);
    case DeclKind::kDate:
      return timestamp_of(*text + "T00:00:00Z", arena);
    case DeclKind::kBytes: {
      const auto bytes = codec::parse_base64(*text);
      if (!bytes || !arena) return wrong("Invalid byte formatted string " + *text, arena);
      return Value::of_bytes(arena->copy(*bytes));
    }
    default:
      return Value::of_string(*text);
  }
}

Value number_of(const object::Value& object, const DeclType& type, Arena* arena) {
  const int64_t* whole = object.int_if();
  if (type.kind == DeclKind::kDouble) {
    if (whole) return Value::of_double(static_cast<double>(*whole));
    if (const double* number = object.double_if()) return Value::of_double(*number);
    return wrong("invalid data, expected float, got " + std::string(go_type(object)), arena);
  }
  if (whole) return Value::of_int(*whole);
  return wrong("invalid data, expected int, got " + std::string(go_type(object)), arena);
}

}  // namespace

Value Value::of(const object::Value& object, const DeclType* type, Arena* arena) {
  using ObjectKind = object::Value::Kind;
  if (type && type->kind != DeclKind::kDyn) {
    if (object.is_null()) {
      return type->nullable ? Value() : error("invalid data, got null for schema with nullable=false");
    }
    switch (type->kind) {
      case DeclKind::kIntOrString:
        if (object.is_string() || object.is_int()) break;
        return error("invalid data, expected XIntOrString value to be either a string or integer");
      case DeclKind::kBool:
        if (object.is_bool()) break;
        return wrong("invalid data, expected bool, got " + std::string(go_type(object)), arena);
      case DeclKind::kInt:
      case DeclKind::kDouble:
        return number_of(object, *type, arena);
      case DeclKind::kList:
        if (object.is_array()) break;
        return error("invalid data, expected an array for the provided schema with type=array");
      case DeclKind::kMap:
      case DeclKind::kObject:
        if (object.is_object()) break;
        return error("invalid data, expected a map for the provided schema with type=object");
      default:
        return string_of(object, *type, arena);
    }
  }
  switch (object.kind()) {
    case ObjectKind::kNull:
      return Value();
    case ObjectKind::kBool:
      return of_bool(*object.bool_if());
    case ObjectKind::kInt:
      return of_int(*object.int_if());
    case ObjectKind::kDouble:
      return of_double(*object.double_if());
    case ObjectKind::kString:
      return of_string(*object.string_if());
    default:
      break;
  }
  Value result = scalar(object.is_array() ? Kind::kList : Kind::kMap, 0);
  result.is_view_ = true;
  if (object.is_array()) {
    result.pointer_ = object.array_if();
    result.size_ = static_cast<uint32_t>(object.array_if()->size());
  } else {
    result.pointer_ = object.object_if();
  }
  result.extra_ = type && type->kind != DeclKind::kDyn ? type : nullptr;
  return result;
}

namespace {

// Whether expressions see this member, and with which type.
bool visible(const DeclType* type, const object::Member& member, const DeclType*& member_type) {
  member_type = nullptr;
  if (!type) return true;
  if (type->kind == DeclKind::kMap) {
    member_type = type->element;
    return true;
  }
  const DeclField* field = type->find_json(member.key);
  if (!field || !field->type || member.value.is_null()) return false;
  member_type = field->type;
  return true;
}

const object::Member* visible_member(const object::Object& map, const DeclType* type, size_t index,
                                     const DeclType*& member_type) {
  for (const object::Member& member : map) {
    if (!visible(type, member, member_type)) continue;
    if (index-- == 0) return &member;
  }
  return nullptr;
}

uint64_t key_hash(const Value& key) {
  switch (key.kind()) {
    case Kind::kString:
      return std::hash<std::string_view>()(key.text());
    case Kind::kDouble: {
      const double number = key.as_double();
      if (number == std::floor(number) && std::abs(number) < 9e18)
        return std::hash<int64_t>()(static_cast<int64_t>(number));
      return std::hash<double>()(number);
    }
    default:
      return std::hash<int64_t>()(key.as_int());
  }
}

bool same_key(const Value& a, const Value& b) {
  if (a.kind() == Kind::kString || b.kind() == Kind::kString || a.kind() == Kind::kBool || b.kind() == Kind::kBool) {
    if (a.kind() != b.kind()) return false;
    return a.kind() == Kind::kBool ? a.as_bool() == b.as_bool() : a.text() == b.text();
  }
  std::partial_ordering order = std::partial_ordering::unordered;
  return compare(a, b, order) && order == 0;
}

const MapEntry* lookup(const MapData& map, const Value& key) {
  if (map.slots == 0) {
    for (uint32_t i = 0; i < map.count; ++i) {
      if (same_key(map.entries[i].key, key)) return &map.entries[i];
    }
    return nullptr;
  }
  for (uint64_t at = key_hash(key);; ++at) {
    const uint32_t position = map.table[at & (map.slots - 1)];
    if (position == 0) return nullptr;
    if (same_key(map.entries[position - 1].key, key)) return &map.entries[position - 1];
  }
}

}  // namespace

namespace {

// With `repeated`, stops at a key that is there already.
MapData* build_map(Arena& arena, std::span<const MapEntry> entries, Value* repeated) {
  constexpr size_t kLinearUpTo = 8;
  MapData* map = arena.make<MapData>();
  MapEntry* copy = arena.allocate_array<MapEntry>(entries.size());
  std::copy(entries.begin(), entries.end(), copy);
  map->entries = copy;
  if (entries.size() <= kLinearUpTo) {
    for (const MapEntry& entry : entries) {
      if (repeated && lookup(*map, entry.key)) {
        *repeated = entry.key;
        return nullptr;
      }
      ++map->count;
    }
    return map;
  }
  map->count = static_cast<uint32_t>(entries.size());
  map->slots = std::bit_ceil(static_cast<uint32_t>(entries.size() * 2));
  uint32_t* table = arena.allocate_array<uint32_t>(map->slots);
  std::fill(table, table + map->slots, 0);
  for (uint32_t i = 0; i < map->count; ++i) {
    uint64_t at = key_hash(copy[i].key);
    for (; table[at & (map->slots - 1)] != 0; ++at) {
      if (repeated && same_key(copy[table[at & (map->slots - 1)] - 1].key, copy[i].key)) {
        *repeated = copy[i].key;
        return nullptr;
      }
    }
    table[at & (map->slots - 1)] = i + 1;
  }
  map->table = table;
  return map;
}

}  // namespace

MapData* make_map(Arena& arena, std::span<const MapEntry> entries) { return build_map(arena, entries, nullptr); }
MapData* make_map_once(Arena& arena, std::span<const MapEntry> entries, Value& repeated) {
  return build_map(arena, entries, &repeated);
}

size_t Value::size() const {
  switch (kind_) {
    case Kind::kString:
      return utf8_length(text());
    case Kind::kBytes:
    case Kind::kList:
      return size_;
    case Kind::kStruct:
      return map_data()->count;
    case Kind::kMap:
      break;
    default:
      return 1;
  }
  const object::Object* object = object_map();
  if (!object) return map_data()->count;
  const DeclType* type = decl_type();
  if (!type || type->kind == DeclKind::kMap) return object->size();
  size_t count = 0;
  const DeclType* member_type = nullptr;
  for (const object::Member& member : *object) count += visible(type, member, member_type) ? 1 : 0;
  return count;
}

Value Value::element(size_t index, Arena& arena) const {
  const object::Array* array = object_array();
  if (!array) return items_[index];
  const DeclType* type = decl_type();
  return of((*array)[index], type ? type->element : nullptr, &arena);
}

bool Value::find_field(std::string_view name, Arena& arena, Value& out) const {
  const object::Object* object = object_map();
  if (!object) return find(of_string(name), arena, out);
  const DeclType* type = decl_type();
  const DeclType* member_type = nullptr;
  if (type && type->kind == DeclKind::kObject) {
    const DeclField* field = type->find(name);
    if (!field || !field->type) return false;
    name = field->name;
    member_type = field->type;
  } else if (type) {
    member_type = type->element;
  }
  const object::Value* member = object->find(name);
  // Compat: a null field of an object with properties is as good as absent; a null value of a map is there.
  if (!member || (member->is_null() && type && type->kind == DeclKind::kObject)) return false;
  out = of(*member, member_type, &arena);
  return true;
}

bool Value::has_field(std::string_view name, Arena& arena) const {
  Value ignored;
  if (kind_ == Kind::kOpaque) return as_opaque()->field(name, arena, ignored);
  return find_field(name, arena, ignored);
}

bool Value::find(const Value& key, Arena& arena, Value& out) const {
  if (kind_ == Kind::kOpaque) return key.is_string() && as_opaque()->field(key.text(), arena, out);
  if (object_map()) return key.is_string() && find_field(key.text(), arena, out);
  const MapEntry* entry = lookup(*map_data(), key);
  if (!entry) return false;
  out = entry->value;
  return true;
}

Value Value::key_at(size_t index, Arena& arena) const {
  const object::Object* object = object_map();
  if (!object) return map_data()->entries[index].key;
  const DeclType* member_type = nullptr;
  const DeclType* type = decl_type();
  const object::Member* member = type && type->kind == DeclKind::kObject
                                     ? visible_member(*object, type, index, member_type)
                                     : object->begin() + index;
  if (type && type->kind == DeclKind::kObject) return of_string(type->find_json(member->key)->escaped);
  (void)arena;
  return of_string(member->key);
}

Value Value::value_at(size_t index, Arena& arena) const {
  const object::Object* object = object_map();
  if (!object) return map_data()->entries[index].value;
  const DeclType* type = decl_type();
  const DeclType* member_type = type ? type->element : nullptr;
  const object::Member* member = type && type->kind == DeclKind::kObject
                                     ? visible_member(*object, type, index, member_type)
                                     : object->begin() + index;
  return of(member->value, member_type, &arena);
}

const Type* runtime_type(const Value& value) {
  static const Type kOptionalType{TypeKind::kOpaque, "optional_type", {}};
  switch (value.kind()) {
    case Kind::kError:
      return simple_type(TypeKind::kError);
    case Kind::kNull:
      return simple_type(TypeKind::kNull);
    case Kind::kBool:
      return simple_type(TypeKind::kBool);
    case Kind::kInt:
      return simple_type(TypeKind::kInt);
    case Kind::kUint:
      return simple_type(TypeKind::kUint);
    case Kind::kDouble:
      return simple_type(TypeKind::kDouble);
    case Kind::kString:
      return simple_type(TypeKind::kString);
    case Kind::kBytes:
      return simple_type(TypeKind::kBytes);
    case Kind::kDuration:
      return simple_type(TypeKind::kDuration);
    case Kind::kTimestamp:
      return simple_type(TypeKind::kTimestamp);
    case Kind::kList:
      return simple_type(TypeKind::kList);
    case Kind::kMap:
      return simple_type(TypeKind::kMap);
    case Kind::kStruct:
      return value.struct_type();
    case Kind::kType:
      return simple_type(TypeKind::kType);
    case Kind::kOptional:
      return &kOptionalType;
    case Kind::kOpaque:
      return value.as_opaque()->type();
  }
  return simple_type(TypeKind::kDyn);
}

size_t utf8_length(std::string_view text) { return codec::utf8_count(text); }

uint64_t actual_size(const Value& value) {
  switch (value.kind()) {
    case Kind::kString:
    case Kind::kBytes:
    case Kind::kList:
    case Kind::kMap:
      return value.size();
    case Kind::kOptional:
      return value.has_value() ? actual_size(value.unwrap()) : 1;
    case Kind::kOpaque:
      return value.as_opaque()->size();
    default:
      return 1;
  }
}

}  // namespace cel
