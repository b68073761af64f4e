// The recorded strategic merge patches of a Deployment: testdata/strategic_lists.jsonl has a step a line, with the
// patch, the status and message that a real server answered, and the spec that it then had (defaults filled in).
#include <gtest/gtest.h>

#include <fstream>

#include "difference.h"
#include "gen/catalogue.h"
#include "object/json.h"
#include "schema/patch/strategic_merge.h"

namespace {

using object::Value;

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
        EXPECT_EQ(recorded::difference(*patched->find("spec"), *spec, "spec"), "");
      } else {
        EXPECT_TRUE(patched);  // the server's validation refused the result
      }
    }
    if (spec) live = object::Object(), live.object_if()->set("spec", *spec);
  }
  EXPECT_EQ(steps, 28);
}

}  // namespace
