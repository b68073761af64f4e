// YAML text: whatever is accepted is written and read back the same; documents are views into their stream.
#include <cstdint>

#include "base/check.h"
#include "object/yaml.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (std::string_view document : object::split_yaml_documents(text)) {
    CHECK(document.data() >= text.data() && document.data() + document.size() <= text.data() + text.size());
  }
  std::vector<std::string> duplicates;
  const auto value = object::parse_yaml(text, {&duplicates});
  if (!value) {
    CHECK(!value.error().message.empty());
    return 0;
  }
  const std::string written = object::to_yaml(*value);
  const auto again = object::parse_yaml(written);
  CHECK(again && *again == *value);
  CHECK(object::to_yaml(*again) == written);
  return 0;
}
