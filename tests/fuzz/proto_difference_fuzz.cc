// Two encodings of a Pod, whatever the bytes: what differs is found, or they are refused. What is found is what the
// comparison of the whole trees finds.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "gen/catalogue.h"
#include "schema/apply/new_fields.h"
#include "schema/apply/typed.h"
#include "schema/fieldpath/fields_v1.h"
#include "schema/proto_difference.h"
#include "schema/proto_value.h"

namespace {

std::string changes_text(const object::Value& before, const object::Value& after, const schema::Message& message) {
  schema::Arena arena;
  auto changes = schema::compare(arena, schema::message_type(message), before, after);
  if (!changes) return "";
  std::string text;
  for (const schema::FieldSet set : {changes->added, changes->modified, changes->removed}) {
    schema::append_fields_v1(text, set);
  }
  return text;
}

void forget_managed_fields(object::Value& tree) {
  object::Value* metadata = tree.find("metadata");
  if (object::Object* members = metadata ? metadata->object_if() : nullptr) members->erase("managedFields");
}

}  // namespace

// The input: the size of the first encoding in two bytes, then both.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const schema::Message* type = gen::find_message("core.v1", "Pod");
  if (size < 2) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data) + 2, size - 2);
  const size_t first = std::min<size_t>(data[0] * 256u + data[1], input.size());
  const std::string_view before = input.substr(0, first);
  const std::string_view after = input.substr(first);
  schema::Arena arena;
  (void)schema::new_fields(arena, *type, before);
  auto difference = schema::decode_difference(*type, before, after);
  auto whole_before = schema::decode_value(*type, before);
  auto whole_after = schema::decode_value(*type, after);
  if (!difference || !whole_before || !whole_after) return 0;
  forget_managed_fields(*whole_before);
  forget_managed_fields(*whole_after);
  const std::string whole = changes_text(*whole_before, *whole_after, *type);
  if (!whole.empty() && changes_text(difference->before, difference->after, *type) != whole) abort();
  return 0;
}
