// A field set of any bytes: an error, or a set that reads back from what it writes, and whose operations agree.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "schema/fieldpath/fields_v1.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  schema::Arena arena;
  auto set = schema::parse_fields_v1(arena, input);
  if (!set) return 0;
  std::string text;
  schema::append_fields_v1(text, *set);
  auto again = schema::parse_fields_v1(arena, text);
  if (!again || !schema::equal(*again, *set)) __builtin_trap();
  const schema::FieldSet leaves = schema::leaves(arena, *set);
  const schema::FieldSet rest = schema::subtract(arena, *set, leaves);
  if (!schema::equal(schema::unite(arena, rest, leaves), *set)) __builtin_trap();
  if (!schema::intersect(arena, rest, leaves).empty()) __builtin_trap();
  return 0;
}
