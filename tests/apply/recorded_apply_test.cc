// The writes that a real server answered, replayed: testdata/recorded_apply.jsonl has a step a line, with what the
// client sent and the answer. Each step starts from the answer before it.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <map>

#include "difference.h"
#include "gen/catalogue.h"
#include "object/json.h"
#include "schema/apply/server_side_apply.h"

namespace {

using object::Value;

// The entries as text, in one order, without their times.
std::vector<std::string> entries_text(Value object) {
  schema::ReadEntries read = schema::read_managed_fields(object);
  EXPECT_EQ(read.error, "");
  std::vector<std::string> out;
  for (const schema::ManagedEntry& entry : read.entries) {
    out.push_back(schema::manager_identifier(entry) + " " + entry.api_version + " " +
                  object::to_json(object::parse_json(entry.fields).value(), object::KeyOrder::kSorted));
  }
  std::ranges::sort(out);
  return out;
}

schema::ManageContext context_of(const Value& object) {
  const bool apps = object.string_at({"apiVersion"}) == "apps/v1";
  static constexpr std::string_view kStatus[] = {"status"};
  schema::ManageContext context;
  context.type = schema::message_type(apps ? *gen::find_message("apps.v1", "Deployment")
                                           : *gen::find_message("core.v1", "ConfigMap"));
  context.api_version = apps ? "apps/v1" : "v1";
  context.kind = apps ? "Deployment" : "ConfigMap";
  if (apps) context.reset_fields.paths = kStatus;
  context.history = schema::SchemaHistory::kFixed;
  return context;
}

// True when the message is one that apply makes, and not the server around it.
bool is_ours(std::string_view message) {
  return message.starts_with("Apply failed") || message.starts_with("failed to create typed") ||
         message.starts_with("invalid object type") || message == "metadata.managedFields must be nil";
}

void check_apply(const Value& step, const Value* live) {
  const Value& config = *step.find("config");
  const bool is_deployment = step.string_at({"object_name"}) == "d";
  Value hint = object::Object();
  hint.object_if()->set("apiVersion", is_deployment ? "apps/v1" : "v1");
  const schema::ManageContext context = context_of(hint);
  auto applied = schema::server_side_apply(
      context, {config, live, step.string_at({"manager"}), "2026-01-02T03:04:05Z",
                *step.find("force")->bool_if() ? schema::OnConflict::kForce : schema::OnConflict::kFail});
  const std::string_view message = step.string_at({"message"});
  if (is_ours(message)) {
    ASSERT_FALSE(applied);
    EXPECT_EQ(applied.error().message, message);
    const Value* causes = step.find("causes");
    if (causes && causes->is_array()) {
      ASSERT_TRUE(applied.error().details);
      ASSERT_EQ(applied.error().details->causes.size(), causes->array_if()->size());
      for (size_t i = 0; i < causes->array_if()->size(); ++i) {
        const Value& cause = (*causes->array_if())[i];
        EXPECT_EQ(applied.error().details->causes[i].message, cause.string_at({"message"}));
        EXPECT_EQ(applied.error().details->causes[i].field, cause.string_at({"field"}));
      }
    }
    return;
  }
  ASSERT_TRUE(applied) << applied.error().message;
  if (!message.empty()) return;
  const Value& answer = *step.find("object");
  Value result = applied->effect == schema::ApplyEffect::kChanged ? applied->object : *live;
  schema::remove_managed_fields(result);
  EXPECT_EQ(recorded::difference(result, answer, ""), "");
  schema::write_managed_fields(result, applied->entries);
  EXPECT_EQ(entries_text(result), entries_text(answer));
}

void check_update(const Value& step, const Value* live) {
  const Value* answer = step.find("object");
  if (!answer) return;
  Value updated = *answer;
  schema::remove_managed_fields(updated);
  if (const Value* managed = step.find("request_managed_fields")) {
    updated.find("metadata")->object_if()->set("managedFields", *managed);
  }
  const Value nothing = object::Object();
  schema::update_managed_fields(context_of(updated), live ? *live : nothing, updated, step.string_at({"manager"}),
                                "2026-01-02T03:04:05Z");
  EXPECT_EQ(entries_text(updated), entries_text(*answer));
}

TEST(ServerSideApply, RecordedWrites) {
  std::ifstream in("tests/apply/testdata/recorded_apply.jsonl");
  std::map<std::string, Value> objects;
  int steps = 0;
  for (std::string line; std::getline(in, line); ++steps) {
    const Value step = object::parse_json(line).value();
    SCOPED_TRACE(step.string_at({"id"}));
    const std::string name(step.string_at({"object_name"}));
    const std::string scenario(step.string_at({"id"}).substr(0, step.string_at({"id"}).find('/')));
    const std::string key = scenario + "/" + name;
    const auto found = objects.find(key);
    const Value* live = found == objects.end() ? nullptr : &found->second;
    const std::string_view op = step.string_at({"op"});
    if (op == "apply") check_apply(step, live);
    if (op == "update") check_update(step, live);
    const Value* dry_run = step.find("dry_run");
    if (op == "delete") objects.erase(key);
    if (step.find("object") && !(dry_run && *dry_run->bool_if())) objects[key] = *step.find("object");
  }
  EXPECT_EQ(steps, 69);
}

}  // namespace
