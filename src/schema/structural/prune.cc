// Pruning of unknown members and of nulls, and defaulting.
#include <algorithm>

#include "schema/structural/compiled.h"

namespace schema {
namespace structural {
namespace {

using object::Array;
using object::Object;
using object::Value;

bool is_meta_field(std::string_view name) { return name == "apiVersion" || name == "kind" || name == "metadata"; }

// The way down to a value, as links on the stack.
struct Step {
  const Step* parent = nullptr;
  std::string_view key;
  size_t index = 0;

  void append_to(std::string& out) const {
    if (parent) parent->append_to(out);
    if (key.data() == nullptr) {
      if (parent) out.append(1, '[').append(std::to_string(index)).append(1, ']');
      return;
    }
    if (parent && (parent->parent || parent->key.data())) out += '.';
    out += key;
  }
  bool is_root() const { return parent == nullptr; }
};

class Pruner {
 public:
  Pruner(const Compiled& schema, std::vector<std::string>* dropped) : schema_(schema), dropped_(dropped) {}

  void prune(Value& value, const Node* node, bool embedded, const Step& at) {
    if (node && node->is(kPreserve)) {
      skip(value, *node, embedded, at);
      return;
    }
    if (Object* members = value.object_if()) {
      prune_object(*members, node, embedded, at);
    } else if (Array* items = value.array_if()) {
      const Node* below = node ? schema_.node(node->items) : nullptr;
      for (size_t i = 0; i < items->size(); ++i) prune((*items)[i], below, is_embedded(below), {&at, {}, i});
    }
  }

 private:
  static bool is_embedded(const Node* node) { return node && node->is(kEmbedded); }

  void record(const Step& at, std::string_view key) {
    if (!dropped_) return;
    std::string path;
    Step{&at, key, 0}.append_to(path);
    dropped_->push_back(std::move(path));
  }

  // True when the member stays.
  bool prune_member(object::Member& member, const Node* node, bool embedded, const Step& at, size_t& hint) {
    if (!node) {
      record(at, member.key);
      return false;
    }
    if (embedded && is_meta_field(member.key)) return true;
    const Step step{&at, member.key, 0};
    if (const Node* below = schema_.property(*node, member.key, hint)) {
      if (member.value.is_object() || member.value.is_array()) prune(member.value, below, is_embedded(below), step);
      return true;
    }
    if (node->is(kHasAdditional)) {
      const Node* below = schema_.node(node->additional);
      prune(member.value, below, is_embedded(below), step);
      return true;
    }
    if (!is_meta_field(member.key) || !at.is_root()) record(at, member.key);
    return false;
  }

  void prune_object(Object& members, const Node* node, bool embedded, const Step& at) {
    size_t kept = 0, hint = 0;
    std::vector<bool> keep;
    for (object::Member& member : members) {
      const bool stays = prune_member(member, node, embedded, at, hint);
      if (!stays && keep.empty()) keep.assign(members.size(), true);
      if (!stays) keep[static_cast<size_t>(&member - members.begin())] = false;
      kept += stays ? 1 : 0;
    }
    if (kept == members.size()) return;
    Object rest;
    rest.reserve(kept);
    for (size_t i = 0; i < keep.size(); ++i) {
      object::Member& member = members.begin()[i];
      if (keep[i]) rest.append(std::move(member.key), std::move(member.value));
    }
    members = std::move(rest);
  }

  // Below x-kubernetes-preserve-unknown-fields: nothing goes, until a part with a schema of its own.
  void skip(Value& value, const Node& node, bool embedded, const Step& at) {
    if (Object* members = value.object_if()) {
      for (object::Member& member : *members) {
        if (embedded && is_meta_field(member.key)) continue;
        const Step step{&at, member.key, 0};
        if (const Node* below = schema_.property(node, member.key)) {
          prune(member.value, below, is_embedded(below), step);
        } else if (node.is(kHasAdditional)) {
          const Node* additional = schema_.node(node.additional);
          prune(member.value, additional, is_embedded(additional), step);
        }
      }
    } else if (Array* items = value.array_if()) {
      const Node* below = schema_.node(node.items);
      if (!below) return;
      for (size_t i = 0; i < items->size(); ++i) skip((*items)[i], *below, is_embedded(below), {&at, {}, i});
    }
  }

  const Compiled& schema_;
  std::vector<std::string>* dropped_;
};

const Node* node_of_member(const Compiled& schema, const Node& node, std::string_view name) {
  if (const Node* found = schema.property(node, name)) return found;
  return schema.node(node.additional);
}

void prune_nulls_below(const Compiled& schema, const Node* node, Value& value) {
  if (!node) return;
  if (Object* members = value.object_if()) {
    const auto goes = [&](const object::Member& member) {
      if (!member.value.is_null()) return false;
      const Node* below = node_of_member(schema, *node, member.key);
      return below && !below->is(kNullable) && below->default_value == 0;
    };
    if (std::ranges::any_of(*members, goes)) {
      Object rest;
      rest.reserve(members->size());
      for (object::Member& member : *members) {
        if (!goes(member)) rest.append(std::move(member.key), std::move(member.value));
      }
      *members = std::move(rest);
    }
    size_t hint = 0;
    for (object::Member& member : *members) {
      if (!member.value.is_object() && !member.value.is_array()) continue;
      const Node* below = schema.property(*node, member.key, hint);
      prune_nulls_below(schema, below ? below : schema.node(node->additional), member.value);
    }
  } else if (Array* items = value.array_if()) {
    for (Value& item : *items) prune_nulls_below(schema, schema.node(node->items), item);
  }
}

void put_default(const Compiled& schema, const Node& node, Value& value) {
  const Value* given = schema.default_of(node);
  value = given ? *given : Value();
}

void default_below(const Compiled& schema, const Node* node, Value& value) {
  if (!node || !node->is(kDefaultsBelow)) return;
  if (Object* members = value.object_if()) {
    for (const Property& property : schema.properties_of(*node)) {
      const Node& below = schema.nodes[property.node];
      if (below.default_value == 0) continue;
      Value* member = members->find(property.name);
      if (!member) {
        members->append(std::string(property.name), *schema.default_of(below));
      } else if (member->is_null() && !below.is(kNullable)) {
        put_default(schema, below, *member);
      }
    }
    const Node* additional = schema.node(node->additional);
    size_t hint = 0;
    for (object::Member& member : *members) {
      const Node* below = schema.property(*node, member.key, hint);
      if (!below) {
        below = additional;
        if (below && member.value.is_null() && !below->is(kNullable)) put_default(schema, *below, member.value);
      }
      default_below(schema, below, member.value);
    }
  } else if (Array* items = value.array_if()) {
    const Node* below = schema.node(node->items);
    if (!below) return;
    for (Value& item : *items) {
      if (item.is_null() && !below->is(kNullable)) put_default(schema, *below, item);
      default_below(schema, below, item);
    }
  }
}

}  // namespace
}  // namespace structural

void prune(SchemaNode node, object::Value& value, Place place, std::vector<std::string>* dropped) {
  using structural::kEmbedded;
  static const structural::Compiled kNothing;
  const structural::Node bare;
  const bool resource = place == Place::kResource;
  // Compat: a resource without a schema is one with an empty schema; a part without one loses all its members.
  const structural::Node* start = node.node() ? node.node() : resource ? &bare : nullptr;
  structural::Pruner pruner(node.compiled() ? *node.compiled() : kNothing, dropped);
  pruner.prune(value, start, resource || (start && start->is(kEmbedded)), {});
  if (dropped) std::ranges::sort(*dropped);
}

void prune_nulls(SchemaNode node, object::Value& value) {
  if (node) structural::prune_nulls_below(*node.compiled(), node.node(), value);
}

void set_defaults(SchemaNode node, object::Value& value) {
  if (node) structural::default_below(*node.compiled(), node.node(), value);
}

}  // namespace schema
