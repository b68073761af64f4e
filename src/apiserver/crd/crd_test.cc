#include <gtest/gtest.h>

#include "api/custom/custom_object.h"
#include "apiserver/crd/custom_resource.h"
#include "apiserver/crd/naming.h"
#include "apiserver/crd/versions.h"
#include "gen/codec.h"
#include "object/json.h"
#include "schema/envelope.h"
#include "schema/proto_value.h"
#include "schema/transcode.h"
#include "storage/custom_json.h"

namespace apiserver {
namespace {

using object::Value;

Value parse(std::string_view json) { return object::parse_json(json).value_or(Value()); }

std::string encode(std::string_view json) {
  std::string raw;
  EXPECT_TRUE(schema::encode_value(api::custom_message(), parse(json), raw));
  return raw;
}
std::string shown(std::string_view raw, std::string_view revision = "") {
  std::string out;
  EXPECT_TRUE(schema::append_json(api::custom_message(), raw, {{"g.io/v1", "K"}, revision}, out));
  return out;
}

TEST(CustomObject, JsonHasItsMembersSortedAtEveryLevel) {
  const struct {
    std::string_view sent, shown;
  } kCases[] = {
      {R"({"spec":{"b":1,"a":[{"d":1,"c":2}]},"metadata":{"namespace":"n","name":"x","labels":{"l":"v"}}})",
       R"({"apiVersion":"g.io/v1","kind":"K","metadata":{"labels":{"l":"v"},"name":"x","namespace":"n"},"spec":{"a":[{"c":2,"d":1}],"b":1}})"},
      // Members stand before, between and behind the three that every object has.
      {R"({"zz":1,"data":{"k":"}\""},"aa":null,"lots":2,"metadata":{"name":"x"}})",
       R"({"aa":null,"apiVersion":"g.io/v1","data":{"k":"}\""},"kind":"K","lots":2,"metadata":{"name":"x"},"zz":1})"},
      {R"({"metadata":{"name":"x"}})", R"({"apiVersion":"g.io/v1","kind":"K","metadata":{"name":"x"}})"},
  };
  for (const auto& each : kCases) {
    const std::string raw = encode(each.sent);
    EXPECT_EQ(shown(raw), each.shown);
    auto tree = schema::decode_value(api::custom_message(), raw, {"g.io/v1", "K"});
    ASSERT_TRUE(tree);
    EXPECT_EQ(object::to_json(*tree), each.shown);
  }
}

TEST(CustomObject, StructKeepsWhatTheBytesSay) {
  const std::string raw = encode(R"({"spec":{"a":1},"metadata":{"name":"x","uid":"u"}})");
  auto object = api::AnyObject::make(api::custom_message());
  ASSERT_TRUE(schema::decode_struct(api::custom_message(), raw, object.get()));
  EXPECT_EQ(api::meta_of(object.message(), object.get()).uid, "u");
  EXPECT_EQ(object.as<api::CustomObject>().content, R"({"spec":{"a":1}})");
  std::string again;
  schema::encode_struct(api::custom_message(), object.get(), again);
  EXPECT_EQ(again, raw);
  EXPECT_NE(shown(raw, "7").find(R"("resourceVersion":"7")"), std::string::npos);
}

TEST(CustomObject, JsonOfOtherStores) {
  std::string stored;
  schema::wrap({"g.io/v1", "K"}, encode(R"({"spec":{"a":1},"metadata":{"name":"x"}})"), stored);
  auto json = storage::custom_to_json(api::custom_message(), stored);
  ASSERT_TRUE(json);
  EXPECT_EQ(*json, R"({"apiVersion":"g.io/v1","kind":"K","metadata":{"name":"x"},"spec":{"a":1}})"
                   "\n");
  EXPECT_TRUE(storage::is_json_value(*json));
  auto back = storage::custom_from_json(api::custom_message(), *json);
  ASSERT_TRUE(back);
  EXPECT_FALSE(storage::is_json_value(*back));
  EXPECT_EQ(storage::custom_to_json(api::custom_message(), *back), *json);
  EXPECT_FALSE(storage::custom_from_json(api::custom_message(), R"({"kind":"K"})"));
}

TEST(Versions, KubeAwareOrder) {
  const std::string_view kOrder[] = {"v10",     "v2",        "v1",        "v11beta2", "v10beta3",
                                     "v3beta1", "v12alpha1", "v11alpha2", "foo1"};
  for (size_t i = 0; i < std::size(kOrder); ++i) {
    for (size_t j = 0; j < std::size(kOrder); ++j)
      EXPECT_EQ(version_precedes(kOrder[i], kOrder[j]), i < j) << kOrder[i] << " " << kOrder[j];
  }
}

CustomResourceDefinition definition(std::string_view plural, std::string_view kind) {
  CustomResourceDefinition made;
  made.spec.group = "g.io";
  made.metadata.name = std::string(plural) + ".g.io";
  made.spec.scope = "Namespaced";
  made.spec.names.plural = plural;
  made.spec.names.singular = kind;
  made.spec.names.kind = kind;
  made.spec.names.list_kind = std::string(kind) + "List";
  return made;
}

TEST(Naming, FreeNamesAreAcceptedOneByOne) {
  NameIndex index;
  CustomResourceDefinition first = definition("multis", "Multi");
  NamingResult result = accept_names(first, index);
  EXPECT_EQ(result.names_accepted.status, "True");
  EXPECT_EQ(result.accepted, first.spec.names);
  index.put(first.metadata.name, "g.io", result.accepted);
  first.status.accepted_names = result.accepted;
  EXPECT_EQ(accept_names(first, index).names_accepted.status, "True") << "its own names are no conflict";

  CustomResourceDefinition second = definition("multies", "Multi");
  result = accept_names(second, index);
  EXPECT_EQ(result.names_accepted.status, "False");
  EXPECT_EQ(result.names_accepted.reason, "ListKindConflict") << "the last conflict is told";
  EXPECT_EQ(result.names_accepted.message, "\"MultiList\" is already in use");
  EXPECT_EQ(result.accepted.plural, "multies");
  EXPECT_EQ(result.accepted.kind, "");

  index.remove(first.metadata.name);
  EXPECT_EQ(accept_names(second, index).names_accepted.status, "True");
}

// A definition with two versions: v1 is stored and knows spec.a with a default; v2 knows spec.a and spec.b.
CustomResourceDefinition two_versions() {
  CustomResourceDefinition made = definition("multis", "Multi");
  const auto version = [&](std::string name, std::string_view schema) {
    auto& added = made.spec.versions.emplace_back();
    added.name = std::move(name);
    added.served = true;
    const auto& table = gen::message_of<::api::apiextensions::v1::JSONSchemaProps>();
    std::string raw;
    EXPECT_TRUE(schema::encode_value(table, parse(schema), raw));
    EXPECT_TRUE(schema::decode_struct(table, raw, &added.schema.ensure().open_apiv3_schema.ensure()));
  };
  version(
      "v1",
      R"({"type":"object","properties":{"spec":{"type":"object","properties":{"a":{"type":"string","default":"d"}}}}})");
  version(
      "v2",
      R"({"type":"object","properties":{"spec":{"type":"object","properties":{"a":{"type":"string"},"b":{"type":"string"}}}}})");
  made.spec.versions[0].storage = true;
  made.status.accepted_names = made.spec.names;
  return made;
}

CustomResource resource_of(const CustomResourceDefinition& made) {
  std::string stored;
  schema::wrap({"apiextensions.k8s.io/v1", "CustomResourceDefinition"}, gen::encode(made), stored);
  return CustomResource(made, base::SharedBytes(stored), nullptr);
}

TEST(CustomKind, StoredInOneVersionShownInAnother) {
  const CustomResource resource = resource_of(two_versions());
  const CustomKind& v1 = *resource.kind("v1");
  const CustomKind& v2 = *resource.kind("v2");
  const std::string sent = encode(R"({"spec":{"a":"x","b":"y"},"metadata":{"name":"n"}})");
  auto stored = v2.to_storage(sent);
  ASSERT_TRUE(stored);
  EXPECT_TRUE(v1.shows_stored(*stored));
  EXPECT_FALSE(v2.shows_stored(*stored)) << "another schema";
  EXPECT_EQ(shown(*stored), R"({"apiVersion":"g.io/v1","kind":"K","metadata":{"name":"n"},"spec":{"a":"x"}})")
      << "what the stored version does not know is gone";
  auto served = v2.to_served(*stored);
  ASSERT_TRUE(served);
  EXPECT_TRUE(v2.shows_stored(*served)) << "what is in a version's form stays so";
}

TEST(CustomKind, ReadsPruneAndDefaultWhatAnOlderSchemaLetIn) {
  CustomResourceDefinition made = two_versions();
  auto stored = resource_of(made).kind("v2")->to_storage(encode(R"({"spec":{"b":"y"},"metadata":{"name":"n"}})"));
  ASSERT_TRUE(stored);
  auto& spec = made.spec.versions[0].schema->open_apiv3_schema->properties["spec"];
  spec.properties["c"].type = "string";
  spec.properties["c"].default_.ensure().raw = "\"new\"";
  spec.properties.erase("a");
  const CustomResource changed = resource_of(made);
  EXPECT_FALSE(changed.kind("v1")->shows_stored(*stored));
  auto served = changed.kind("v1")->to_served(*stored);
  ASSERT_TRUE(served);
  EXPECT_EQ(shown(*served), R"({"apiVersion":"g.io/v1","kind":"K","metadata":{"name":"n"},"spec":{"c":"new"}})");
}

TEST(CustomKind, ACreateSaysNothingOfTheStatusButItsDefault) {
  CustomResourceDefinition made = two_versions();
  auto& version = made.spec.versions[0];
  version.subresources.ensure().status.ensure();
  auto& status = version.schema->open_apiv3_schema->properties["status"];
  status.type = "object";
  status.properties["seen"].type = "integer";
  status.default_.ensure().raw = R"({"seen":-1})";
  const CustomResource resource = resource_of(made);
  api::CustomObject object;
  object.set_tree(parse(R"({"spec":{"a":"x"},"status":{"seen":3}})"));
  api::RuleContext context{};
  resource.kind("v1")->prepare_for_create_any(context, &object);
  EXPECT_EQ(object.tree(), parse(R"({"spec":{"a":"x"},"status":{"seen":-1}})"));
}

TEST(CustomResource, EndpointsOfServedVersionsOnly) {
  CustomResourceDefinition made = two_versions();
  made.spec.versions[1].served = false;
  made.spec.versions[0].subresources.ensure().status.ensure();
  made.spec.versions[0].deprecated = true;
  const CustomResource resource = resource_of(made);
  EXPECT_EQ(resource.endpoint("v2", ""), nullptr);
  ASSERT_NE(resource.endpoint("v1", "status"), nullptr);
  EXPECT_EQ(resource.endpoint("v1", "scale"), nullptr);
  const Endpoint& main = *resource.endpoint("v1", "");
  EXPECT_EQ(main.prefix(), "/registry/g.io/multis");
  EXPECT_EQ(main.deprecation, "g.io/v1 Multi is deprecated");
  EXPECT_EQ(main.resource->columns.size(), 2u) << "name and age";
}

}  // namespace
}  // namespace apiserver
