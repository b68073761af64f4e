// jsonpatch.escapeKey. The type JSONPatch is a declared object type: see json_patch_types().
#include "cel/libraries/json_patch.h"

#include "cel/libraries/libraries.h"

namespace cel {

namespace {

Value escape_key(CallContext& context, std::span<const Value> args) {
  std::string out;
  for (const char c : args[0].text()) {
    if (c == '/') {
      out += "~1";
    } else if (c == '~') {
      out += "~0";
    } else {
      out += c;
    }
  }
  return context.string(out);
}

constexpr Declaration kJsonPatch[] = {
    {"string_jsonpatch_escapeKey_string", ":jsonpatch.escapeKey(string): string", escape_key},
};

}  // namespace

std::span<const Declaration> json_patch_declarations() { return kJsonPatch; }

const DeclType* add_json_patch_type(DeclTypes& types) {
  const DeclType* text = DeclTypes::scalar(DeclKind::kString);
  const DeclType* any = DeclTypes::scalar(DeclKind::kDyn);
  return types.object("JSONPatch",
                      {{"op", "op", text}, {"path", "path", text}, {"from", "from", text}, {"value", "value", any}});
}

}  // namespace cel
