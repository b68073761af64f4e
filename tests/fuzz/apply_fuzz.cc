// Server-side apply of any JSON on any live object, as a Pod, without and with force, and once more on its own result:
// an error or an object, never a crash.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "gen/catalogue.h"
#include "object/json.h"
#include "schema/apply/server_side_apply.h"

namespace {

schema::ManageContext pods() {
  schema::ManageContext context;
  context.type = schema::message_type(*gen::find_message("core.v1", "Pod"));
  context.api_version = "v1";
  context.kind = "Pod";
  context.history = schema::SchemaHistory::kFixed;
  return context;
}

}  // namespace

// The input: a live object, a newline, a config.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const schema::ManageContext context = pods();
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const size_t newline = input.find('\n');
  if (newline == std::string_view::npos) return 0;
  auto live = object::parse_json(input.substr(0, newline));
  auto config = object::parse_json(input.substr(newline + 1));
  if (!live || !config || !live->is_object()) return 0;
  schema::ApplyRequest request{*config, &*live, "fuzz", "2026-01-01T00:00:00Z"};
  if (auto applied = schema::server_side_apply(context, request)) object::to_json(applied->object);
  request.on_conflict = schema::OnConflict::kForce;
  auto applied = schema::server_side_apply(context, request);
  if (!applied) return 0;
  object::Value now = applied->effect == schema::ApplyEffect::kChanged ? applied->object : *live;
  if (!now.is_object()) return 0;
  schema::write_managed_fields(now, applied->entries);
  const schema::ApplyRequest again{*config, &now, "fuzz", "2026-01-02T00:00:00Z"};
  (void)schema::server_side_apply(context, again);
  return 0;
}
