// The recorded strategic merge patches of a Deployment: testdata/strategic_lists.jsonl has a step a line, with the patch,
// the status and message that a real server answered, and the spec that it then had (defaults filled in).
#include <gtest/gtest.h>

#include <fstream>
#include <set>

#include "gen/catalogue.h"
#include "object/json.h"
#include "schema/patch/strategic_merge.h"

namespace {

using object::Value;

// Members that the server's defaulting adds to what a patch leaves out.
const std::set<std::string, std::less<>> kDefaulted = {"protocol",  "imagePullPolicy", "terminationMessagePath",
                                                       "resources", "type",            "terminationMessagePolicy",
                                                       "terminationGracePeriodSeconds"};

bool is_empty(const Value& value) {
  if (const auto* object = value.object_if()) return object->empty();
  if (const auto* array = value.array_if()) return array->empty();
  return value.is_null();
}

// "" or where `patched` is not what became `recorded` by defaulting.
std::string difference(const Value& patched, const Value& recorded, const std::string& path) {
  if (const auto* object = patched.object_if()) {
    for (const auto& [key, value] : *object) {
      const Value* other = recorded.find(key);
      if (!other && !is_empty(value)) return path + "." + key + " is " + object::to_json(value);
      if (!other) continue;
      if (std::string inner = difference(value, *other, path + "." + key); !inner.empty()) return inner;
    }
    if (!recorded.is_object()) return path;
    for (const auto& [key, value] : *recorded.object_if()) {
      if (!patched.find(key) && !kDefaulted.contains(key)) return path + "." + key + " is missing";
    }
    return "";
  }
  const auto* array = patched.array_if();
  if (!array) return patched == recorded ? "" : path + ": " + object::to_json(patched);
  const auto* other = recorded.array_if();
  if (!other || other->size() != array->size()) return path + ": " + object::to_json(patched);
  for (size_t i = 0; i < array->size(); ++i) {
    std::string inner = difference((*array)[i], (*other)[i], path + "[" + std::to_string(i) + "]");
    if (!inner.empty()) return inner;
  }
  return "";
}

TEST(StrategicMerge, RecordedListPatches) {
  const schema::Message* type = gen::find_message("apps.v1", "Deployment");
  ASSERT_TRUE(type);
  std::ifstream in("tests/apply/testdata/strategic_lists.jsonl");
  Value live;
  int steps = 0;
  for (std::string line; std::getline(in, line); ++steps) {
    const Value step = object::parse_json(line).value();
    SCOPED_TRACE(step.string_at({"id"}));
    const Value* spec = step.find("spec");
    if (step.find("patch")) {
      auto patched = schema::apply_strategic_merge_patch(live, *step.find("patch"), *type);
      const int64_t status = *step.find("status")->int_if();
      if (status == 500 || status == 400) {
        ASSERT_FALSE(patched);
        EXPECT_EQ(patched.error().reason, status == 400 ? base::Reason::kBadRequest : base::Reason::kUnknown);
        EXPECT_EQ(patched.error().message, step.string_at({"message"}));
      } else if (status == 200) {
        ASSERT_TRUE(patched) << patched.error().message;
        EXPECT_EQ(difference(*patched->find("spec"), *spec, "spec"), "");
      } else {
        EXPECT_TRUE(patched);  // the server's validation refused the result
      }
    }
    if (spec) live = object::Object(), live.object_if()->set("spec", *spec);
  }
  EXPECT_EQ(steps, 28);
}

}  // namespace
