#include "schema/patch/conversion_problem.h"

#include <gtest/gtest.h>

#include "gen/catalogue.h"
#include "object/json.h"

namespace schema {
namespace {

TEST(ConversionProblem, NamesTheFirstMisfitInTheOrderOfTheFields) {
  const Message* pod = gen::find_message("core.v1", "Pod");
  ASSERT_TRUE(pod);
  const struct {
    std::string_view json, problem;
  } cases[] = {
      {R"({"spec":{"containers":"x"}})", "cannot restore slice from string"},
      {R"({"spec":{"containers":{"name":"a"}}})", "cannot restore slice from map"},
      {R"({"spec":[]})", "cannot restore struct from: slice"},
      {R"({"metadata":{"labels":[1]}})", "cannot restore map from slice"},
      {R"({"spec":{"containers":[{"name":5}]}})", "cannot convert int64 to string"},
      {R"({"spec":{"hostNetwork":"yes"}})", "unrecognized type: bool"},
      {R"({"spec":{"priority":"high"}})", "unrecognized type: int32"},
      {R"({"spec":{"hostPID":1},"metadata":5})", "cannot restore struct from: int64"},
      {R"({"spec":{"containers":[null],"priority":5.0},"unknown":1})", ""},
  };
  for (const auto& c : cases) {
    auto value = object::parse_json(c.json);
    ASSERT_TRUE(value) << c.json;
    EXPECT_EQ(conversion_problem(*pod, *value).value_or(""), c.problem) << c.json;
  }
}

}  // namespace
}  // namespace schema
