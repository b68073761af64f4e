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
  auto number_at = [&](uint16_t i) { return message.fields[i].number; };
  auto found = std::ranges::lower_bound(message.by_number, number, {}, number_at);
  return found != message.by_number.end() && number_at(*found) == number ? &message.fields[*found] : nullptr;
}

}  // namespace schema
