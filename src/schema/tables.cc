#include "schema/tables.h"

#include <algorithm>

namespace schema {

const Field* find_json_field(const Message& message, std::string_view json_name) {
  for (const Field& field : message.fields) {
    if (field.inlined) {
      if (const Field* inner = find_json_field(*field.message, json_name)) return inner;
    } else if (field.json == json_name && !json_name.empty()) {
      return &field;
    }
  }
  return nullptr;
}

const Field* find_number(const Message& message, uint32_t number) {
  const auto found = std::ranges::lower_bound(message.by_number, number, {}, &FieldStep::number);
  return found != message.by_number.end() && found->number == number ? &message.fields[found->field] : nullptr;
}

FieldStep step_of(const Field& field, size_t index) {
  return {field.number,   field.offset, static_cast<uint16_t>(index), field.type, field.card,
          field.presence, field.inlined};
}

uint64_t shown_absent_of(std::span<const Field> fields) {
  uint64_t bits = 0;
  for (size_t i = 0; i < fields.size(); ++i) {
    const Field& field = fields[i];
    const bool shown = field.inlined || (field.omit == JsonOmit::kNever && !field.json.empty());
    bits |= uint64_t{shown} << i;
  }
  return bits;
}

}  // namespace schema
