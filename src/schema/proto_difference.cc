#include "schema/proto_difference.h"

#include <algorithm>
#include <bit>
#include <vector>

#include "schema/value_sink.h"
#include "schema/wire_walk.h"

namespace schema {
namespace {

using internal::Slot;
using internal::ValueSink;
using internal::wire_type;
using Walk = internal::WireWalk<ValueSink>;
using KeyNames = std::span<const std::string_view>;

// One of the two messages: its tree and the walk that writes it.
struct Side {
  explicit Side(object::Value& root) : sink(root), walk(sink) {}
  ValueSink sink;
  Walk walk;
};

bool is_number(const Field& field) {
  return field.card == Card::kSingular && wire_type(field) != codec::WireType::kBytes;
}

bool same(const Field& field, const Slot& a, const Slot& b) {
  if (a.present() != b.present()) return false;
  if (!a.present() || is_number(field)) return a.value == b.value;
  return a.bytes() == b.bytes();
}

bool plain_message(const Field& field) {
  return field.type == Type::kMessage && field.message->special == Special::kNone && !field.message->alias;
}

// The members that tell the items of a list apart; none when it is not keyed. As message_type has it (apply/type.cc).
KeyNames list_keys(const Field& field) {
  if (field.card != Card::kRepeated || !plain_message(field)) return {};
  if (field.list_type == ListType::kMap) return field.list_keys;
  const bool merges = field.list_type == ListType::kUnset && (field.patch & kPatchMerge) && !field.patch_key.empty();
  return merges ? KeyNames(&field.patch_key, 1) : KeyNames();
}

class DifferenceWalk {
 public:
  explicit DifferenceWalk(Difference& difference) : before_(difference.before), after_(difference.after) {}

  // The members of `always` are written even when they are the same.
  bool message(const Message& message, std::string_view before, std::string_view after, KeyNames always, int depth) {
    if (depth >= kMaxDepth) return false;
    Fields old_fields;
    Fields new_fields;
    if (!old_fields.read(before_, message, before) || !new_fields.read(after_, message, after)) return false;
    before_.sink.begin_object();
    after_.sink.begin_object();
    if (!members(message, old_fields, new_fields, always, depth)) return false;
    before_.sink.end_object();
    after_.sink.end_object();
    return true;
  }

 private:
  struct Fields {
    Slot slots[Walk::kMaxFields];
    uint64_t present;
    bool read(Side& side, const Message& message, std::string_view bytes) {
      return side.walk.index(message, bytes, slots, present);
    }
  };

  bool members(const Message& message, const Fields& old_fields, const Fields& new_fields, KeyNames always, int depth) {
    const Slot* before = old_fields.slots;
    const Slot* after = new_fields.slots;
    const uint64_t kept = always.empty() ? 0 : message.shown_absent;
    for (uint64_t left = old_fields.present | new_fields.present | kept; left != 0; left &= left - 1) {
      const auto i = static_cast<size_t>(std::countr_zero(left));
      const Field& field = message.fields[i];
      const bool keep = !always.empty() && std::ranges::find(always, field.json) != always.end();
      if (!keep && same(field, before[i], after[i])) continue;
      if (field.inlined) {
        if (!inlined(field, before[i], after[i], depth)) return false;
      } else if (!field.json.empty() && !(depth == 1 && field.json == "managedFields")) {
        if (!member(field, before[i], after[i], depth)) return false;
      }
    }
    return true;
  }

  bool inlined(const Field& field, const Slot& before, const Slot& after, int depth) {
    Fields old_fields;
    Fields new_fields;
    return depth + 1 < kMaxDepth && old_fields.read(before_, *field.message, before.bytes()) &&
           new_fields.read(after_, *field.message, after.bytes()) &&
           members(*field.message, old_fields, new_fields, {}, depth + 1);
  }

  bool member(const Field& field, const Slot& before, const Slot& after, int depth) {
    const bool in_before = !Walk::omitted(field, before);
    const bool in_after = !Walk::omitted(field, after);
    if (in_before) before_.sink.key(field.json);
    if (in_after) after_.sink.key(field.json);
    if (in_before && in_after && before.present() && after.present()) {
      if (field.card == Card::kSingular && plain_message(field)) {
        return message(*field.message, before.bytes(), after.bytes(), {}, depth + 1);
      }
      if (const KeyNames keys = list_keys(field); !keys.empty()) return list(field, keys, before, after, depth);
    }
    return (!in_before || before_.walk.member(field, before, depth)) &&
           (!in_after || after_.walk.member(field, after, depth));
  }

  // The payloads of a list's items.
  using Items = std::vector<std::string_view>;
  static bool items_of(Side& side, const Field& field, const Slot& slot, Items& items) {
    return side.walk.each(field, slot, [&](std::string_view payload) {
      items.push_back(payload);
      return true;
    });
  }

  // The values of an item's keys, run together; "" when one is not there.
  bool key_of(const Message& message, KeyNames keys, std::string_view item, std::string& key) {
    Slot slots[Walk::kMaxFields];
    if (!before_.walk.index(message, item, slots)) return false;
    key.clear();
    for (std::string_view name : keys) {
      const auto field = std::ranges::find(message.fields, name, &Field::json);
      // A key of an inlined message counts as missing.
      if (field == message.fields.end() || !slots[field - message.fields.begin()].present()) {
        key.clear();
        return true;
      }
      const Slot* slot = &slots[field - message.fields.begin()];
      key += is_number(*field) ? std::to_string(slot->value) : std::string(slot->bytes());
      key += '\0';
    }
    return true;
  }

  // False when a key repeats or is missing: to tell such items apart, they are looked at as a whole.
  bool keys_of(const Message& message, KeyNames names, const Items& items, std::vector<std::string>& keys) {
    keys.resize(items.size());
    for (size_t i = 0; i < items.size(); ++i) {
      if (!key_of(message, names, items[i], keys[i]) || keys[i].empty()) return false;
    }
    if (keys.size() < 2) return true;
    std::vector<std::string_view> sorted(keys.begin(), keys.end());
    std::ranges::sort(sorted);
    return std::ranges::adjacent_find(sorted) == sorted.end();
  }

  bool list(const Field& field, KeyNames names, const Slot& before, const Slot& after, int depth) {
    Items old_items;
    Items new_items;
    if (!items_of(before_, field, before, old_items) || !items_of(after_, field, after, new_items)) return false;
    std::vector<std::string> old_keys;
    std::vector<std::string> new_keys;
    const bool told_apart =
        keys_of(*field.message, names, old_items, old_keys) && keys_of(*field.message, names, new_items, new_keys);
    before_.sink.begin_array();
    after_.sink.begin_array();
    const size_t paired = told_apart ? std::min(old_items.size(), new_items.size()) : 0;
    for (size_t i = 0; i < std::max(old_items.size(), new_items.size()); ++i) {
      if (i < paired && old_keys[i] == new_keys[i]) {
        if (!message(*field.message, old_items[i], new_items[i], names, depth + 1)) return false;
        continue;
      }
      if (i < old_items.size() && !before_.walk.value(*field.message, old_items[i], depth + 1)) return false;
      if (i < new_items.size() && !after_.walk.value(*field.message, new_items[i], depth + 1)) return false;
    }
    before_.sink.end_array();
    after_.sink.end_array();
    return true;
  }

  Side before_;
  Side after_;
};

}  // namespace

base::Result<Difference> decode_difference(const Message& message, std::string_view before, std::string_view after) {
  Difference difference;
  DifferenceWalk walk(difference);
  if (before.size() > kMaxMessageBytes || after.size() > kMaxMessageBytes ||
      !walk.message(message, before, after, {}, 0)) {
    return internal::malformed(message, base::Reason::kBadRequest);
  }
  // A metadata that one side does not have was written whole.
  for (object::Value* tree : {&difference.before, &difference.after}) {
    object::Value* metadata = tree->find("metadata");
    if (object::Object* object = metadata ? metadata->object_if() : nullptr) object->erase("managedFields");
  }
  return difference;
}

}  // namespace schema
