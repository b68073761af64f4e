// JSON text: whatever is accepted is written and read back the same, in every form; the quick parser and the
// careful one agree.
#include <cstdint>

#include "base/check.h"
#include "object/json.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  std::vector<std::string> duplicates;
  const auto value = object::parse_json(text, {object::Duplicates::kReplace, &duplicates});
  if (!value) {
    CHECK(!value.error().message.empty());
    CHECK(!object::parse_json_carefully(text));
    return 0;
  }
  const auto careful = object::parse_json_carefully(text);
  CHECK(careful && object::to_json(*careful) == object::to_json(*value));
  const std::string written = object::to_json(*value);
  duplicates.clear();
  const auto again = object::parse_json(written, {object::Duplicates::kMerge, &duplicates});
  CHECK(again && *again == *value && duplicates.empty());
  const auto pretty = object::parse_json(object::to_pretty_json(*value, object::KeyOrder::kSorted));
  CHECK(pretty && *pretty == *value);
  return 0;
}
