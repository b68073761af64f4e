#include <gtest/gtest.h>

#include "gen/catalogue.h"
#include "object/json.h"
#include "schema/patch/json_patch.h"
#include "schema/patch/merge_patch.h"
#include "schema/patch/strategic_merge.h"
#include "script.h"

namespace {

using object::Value;

std::string text(const base::Error& error) {
  const std::string_view reason = base::reason_name(error.reason);
  return "error " + (reason.empty() ? std::string("500") : std::string(reason)) + ": " + error.message;
}

std::string text(const base::Result<Value>& result) { return result ? object::to_json(*result) : text(result.error()); }

std::string run_json_patch(const script::Block& block) {
  std::vector<std::string> warnings;
  auto patch = schema::decode_json_patch(block.json("patch"), &warnings);
  if (!patch) return text(patch.error());
  std::string cause;
  std::string out = text(schema::apply_json_patch_traced(block.json("object"), *patch, cause));
  if (!cause.empty()) out += "\ncause: " + cause;
  for (const std::string& warning : warnings) out += "\nwarning: " + warning;
  return out;
}

std::string run(const script::Block& block) {
  if (block.command[0] == "json-patch") return run_json_patch(block);
  if (block.command[0] == "merge-patch") {
    return text(schema::apply_merge_patch(block.json("object"), block.json("patch")));
  }
  const schema::Message* type = gen::find_message(block.argument("package"), block.argument("type"));
  if (!type) return "no such type";
  return text(schema::apply_strategic_merge_patch(block.json("object"), block.json("patch"), *type));
}

TEST(PatchScripts, JsonPatch) { script::run_file("json_patch.txt", run); }
TEST(PatchScripts, MergePatch) { script::run_file("merge_patch.txt", run); }
TEST(PatchScripts, StrategicMergePatch) { script::run_file("strategic_merge.txt", run); }

// 10,000 moves that nest an object into itself end in an error, not in a deep document.
TEST(JsonPatchLimits, DepthIsBounded) {
  schema::JsonPatch patch;
  for (int i = 0; i < 5'000; ++i) {
    patch.operations.push_back({"add", "/b", std::nullopt, object::Object()});
    patch.operations.push_back({"move", "/b/x", "/a", {}});
    patch.operations.push_back({"move", "/a", "/b", {}});
  }
  std::string cause;
  Value document = object::parse_json(R"({"a":{}})").value();
  EXPECT_FALSE(schema::apply_json_patch_traced(document, patch, cause));
  EXPECT_NE(cause.find("too deep"), std::string::npos) << cause;
}

// Copies that double an object stop at the limit.
TEST(JsonPatchLimits, CopiesAreBounded) {
  schema::JsonPatch patch;
  for (int i = 0; i < 40; ++i) patch.operations.push_back({"copy", "/a/" + std::to_string(i), "/a", {}});
  std::string cause;
  Value document = object::parse_json(R"({"a":{"text":"0123456789"}})").value();
  EXPECT_FALSE(schema::apply_json_patch_traced(document, patch, cause));
  EXPECT_NE(cause.find("too large"), std::string::npos) << cause;
}

TEST(JsonPatchLimits, OperationsAreCounted) {
  object::Array operations(10'001, object::parse_json(R"({"op":"add","path":"/a","value":1})").value());
  auto patch = schema::decode_json_patch(operations);
  ASSERT_FALSE(patch);
  EXPECT_EQ(patch.error().reason, base::Reason::kRequestEntityTooLarge);
  EXPECT_EQ(patch.error().message,
            "Request entity too large: The allowed maximum operations in a JSON patch is 10000, got 10001");
}

}  // namespace
