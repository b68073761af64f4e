// The validation of typed values, and the keys of list items.
#include <algorithm>
#include <set>

#include "codec/json_text.h"
#include "schema/apply/shape.h"
#include "schema/apply/typed.h"
#include "schema/patch/go_text.h"

namespace schema {
namespace {

using base::Reason;
using base::Result;
using object::Value;

std::unexpected<base::Error> failed(std::string message) { return base::fail(Reason::kUnknown, std::move(message)); }

// Compat: how Go prints the wrapper that upstream has around a decoded value.
std::string wrapped(const Value& value) { return "&{" + go_text(value) + "}"; }

// `["name" "port"]`
std::string quoted_list(std::span<const std::string_view> names) {
  std::string out = "[";
  for (std::string_view name : names) {
    if (out.size() > 1) out += ' ';
    codec::append_go_quoted(out, name);
  }
  return out + "]";
}

class Validator {
 public:
  explicit Validator(Repeats repeats) : repeats_(repeats) {}

  void check(const TypeRef& type, const Value& value) {
    const TypeInfo info = type_info(type);
    switch (shape_of(info, &value)) {
      case Shape::kMap:
        return check_map(type, info, value);
      case Shape::kScalar:
        return check_scalar(info.scalar, value);
      case Shape::kList:
        return check_list(info, value);
      case Shape::kInvalid:
        return add("schema error: invalid atom: inlined");
    }
  }

  Result<void> result() const {
    if (errors_.empty()) return {};
    if (errors_.size() == 1) return failed(errors_[0]);
    std::string text = "errors:";
    for (const std::string& error : errors_) text += "\n  " + error;
    return failed(std::move(text));
  }

 private:
  static constexpr size_t kMaxErrors = 1'000;  // upstream has no limit; the message stays of a sane size

  void add(const std::string& message) {
    if (errors_.size() >= kMaxErrors) return;
    std::string path = path_text(path_);
    errors_.push_back(path.empty() ? message : path + ": " + message);
  }

  void check_scalar(ScalarType type, const Value& value) {
    if (value.is_null()) return;
    switch (type) {
      case ScalarType::kNumeric:
        if (!value.is_number()) add("expected numeric (int or float), got " + std::string(go_type(value)));
        break;
      case ScalarType::kString:
        if (!value.is_string()) add("expected string, got &value.valueUnstructured{Value:" + go_syntax(value) + "}");
        break;
      case ScalarType::kBoolean:
        if (!value.is_bool()) add("expected boolean, got " + wrapped(value));
        break;
      default:
        if (value.is_object() || value.is_array()) add("expected any scalar, got " + wrapped(value));
    }
  }

  void check_map(const TypeRef& type, const TypeInfo& info, const Value& value) {
    if (value.is_null()) return;
    const object::Object* object = value.object_if();
    if (!object) return add("expected map, got " + wrapped(value));
    size_t hint = 0;
    for (const auto& [name, member] : *object) {
      const TypeRef inner = member_type(type, info, name, hint).type;
      path_.push_back(Element::field(name));
      if (inner) check(inner, member);
      if (!inner) add("field not declared in schema");
      path_.pop_back();
      if (!inner) return;  // Compat: the first unknown member ends the walk of its object
    }
  }

  void check_list(const TypeInfo& info, const Value& value) {
    if (value.is_null()) return;
    const object::Array* array = value.array_if();
    if (!array) return add("expected list, got " + wrapped(value));
    struct Less {
      bool operator()(const Element& a, const Element& b) const { return compare(a, b) < 0; }
    };
    std::set<Element, Less> seen;
    for (size_t i = 0; i < array->size(); ++i) {
      const Value& item = (*array)[i];
      Element element = Element::of_index(static_cast<int64_t>(i));
      if (info.list != ListRelation::kAtomic) {
        auto keyed = item_element(arena_, info, item);
        if (!keyed) return add("element " + std::to_string(i) + ": " + keyed.error().message);
        element = *keyed;
        if (repeats_ == Repeats::kForbidden && !seen.insert(element).second) {
          std::string text;
          append_path_text(text, element);
          add("duplicate entries for key " + text);
        }
      }
      path_.push_back(element);
      check(info.item, item);
      path_.pop_back();
    }
  }

  Repeats repeats_;
  Arena arena_;
  std::vector<Element> path_;
  std::vector<std::string> errors_;
};

Result<Element> keyed_element(Arena& arena, const TypeInfo& list, const Value& item) {
  if (item.is_null()) return failed("associative list with keys may not have a null element");
  const object::Object* object = item.object_if();
  if (!object) return failed("associative list with keys may not have non-map elements");
  KeyField* fields = arena.allocate<KeyField>(list.list_keys.size());
  size_t count = 0;
  for (std::string_view name : list.list_keys) {
    if (const Value* value = object->find(name)) {
      fields[count++] = {name, to_scalar(arena, *value)};
    } else if (auto fallback = list.item ? list.item.model->key_default(list.item, name) : std::nullopt) {
      fields[count++] = {name, *fallback};
    }
  }
  if (count == 0 && !list.list_keys.empty()) {
    return failed("associative list with keys has an element that omits all key fields " + quoted_list(list.list_keys) +
                  " (and doesn't have default values for any key fields)");
  }
  auto by_name = [](const KeyField& a, const KeyField& b) { return a.name < b.name; };
  if (!std::is_sorted(fields, fields + count, by_name)) std::sort(fields, fields + count, by_name);
  return Element::of_key(fields, count);
}

}  // namespace

Result<Element> item_element(Arena& arena, const TypeInfo& list, const Value& item) {
  if (list.list == ListRelation::kKeyed) return keyed_element(arena, list, item);
  if (item.is_object()) return failed("associative list without keys has an element that's a map type");
  if (item.is_array()) return failed("not supported: associative list with lists as elements");
  if (item.is_null()) return failed("associative list without keys has an element that's an explicit null");
  return Element::of_value(arena.create(KeyField{{}, to_scalar(arena, item)}));
}

Result<void> validate(const TypeRef& type, const Value& value, Repeats repeats) {
  Validator validator(repeats);
  validator.check(type, value);
  return validator.result();
}

}  // namespace schema
