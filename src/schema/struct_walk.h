// Internal: walks a generated struct in JSON order and tells a sink what JSON holds, as WireWalk (wire_walk.h, which
// says what a sink is) does with its encoding: for code that has the struct and would encode it for that alone. Types
// that few objects have are left out: the walk then says so, and the encoding serves.
#pragma once

#include <bit>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "object/types.h"
#include "schema/field_cursor.h"
#include "schema/limits.h"

namespace schema::internal {

template <typename T>
const T& member_as(const void* member) {
  return *static_cast<const T*>(member);
}
inline const void* member_of(const void* object, const FieldStep& step) {
  return static_cast<const char*>(object) + step.offset;
}
inline const void* member_of(const void* object, const Field& field) {
  return static_cast<const char*>(object) + field.offset;
}

// Does JSON leave nothing else in the place of this member than of one that is absent? Scalars that are zero count as
// absent: JSON leaves them out (JsonOmit::kLen0, kZero), or shows them always.
inline bool is_absent(const Message& message, const FieldStep& step, const void* member) {
  if (step.card == Card::kMap) {
    if (step.type != Type::kMessage) return member_as<std::map<std::string, std::string>>(member).empty();
    bool empty = true;
    message.fields[step.field].map_ops->each(
        member, &empty, [](void* seen, std::string_view, const void*) { *static_cast<bool*>(seen) = false; });
    return empty;
  }
  const bool repeated = step.card == Card::kRepeated;
  switch (step.type) {
    case Type::kBool:
      if (repeated) return member_as<std::vector<bool>>(member).empty();
      return step.presence ? !member_as<std::optional<bool>>(member) : !member_as<bool>(member);
    case Type::kInt32:
      if (repeated) return member_as<std::vector<int32_t>>(member).empty();
      return step.presence ? !member_as<std::optional<int32_t>>(member) : member_as<int32_t>(member) == 0;
    case Type::kInt64:
      if (repeated) return member_as<std::vector<int64_t>>(member).empty();
      return step.presence ? !member_as<std::optional<int64_t>>(member) : member_as<int64_t>(member) == 0;
    case Type::kDouble:
      if (repeated) return false;
      return step.presence ? !member_as<std::optional<double>>(member) : member_as<double>(member) == 0;
    case Type::kString:
    case Type::kBytes:
      if (repeated) return member_as<std::vector<std::string>>(member).empty();
      return step.presence ? !member_as<std::optional<std::string>>(member) : member_as<std::string>(member).empty();
    case Type::kMessage:
      break;
  }
  const Field& field = message.fields[step.field];
  if (repeated) return field.vector_ops->size(member) == 0;
  return step.presence && !field.message->ops->box_get(member);
}

template <typename Sink>
class StructWalk {
 public:
  explicit StructWalk(Sink& sink) : sink_(sink) {}

  // The struct of `message`. False: it holds what this walk does not know.
  bool value(const Message& message, const void* object, int depth) {
    if (depth >= kMaxDepth || !message.ops) return false;
    if (message.special != Special::kNone) return special(message, object);
    if (message.alias) return false;
    sink_.begin_object();
    if (!members(message, object, depth)) return false;
    sink_.end_object();
    return true;
  }

  // One member, which JSON shows.
  bool member(const Field& field, const void* member, int depth) {
    if (field.card == Card::kRepeated) return array(field, member, depth);
    if (field.card == Card::kMap) return map(field, member, depth);
    switch (field.type) {
      case Type::kMessage: {
        const void* nested = field.presence ? field.message->ops->box_get(member) : member;
        if (nested) return value(*field.message, nested, depth + 1);
        sink_.null();
        return true;
      }
      case Type::kBool:
        return scalar<bool>(field, member, [&](bool value) { sink_.boolean(value); });
      case Type::kInt32:
        return scalar<int32_t>(field, member, [&](int32_t value) { sink_.integer(value); });
      case Type::kInt64:
        return scalar<int64_t>(field, member, [&](int64_t value) { sink_.integer(value); });
      case Type::kDouble:
        return scalar<double>(field, member, [&](double value) { sink_.real(value); });
      case Type::kString:
        return scalar<std::string>(field, member, [&](const std::string& value) { sink_.string(value); });
      case Type::kBytes:
        return scalar<std::string>(field, member, [&](const std::string& value) { sink_.bytes(value); });
    }
    return false;
  }

  // Does JSON leave the member out?
  static bool omitted(const Field& field, const void* member, bool absent) {
    if (field.omit == JsonOmit::kNever) return false;
    if (absent) return true;
    if (field.card != Card::kSingular) return false;
    if (field.type == Type::kBytes && field.presence && field.omit == JsonOmit::kLen0)
      return member_as<std::optional<std::string>>(member)->empty();
    if (field.presence || field.type != Type::kMessage) return false;
    if (field.message->special == Special::kTime) return member_as<object::Time>(member).zero();
    return field.message->special == Special::kMicroTime && member_as<object::MicroTime>(member).zero();
  }

 private:
  bool members(const Message& message, const void* object, int depth) {
    uint64_t present = 0;
    for (const FieldStep& step : message.by_number) {
      if (!is_absent(message, step, member_of(object, step))) present |= uint64_t{1} << step.field;
    }
    for (uint64_t left = present | message.shown_absent; left != 0; left &= left - 1) {
      const auto i = static_cast<size_t>(std::countr_zero(left));
      const Field& field = message.fields[i];
      const void* at = member_of(object, field);
      if (field.number == 0) return false;
      if (field.inlined) {
        if (field.presence || depth + 1 >= kMaxDepth || !members(*field.message, at, depth + 1)) return false;
      } else if (!field.json.empty() && !omitted(field, at, !(present >> i & 1))) {
        if constexpr (requires { sink_.key_of(field); }) {
          sink_.key_of(field);
        } else {
          sink_.key(field.json);
        }
        if (!member(field, at, depth)) return false;
      }
    }
    return true;
  }

  template <typename T, typename Tell>
  bool scalar(const Field& field, const void* member, Tell tell) {
    if (!field.presence) {
      tell(member_as<T>(member));
    } else if (const auto& value = member_as<std::optional<T>>(member)) {
      tell(*value);
    } else {
      sink_.null();
    }
    return true;
  }

  bool array(const Field& field, const void* member, int depth) {
    if (field.type == Type::kString)
      return scalars<std::string>(member, [&](const auto& value) { sink_.string(value); });
    if (field.type == Type::kInt32) return scalars<int32_t>(member, [&](int32_t value) { sink_.integer(value); });
    if (field.type == Type::kInt64) return scalars<int64_t>(member, [&](int64_t value) { sink_.integer(value); });
    if (field.type != Type::kMessage) return false;
    const size_t size = field.vector_ops->size(member);
    if (size == 0) {
      sink_.null();
      return true;
    }
    sink_.begin_array();
    for (size_t i = 0; i < size; ++i) {
      if (!value(*field.message, field.vector_ops->at(member, i), depth + 1)) return false;
    }
    sink_.end_array();
    return true;
  }

  template <typename T, typename Tell>
  bool scalars(const void* member, Tell tell) {
    const auto& values = member_as<std::vector<T>>(member);
    if (values.empty()) {
      sink_.null();
      return true;
    }
    sink_.begin_array();
    for (const T& value : values) tell(value);
    sink_.end_array();
    return true;
  }

  bool map(const Field& field, const void* member, int depth) {
    if (field.type != Type::kMessage) return texts(field, member_as<std::map<std::string, std::string>>(member));
    struct Visit {
      StructWalk& walk;
      const Field& field;
      int depth;
      size_t count = 0;
      bool good = true;
    } visit{*this, field, depth};
    field.map_ops->each(member, &visit, [](void* untyped, std::string_view key, const void* nested) {
      Visit& at = *static_cast<Visit*>(untyped);
      if (at.count++ == 0) at.walk.sink_.begin_object();
      at.walk.sink_.key_escaped(key);
      at.good = at.good && at.walk.value(*at.field.message, nested, at.depth + 1);
    });
    visit.count > 0 ? sink_.end_object() : sink_.null();
    return visit.good;
  }

  bool texts(const Field& field, const std::map<std::string, std::string>& values) {
    if (values.empty()) {
      sink_.null();
      return true;
    }
    sink_.begin_object();
    for (const auto& [key, value] : values) {
      sink_.key_escaped(key);
      field.type == Type::kBytes ? sink_.bytes(value) : sink_.string(value);
    }
    sink_.end_object();
    return true;
  }

  bool special(const Message& message, const void* object) {
    switch (message.special) {
      case Special::kTime: {
        const auto& time = member_as<object::Time>(object);
        time.seconds == object::kZeroTimeSeconds ? sink_.null() : sink_.time(time.seconds);
        return true;
      }
      case Special::kMicroTime: {
        const auto& time = member_as<object::MicroTime>(object);
        const int32_t nanos = time.nanos / 1000 * 1000;
        const bool zero = time.seconds == object::kZeroTimeSeconds && nanos == 0;
        zero ? sink_.null() : sink_.micro_time(time.seconds, nanos);
        return true;
      }
      case Special::kQuantity: {
        const std::string& text = member_as<object::Quantity>(object).string;
        sink_.string(text.empty() ? std::string_view("0") : std::string_view(text));
        return true;
      }
      case Special::kIntOrString: {
        const auto& value = member_as<object::IntOrString>(object);
        value.type == 0 ? sink_.integer(value.int_val) : sink_.string(value.str_val);
        return value.type == 0 || value.type == 1;
      }
      case Special::kFieldsV1:
        return raw(member_as<object::FieldsV1>(object).raw);
      case Special::kRawExtension:
        return raw(member_as<object::RawExtension>(object).raw);
      default:
        return false;
    }
  }

  bool raw(const std::optional<std::string>& json) {
    if (json && !json->empty()) return sink_.raw_json(*json);
    sink_.null();
    return true;
  }

  Sink& sink_;
};

}  // namespace schema::internal
