#include "api/meta_validation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace api {
namespace {

using meta::v1::ObjectMeta;
using ::testing::HasSubstr;

ObjectMeta named(std::string name) {
  ObjectMeta out;
  out.name = std::move(name);
  out.namespace_ = "ns";
  out.resource_version = "1";
  return out;
}

std::string check(const ObjectMeta& metadata, MetaSubject subject = {.names = name_is_dns_subdomain}) {
  object::FieldErrors errors;
  validate_object_meta(metadata, subject, errors);
  return errors.to_string();
}

std::string check_update(const ObjectMeta& metadata, const ObjectMeta& old, size_t* count = nullptr) {
  object::FieldErrors errors;
  validate_object_meta_update(metadata, old, MetaRules::kBuiltIn, errors);
  if (count) *count = errors.size();
  return errors.to_string();
}

struct Case {
  const char* name;
  void (*change)(ObjectMeta&);
  const char* expected;  // part of the text; "" = no error
};

// Texts from recorded answers of a 1.35 server.
TEST(MetaValidation, Create) {
  const Case cases[] = {
      {"plain", [](ObjectMeta&) {}, ""},
      {"no name", [](ObjectMeta& m) { m.name = ""; },
       "metadata.name: Required value: name or generateName is required"},
      {"upper", [](ObjectMeta& m) { m.name = "UPPER"; },
       "metadata.name: Invalid value: \"UPPER\": a lowercase RFC 1123"},
      {"namespace", [](ObjectMeta& m) { m.namespace_ = ""; }, "metadata.namespace: Required value"},
      {"label key", [](ObjectMeta& m) { m.labels["a b"] = "c"; },
       "metadata.labels: Invalid value: \"a b\": name part must consist of"},
      {"label value", [](ObjectMeta& m) { m.labels["a"] = "b c"; },
       "metadata.labels: Invalid value: \"b c\": a valid label must be an empty string or consist of"},
      {"annotation", [](ObjectMeta& m) { m.annotations["-a"] = "b"; },
       "metadata.annotations: Invalid value: \"-a\": name part must consist of"},
      {"annotation case", [](ObjectMeta& m) { m.annotations["Example.COM/x"] = "b"; }, ""},
      {"annotations", [](ObjectMeta& m) { m.annotations["a"] = std::string(262144, 'x'); },
       "metadata.annotations: Too long: may not be more than 262144 bytes"},
      {"finalizer", [](ObjectMeta& m) { m.finalizers = {"bad"}; },
       "metadata.finalizers[0]: Invalid value: \"bad\": name is neither a standard finalizer name nor is it fully "
       "qualified"},
      {"both finalizers", [](ObjectMeta& m) { m.finalizers = {"orphan", "foregroundDeletion"}; },
       "metadata.finalizers: Invalid value: [\"orphan\",\"foregroundDeletion\"]: finalizer orphan and "
       "foregroundDeletion cannot be both set"},
      {"owner uid",
       [](ObjectMeta& m) {
         auto& owner = m.owner_references.emplace_back();
         owner.api_version = "v1", owner.kind = "Pod", owner.name = "x";
       },
       "metadata.ownerReferences.uid: Invalid value: \"\": must not be empty"},
      {"owner version",
       [](ObjectMeta& m) {
         auto& owner = m.owner_references.emplace_back();
         owner.kind = "Pod", owner.name = "x", owner.uid = "u1";
       },
       "metadata.ownerReferences.apiVersion: Invalid value: \"\": version must not be empty"},
      {"owner event",
       [](ObjectMeta& m) {
         auto& owner = m.owner_references.emplace_back();
         owner.api_version = "v1", owner.kind = "Event", owner.name = "x", owner.uid = "u1";
       },
       "metadata.ownerReferences: Invalid value: "
       "{\"apiVersion\":\"v1\",\"kind\":\"Event\",\"name\":\"x\",\"uid\":\"u1\"}: "
       "/v1, Kind=Event is disallowed from being an owner"},
      {"two controllers",
       [](ObjectMeta& m) {
         for (const char* name : {"x", "y"}) {
           auto& owner = m.owner_references.emplace_back();
           owner.api_version = "v1", owner.kind = "Pod", owner.name = name, owner.uid = "u", owner.controller = true;
         }
       },
       "Only one reference can have Controller set to true. Found \"true\" in references for Pod/x and Pod/y"},
      {"manager", [](ObjectMeta& m) { m.managed_fields.emplace_back().operation = "X"; },
       "metadata.managedFields[0].operation: Invalid value: \"X\": must be `Apply` or `Update`"},
  };
  for (const Case& each : cases) {
    ObjectMeta metadata = named("a");
    each.change(metadata);
    const std::string errors = check(metadata);
    if (*each.expected) {
      EXPECT_THAT(errors, HasSubstr(each.expected)) << each.name;
    } else {
      EXPECT_EQ(errors, object::FieldErrors().to_string()) << each.name;
    }
  }
}

TEST(MetaValidation, ScopeAndPrefix) {
  ObjectMeta metadata = named("a");
  EXPECT_THAT(check(metadata, {.scope = Scope::kCluster, .names = name_is_dns_label}),
              HasSubstr("metadata.namespace: Forbidden: not allowed on this type"));
  metadata.generate_name = "good-";
  EXPECT_EQ(check(metadata), object::FieldErrors().to_string());
  metadata.generate_name = "pp.";
  EXPECT_THAT(check(metadata), HasSubstr("metadata.generateName: Invalid value: \"pp.\""));
  // A custom resource may have finalizers that upstream does not know.
  metadata = named("a");
  metadata.finalizers = {"bad"};
  EXPECT_EQ(check(metadata, {.names = name_is_dns_subdomain, .rules = MetaRules::kCustom}),
            object::FieldErrors().to_string());
}

TEST(MetaValidation, Update) {
  ObjectMeta old = named("a");
  old.uid = "u";
  old.creation_timestamp.seconds = 1000;
  ObjectMeta metadata = old;
  EXPECT_EQ(check_update(metadata, old), object::FieldErrors().to_string());
  metadata.uid = "wrong";
  size_t count = 0;
  EXPECT_EQ(check_update(metadata, old, &count), "metadata.uid: Invalid value: \"wrong\": field is immutable");
  EXPECT_EQ(count, 2U) << "upstream reports what it checks twice as two causes";
  metadata = old;
  metadata.resource_version = "";
  EXPECT_EQ(check_update(metadata, old),
            "metadata.resourceVersion: Invalid value: \"\": must be specified for an update");
  old.deletion_timestamp.ensure().seconds = 2000;
  metadata = old;
  metadata.finalizers = {"x.y/c"};
  EXPECT_EQ(check_update(metadata, old),
            "metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new "
            "finalizers []string{\"x.y/c\"}");
}

TEST(MetaValidation, PrepareForUpdate) {
  ObjectMeta old = named("a");
  old.uid = "u", old.generation = 3;
  old.creation_timestamp.seconds = 1000;
  old.deletion_timestamp.ensure().seconds = 2000;
  ObjectMeta metadata = named("a");
  metadata.generation = 9;
  prepare_meta_for_update(metadata, old);
  EXPECT_EQ(metadata.uid, "u");
  EXPECT_EQ(metadata.generation, 3);
  EXPECT_EQ(metadata.creation_timestamp.seconds, 1000);
  EXPECT_TRUE(metadata.deletion_timestamp);
}

TEST(MetaValidation, DuplicateOwners) {
  ObjectMeta metadata = named("a");
  for (int i = 0; i < 2; ++i) metadata.owner_references.emplace_back().uid = "u1";
  std::vector<std::string> warnings;
  dedup_owner_references(metadata, warnings);
  EXPECT_EQ(metadata.owner_references.size(), 1U);
  ASSERT_EQ(warnings.size(), 1U);
  EXPECT_THAT(warnings[0], HasSubstr("duplicate UID(s) observed: u1"));
}

TEST(MetaValidation, LabelSelector) {
  meta::v1::LabelSelector selector;
  auto& expression = selector.match_expressions.emplace_back();
  expression.key = "a", expression.operator_ = "In";
  object::FieldErrors errors;
  validate_label_selector(selector, object::FieldPath("s"), errors);
  EXPECT_EQ(errors.to_string(),
            "s.matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'");
  expression.operator_ = "Exists", expression.values = {"x"};
  errors = {};
  validate_label_selector(selector, object::FieldPath("s"), errors);
  EXPECT_EQ(
      errors.to_string(),
      "s.matchExpressions[0].values: Forbidden: may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
}

}  // namespace
}  // namespace api
