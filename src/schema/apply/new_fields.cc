#include "schema/apply/new_fields.h"

#include <algorithm>
#include <vector>

#include "codec/utf8.h"
#include "schema/apply/shape.h"
#include "schema/struct_walk.h"
#include "schema/wire_walk.h"

namespace schema {
namespace {

// The sink of a WireWalk or StructWalk that keeps paths and forgets values. Fields of the object and of structs that
// JSON always writes are compared with what they are in an empty object (`when_absent`); all else counts whole.
class NewFieldsSink {
 public:
  NewFieldsSink(Arena& arena, const Message& message) : arena_(arena) {
    next_ = {{}, message_type(message), WhenAbsent::kEmptyObject};
  }

  bool failed() const { return failed_; }
  FieldSet set() const { return root_; }

  void begin_object() { begin(Shape::kMap); }
  void end_object() { end(); }
  void begin_array() { begin(Shape::kList); }
  void end_array() { end(); }

  void key(std::string_view name) {
    if (skipped_ > 0) return;
    Frame& frame = frames_.back();
    const MemberType found = member_type(frame.type, frame.info, name, frame.hint);
    next_ = {Element::field(name), found.type, frame.whole ? WhenAbsent::kNothing : found.when_absent};
  }
  void key_of(const Field& field) {
    if (skipped_ > 0) return;
    const MemberType found = message_member(field);
    next_ = {Element::field(field.json), found.type, frames_.back().whole ? WhenAbsent::kNothing : found.when_absent};
  }
  void key_escaped(std::string_view name) {
    if (!codec::utf8_valid(name)) failed_ = true;
    key(name);
  }

  void string(std::string_view value) {
    if (!is_ascii(value) && !codec::utf8_valid(value)) failed_ = true;
    Scalar scalar;
    scalar.kind = Scalar::Kind::kString;
    scalar.text = value;
    put(scalar, value.empty());
  }
  void integer(int64_t value) {
    Scalar scalar;
    scalar.kind = Scalar::Kind::kInt;
    scalar.integer = value;
    put(scalar, value == 0);
  }
  void boolean(bool value) {
    Scalar scalar;
    scalar.kind = Scalar::Kind::kBool;
    scalar.boolean = value;
    put(scalar, !value);
  }
  void real(double value) {
    Scalar scalar;
    scalar.kind = Scalar::Kind::kDouble;
    scalar.real = value;
    put(scalar, value == 0);
  }
  void null() { put(Scalar(), true); }
  // Values that are no keys: that they are there is all that counts.
  void bytes(std::string_view value) { text(value.empty()); }
  void time(int64_t) { text(false); }
  void micro_time(int64_t, int32_t) { text(false); }
  void duration(int64_t) { text(false); }
  bool raw_json(std::string_view) {
    if (skipped_ > 0) return true;
    const bool leaf =
        next_.when_absent == WhenAbsent::kNothing && !in_list() && type_info(next_.type).map == MapRelation::kAtomic;
    if (!leaf) failed_ = true;
    if (leaf) text(false);
    return true;
  }

 private:
  // The value that comes next.
  struct Next {
    Element element;  // of a member
    TypeRef type;     // null: not declared, and of no account
    WhenAbsent when_absent = WhenAbsent::kNothing;
  };
  // An open object or list.
  struct Frame {
    Element element;
    TypeRef type;
    TypeInfo info;
    Shape shape;
    WhenAbsent when_absent;
    bool whole;   // members count as they are, not beside an empty object
    size_t base;  // its first entry in scratch_
    size_t hint = 0;
    size_t count = 0;  // members or items
    // Of an item of a keyed list: the keys met so far.
    std::span<const std::string_view> list_keys;
    KeyField* keys = nullptr;  // null: this is no such item
    bool atomic = false;       // an item of which the keys count, or a struct of which it counts whether it is empty
    size_t key_count = 0;
  };

  static bool is_ascii(std::string_view text) {
    unsigned char all = 0;
    for (unsigned char c : text) all |= c;
    return all < 0x80;
  }
  bool in_list() const { return !frames_.empty() && frames_.back().shape == Shape::kList; }

  bool is_key(const Element& member) const {
    const auto keys = frames_.empty() ? std::span<const std::string_view>() : frames_.back().list_keys;
    return std::ranges::find(keys, member.field_name()) != keys.end();
  }

  void text(bool empty) {
    Scalar scalar;
    scalar.kind = Scalar::Kind::kString;
    // Such values are no items of sets, and no keys.
    if (skipped_ == 0 && (in_list() || is_key(next_.element))) failed_ = true;
    put(scalar, empty);
  }

  // What a value of nothing is, by the implied value that stands for an absent member.
  static bool implied(WhenAbsent when_absent, Scalar::Kind kind, bool zero) {
    switch (when_absent) {
      case WhenAbsent::kNull:
        return kind == Scalar::Kind::kNull;
      case WhenAbsent::kEmptyString:
        return kind == Scalar::Kind::kString && zero;
      case WhenAbsent::kZero:
        return (kind == Scalar::Kind::kInt || kind == Scalar::Kind::kDouble) && zero;
      case WhenAbsent::kFalse:
        return kind == Scalar::Kind::kBool && zero;
      case WhenAbsent::kNothing:
      case WhenAbsent::kEmptyObject:
        break;
    }
    return false;
  }

  void put(const Scalar& scalar, bool zero) {
    if (skipped_ > 0) return;
    if (frames_.empty()) {
      failed_ = true;
      return;
    }
    Frame& frame = frames_.back();
    ++frame.count;
    if (frame.shape == Shape::kList) {
      if (frame.info.list != ListRelation::kSet || scalar.kind == Scalar::Kind::kNull) failed_ = true;
      scratch_.push_back({Element::of_value(arena_.create(KeyField{{}, scalar})), nullptr, true});
      return;
    }
    if (frame.keys) take_key(frame, scalar);
    if (!next_.type || frame.atomic || implied(next_.when_absent, scalar.kind, zero)) return;
    scratch_.push_back({next_.element, nullptr, true});
  }

  void take_key(Frame& item, const Scalar& scalar) {
    const auto found = std::ranges::find(item.list_keys, next_.element.field_name());
    if (found == item.list_keys.end() || item.key_count == item.list_keys.size()) return;
    item.keys[item.key_count++] = {*found, scalar};
  }

  void begin(Shape shape) {
    if (skipped_ > 0) {
      ++skipped_;
      return;
    }
    if (failed_) {
      skipped_ = 1;
      return;
    }
    Frame* parent = frames_.empty() ? nullptr : &frames_.back();
    if (parent) ++parent->count;
    const bool item = parent && parent->shape == Shape::kList;
    Frame frame;
    frame.element = next_.element;
    frame.type = item ? parent->info.item : next_.type;
    frame.when_absent = item ? WhenAbsent::kNothing : next_.when_absent;
    frame.info = type_info(frame.type);
    frame.shape = shape;
    frame.whole = frame.when_absent != WhenAbsent::kEmptyObject;
    frame.base = scratch_.size();
    if (item && (shape != Shape::kMap || parent->info.list != ListRelation::kKeyed)) failed_ = true;
    const bool granular = shape == Shape::kMap
                              ? frame.info.map == MapRelation::kGranular
                              : frame.info.list == ListRelation::kSet || frame.info.list == ListRelation::kKeyed;
    frame.atomic = shape == Shape::kMap && frame.info.map == MapRelation::kAtomic && (item || !frame.whole);
    if (parent && parent->atomic) return skip(frame, item);
    if ((!granular && !frame.atomic) || failed_ || !frame.type) return skip(frame, item);
    if (item) {
      frame.list_keys = parent->info.list_keys;
      frame.keys = arena_.allocate<KeyField>(parent->info.list_keys.size());
    }
    frames_.push_back(frame);
  }

  // A value that counts as one: nothing below it is looked at.
  void skip(const Frame& frame, bool item) {
    skipped_ = 1;
    if (item || frames_.empty()) {
      failed_ = true;
      return;
    }
    if (!frame.type || frames_.back().atomic) return;
    scratch_.push_back({frame.element, nullptr, true});
  }

  void end() {
    if (skipped_ > 0) {
      --skipped_;
      return;
    }
    const Frame frame = frames_.back();
    frames_.pop_back();
    std::span<SetEntry> entries = std::span(scratch_).subspan(frame.base);
    if (frame.shape == Shape::kList) entries = without_repeats(entries);
    const FieldSet set = make_set_unsorted(arena_, entries);
    scratch_.resize(frame.base);
    if (frames_.empty()) {
      root_ = set;
    } else if (frame.keys) {
      put_item(frame, set);
    } else {
      put_member(frame, set);
    }
  }

  void put_item(const Frame& frame, FieldSet set) {
    KeyField* keys = frame.keys;
    size_t count = frame.key_count;
    for (std::string_view name : frame.list_keys) {
      if (count == frame.list_keys.size()) break;
      const auto has = [&](const KeyField& key) { return key.name == name; };
      if (std::any_of(keys, keys + frame.key_count, has)) continue;
      if (auto fallback = frame.type.model->key_default(frame.type, name)) keys[count++] = {name, *fallback};
    }
    if (count == 0) failed_ = true;
    std::sort(keys, keys + count, [](const KeyField& a, const KeyField& b) { return a.name < b.name; });
    scratch_.push_back({Element::of_key(keys, count), set.node(), true});
  }

  void put_member(const Frame& frame, FieldSet set) {
    bool self = false;
    switch (frame.when_absent) {
      case WhenAbsent::kNothing:
        self = true;
        break;
      case WhenAbsent::kEmptyObject:
        self = frame.atomic && frame.count > 0;
        break;
      default:  // beside a null: an empty object or list is a change, a filled one is what it holds
        self = frame.count == 0;
    }
    if (self || !set.empty()) scratch_.push_back({frame.element, set.node(), self});
  }

  // Compat: of repeated items the path alone counts.
  static std::span<SetEntry> without_repeats(std::span<SetEntry> entries) {
    auto less = [](const SetEntry& a, const SetEntry& b) { return compare(a.element, b.element) < 0; };
    if (!std::ranges::is_sorted(entries, less)) std::ranges::sort(entries, less);
    size_t kept = 0;
    for (size_t i = 0; i < entries.size(); ++i) {
      if (kept > 0 && compare(entries[kept - 1].element, entries[i].element) == 0) {
        entries[kept - 1].child = nullptr;
      } else {
        entries[kept++] = entries[i];
      }
    }
    return entries.first(kept);
  }

  Arena& arena_;
  Next next_;
  std::vector<Frame> frames_;
  std::vector<SetEntry> scratch_;  // entries of the open objects and lists, innermost last
  size_t skipped_ = 0;             // depth inside a value that counts as one
  bool failed_ = false;
  FieldSet root_;
};

}  // namespace

std::optional<FieldSet> new_fields(Arena& arena, const Message& message, std::string_view bytes) {
  NewFieldsSink sink(arena, message);
  internal::WireWalk<NewFieldsSink> walk(sink);
  if (bytes.size() > kMaxMessageBytes || !walk.top(message, bytes, {}, {}) || sink.failed()) return std::nullopt;
  return sink.set();
}

std::optional<FieldSet> new_fields(Arena& arena, const Message& message, const void* object) {
  NewFieldsSink sink(arena, message);
  internal::StructWalk<NewFieldsSink> walk(sink);
  if (!walk.value(message, object, 0) || sink.failed()) return std::nullopt;
  return sink.set();
}

}  // namespace schema
