// A JSON patch and a merge patch of any bytes on any document: an error or a document, never a crash or a deep tree.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "object/json.h"
#include "schema/patch/json_patch.h"
#include "schema/patch/merge_patch.h"

// The input: a document, a newline, a patch.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const size_t newline = input.find('\n');
  if (newline == std::string_view::npos) return 0;
  auto document = object::parse_json(input.substr(0, newline));
  auto patch = object::parse_json(input.substr(newline + 1));
  if (!document || !patch) return 0;
  if (auto decoded = schema::decode_json_patch(*patch)) {
    if (auto patched = schema::apply_json_patch(*document, *decoded)) object::to_json(*patched);
  }
  if (auto merged = schema::apply_merge_patch(*document, *patch)) object::to_json(*merged);
  return 0;
}
