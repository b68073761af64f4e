// A strategic merge patch of any JSON on any document, as a Pod: an error or a document, never a crash.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "gen/catalogue.h"
#include "object/json.h"
#include "schema/patch/strategic_merge.h"

// The input: a document, a newline, a patch.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const schema::Message* type = gen::find_message("core.v1", "Pod");
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const size_t newline = input.find('\n');
  if (newline == std::string_view::npos) return 0;
  auto document = object::parse_json(input.substr(0, newline));
  auto patch = object::parse_json(input.substr(newline + 1));
  if (!document || !patch) return 0;
  if (auto patched = schema::apply_strategic_merge_patch(*document, *patch, *type)) object::to_json(*patched);
  return 0;
}
