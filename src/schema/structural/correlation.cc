#include "schema/structural/correlation.h"

#include "object/json.h"

namespace schema::structural {
namespace {

using object::Value;

// The key of a map item as text; nothing when a part is missing or no scalar.
std::optional<std::string> key_of(const Compiled& schema, const Node& node, const Value& item) {
  if (!item.is_object()) return std::nullopt;
  std::string out;
  for (const std::string_view name : schema.list_keys(node)) {
    const Value* part = item.find(name);
    if (!part || part->is_null() || part->is_array() || part->is_object()) return std::nullopt;
    object::append_json(out, *part);
    out += '\0';
  }
  return out;
}

}  // namespace

std::optional<Correlation> Correlation::member(std::string_view name, const Value& value) const {
  if (!value_->is_object()) return std::nullopt;
  const Value* old = old_->find(name);
  if (!old) return std::nullopt;
  const Node* below = schema_->property(*node_, name);
  if (!below) below = schema_->node(node_->additional);
  if (!below) return std::nullopt;
  return Correlation(*schema_, *below, value, *old);
}

const Value* Correlation::old_item(const Value& value) const {
  const object::Array* items = old_->array_if();
  if (!items || node_->list_kind != ListKind::kMap || node_->type != Type::kArray || node_->list_keys.count == 0) {
    return nullptr;
  }
  if (!indexed_) {
    indexed_ = true;
    for (const Value& item : *items) {
      if (auto key = key_of(*schema_, *node_, item)) old_items_.try_emplace(*std::move(key), &item);
    }
  }
  const auto key = key_of(*schema_, *node_, value);
  if (!key) return nullptr;
  const auto found = old_items_.find(*key);
  return found == old_items_.end() ? nullptr : found->second;
}

std::optional<Correlation> Correlation::item(const Value& value) const {
  const Node* below = schema_->node(node_->items);
  const Value* old = below ? old_item(value) : nullptr;
  if (!old) return std::nullopt;
  return Correlation(*schema_, *below, value, *old);
}

bool Correlation::equal() const {
  const object::Array* items = value_->array_if();
  const object::Array* old_items = old_->array_if();
  const object::Object* members = value_->object_if();
  const object::Object* old_members = old_->object_if();
  if (items && old_items) {
    if (items->size() != old_items->size()) return false;
    if (node_->list_kind != ListKind::kMap) return *value_ == *old_;
    for (const Value& item : *items) {
      const auto below = this->item(item);
      if (!below || !below->equal()) return false;
    }
    return true;
  }
  if (members && old_members) {
    if (members->size() != old_members->size()) return false;
    for (const object::Member& member : *members) {
      const auto below = this->member(member.key, member.value);
      if (!below || !below->equal()) return false;
    }
    return true;
  }
  return *value_ == *old_;
}

}  // namespace schema::structural
