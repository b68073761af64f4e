// The codecs' rules, one at a time, on real kinds.
#include "gen/codec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "codec/wire.h"
#include "gen/apps/v1.h"
#include "gen/core/v1.h"
#include "object/json.h"
#include "schema/defaults.h"
#include "schema/envelope.h"
#include "schema/metadata_view.h"
#include "schema/proto_value.h"
#include "schema/transcode.h"

namespace {
using testing::ElementsAre;

const schema::Message& message_of(std::string_view kind) {
  for (const schema::Kind& each : gen::kinds()) {
    if (each.kind == kind && each.version == "v1") return *each.message;
  }
  abort();
}

std::string error_of(std::string_view kind, std::string_view json, std::vector<std::string>* issues = nullptr) {
  auto value = object::parse_json(json);
  EXPECT_TRUE(value) << json;
  std::string out;
  auto result = schema::encode_value(message_of(kind), *value, out, {.strict_issues = issues, .source_json = json});
  return result ? "" : result.error().message;
}

struct DecodingError {
  const char* kind;
  const char* json;
  const char* message;
};

// As a real server answered (facts: scenarios malformed-bodies, valid-*, field-validation), or as Go's rules say.
TEST(ValueEncoding, TypeErrorsAreUpstreams) {
  const DecodingError kErrors[] = {
      {"Pod", R"({"spec":{"containers":{"a":1}}})",
       "json: cannot unmarshal object into Go struct field PodSpec.spec.containers of type []v1.Container"},
      {"ConfigMap", R"({"data":{"a":{"b":1}}})",
       "json: cannot unmarshal object into Go struct field ConfigMap.data of type string"},
      {"ConfigMap", R"({"data":{"a":1}})",
       "json: cannot unmarshal number into Go struct field ConfigMap.data of type string"},
      {"Pod", R"({"spec":{"containers":[{"name":"c","image":5}]}})",
       "json: cannot unmarshal number into Go struct field Container.spec.containers.image of type string"},
      {"Pod", R"({"spec":{"containers":[{"resources":{"limits":{"cpu":"1x"}}}]}})",
       "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"},
      {"Pod", R"({"spec":{"terminationGracePeriodSeconds": 1e3 }})",
       "json: cannot unmarshal number 1e3 into Go struct field PodSpec.spec.terminationGracePeriodSeconds of type "
       "int64"},
      {"Pod", R"({"spec":{"terminationGracePeriodSeconds":99999999999999999999}})",
       "json: cannot unmarshal number 99999999999999999999 into Go struct field "
       "PodSpec.spec.terminationGracePeriodSeconds of type int64"},
      {"Pod", R"({"spec":{"priority":3000000000}})",
       "json: cannot unmarshal number 3000000000 into Go struct field PodSpec.spec.priority of type int32"},
      {"Deployment", R"({"spec":{"replicas":1.5}})",
       "json: cannot unmarshal number 1.5 into Go struct field DeploymentSpec.spec.replicas of type int32"},
      {"Deployment", R"({"spec":{"replicas":"x"}})",
       "json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32"},
      {"Deployment", R"({"spec":{"paused":"x"}})",
       "json: cannot unmarshal string into Go struct field DeploymentSpec.spec.paused of type bool"},
      {"Job", R"({"spec":{"suspend":5}})",
       "json: cannot unmarshal number into Go struct field JobSpec.spec.suspend of type bool"},
      {"ConfigMap", R"({"metadata":{"labels":{"a":1}}})",
       "json: cannot unmarshal number into Go struct field ObjectMeta.metadata.labels of type string"},
      {"ConfigMap", R"({"metadata":{"labels":["a"]}})",
       "json: cannot unmarshal array into Go struct field ObjectMeta.metadata.labels of type map[string]string"},
      {"ConfigMap", R"({"metadata":"x"})",
       "json: cannot unmarshal string into Go struct field ConfigMap.metadata of type v1.ObjectMeta"},
      {"ConfigMap", R"({"metadata":{"creationTimestamp":"yesterday"}})",
       R"(parsing time "yesterday" as "2006-01-02T15:04:05Z07:00": cannot parse "yesterday" as "2006")"},
      {"Pod", R"({"spec":{"containers":[{"ports":"x"}]}})",
       "json: cannot unmarshal string into Go struct field Container.spec.containers.ports of type []v1.ContainerPort"},
      {"Pod", R"({"spec":{"containers":[{"ports":[{"containerPort":"80"}]}]}})",
       "json: cannot unmarshal string into Go struct field ContainerPort.spec.containers.ports.containerPort of type "
       "int32"},
      {"Pod", R"({"spec":{"containers":[{"env":[{"name":"A","value":5}]}]}})",
       "json: cannot unmarshal number into Go struct field EnvVar.spec.containers.env.value of type string"},
      {"Pod", R"({"spec":{"volumes":[{"hostPath":7}]}})",
       "json: cannot unmarshal number into Go struct field Volume.spec.volumes.hostPath of type "
       "v1.HostPathVolumeSource"},
      {"Pod", R"({"status":{"phase":7}})",
       "json: cannot unmarshal number into Go struct field PodStatus.status.phase of type v1.PodPhase"},
      {"Pod", R"({"spec":{"containers":[{"resources":{"limits":7}}]}})",
       "json: cannot unmarshal number into Go struct field "
       "ResourceRequirements.spec.containers.resources.limits of type v1.ResourceList"},
      // The first type error is told, unless a type that decodes itself fails later.
      {"Pod", R"({"spec":{"priority":"x","hostname":5,"containers":[]}})",
       "json: cannot unmarshal string into Go struct field PodSpec.spec.priority of type int32"},
      {"Pod", R"({"spec":{"priority":"x"},"metadata":{"creationTimestamp":5}})",
       "json: cannot unmarshal number into Go struct field ObjectMeta.metadata.creationTimestamp of type string"},
      {"Service", R"({"spec":{"ports":[{"targetPort":true}]}})",
       "json: cannot unmarshal bool into Go struct field ServicePort.spec.ports.targetPort of type int32"},
      {"Secret", R"({"data":{"a":"b*"}})", "illegal base64 data at input byte 1"},
      {"ConfigMap", R"("x")", "json: cannot unmarshal string into Go value of type v1.ConfigMap"},
  };
  for (const DecodingError& each : kErrors) EXPECT_EQ(error_of(each.kind, each.json), each.message) << each.json;
}

TEST(ValueEncoding, StrictIssuesInDocumentOrder) {
  std::vector<std::string> issues;
  EXPECT_EQ(error_of("Pod",
                     R"({"kind":"Pod","Metadata":{},"spec":{"containers":[{"imag":"x","ports":[{"foo":2}]}],"foo":1},
                         "metadata":{"annotations":{"a.b":"x"},"bogus":1},"spec2":{}})",
                     &issues),
            "");
  EXPECT_THAT(issues, ElementsAre(R"(unknown field "Metadata")", R"(unknown field "spec.containers[0].imag")",
                                  R"(unknown field "spec.containers[0].ports[0].foo")", R"(unknown field "spec.foo")",
                                  R"(unknown field "metadata.bogus")", R"(unknown field "spec2")"));
  issues.clear();
  EXPECT_EQ(error_of("CustomResourceDefinition",
                     R"({"spec":{"versions":[{"schema":{"openAPIV3Schema":{"typo":1,"properties":{"a":{"oops":2,
                         "items":{"silent":3}}}}}}]}})",
                     &issues),
            "");
  EXPECT_THAT(issues, ElementsAre(R"(unknown field "spec.versions[0].schema.openAPIV3Schema.typo")",
                                  R"(unknown field "spec.versions[0].schema.openAPIV3Schema.properties.a.oops")"));
}

TEST(ValueEncoding, NullAndAbsentAreTheSame) {
  auto bytes_of = [](std::string_view json) {
    std::string out;
    EXPECT_TRUE(schema::encode_value(message_of("Pod"), *object::parse_json(json), out)) << json;
    return out;
  };
  EXPECT_EQ(bytes_of(R"({"metadata":null,"spec":{"containers":null,"hostname":null,"priority":null}})"),
            bytes_of("{}"));
  EXPECT_EQ(bytes_of(R"({"spec":{"containers":[null]}})"), bytes_of(R"({"spec":{"containers":[{}]}})"));
  EXPECT_EQ(bytes_of(R"({"metadata":{"labels":{"b":"2","a":null}}})"),
            bytes_of(R"({"metadata":{"labels":{"a":"","b":"2"}}})"));
}

api::core::v1::Pod sample_pod() {
  api::core::v1::Pod pod;
  pod.metadata.name = "web-0";
  pod.metadata.namespace_ = "shop";
  pod.metadata.uid = "0b1c";
  pod.metadata.generation = 3;
  pod.metadata.creation_timestamp = {1700000000, 0};
  pod.metadata.labels = {{"app", "web"}, {"tier", "front"}};
  pod.metadata.finalizers = {"a/b", "c/d"};
  auto& owner = pod.metadata.owner_references.emplace_back();
  owner.api_version = "apps/v1";
  owner.kind = "StatefulSet";
  owner.name = "web";
  owner.uid = "77";
  owner.controller = true;
  pod.spec.node_name = "node-1";
  pod.spec.containers.emplace_back().name = "main";
  pod.status.phase = "Running";
  return pod;
}

TEST(Struct, RoundTripsAndCompares) {
  api::core::v1::Pod pod = sample_pod();
  auto again = gen::decode<api::core::v1::Pod>(gen::encode(pod));
  ASSERT_TRUE(again);
  EXPECT_TRUE(*again == pod);
  EXPECT_FALSE(gen::decode<api::core::v1::Pod>("\x0a\x05"));
}

TEST(Struct, QuantitiesComeOutCanonical) {
  api::core::v1::ResourceRequirements resources;
  resources.limits["cpu"] = {"1000m"};
  resources.limits["memory"] = {};
  auto again = gen::decode<api::core::v1::ResourceRequirements>(gen::encode(resources));
  ASSERT_TRUE(again);
  EXPECT_EQ(again->limits["cpu"].string, "1");
  EXPECT_EQ(again->limits["memory"].string, "0");
  resources.limits["cpu"] = {"bad"};
  EXPECT_FALSE(gen::decode<api::core::v1::ResourceRequirements>(gen::encode(resources)));
}

TEST(Struct, AcceptsPackedListsAndAnyOrder) {
  std::string bytes;
  codec::append_bytes_field(bytes, 2, std::string_view("\x01\x02", 2));  // values, packed
  codec::append_varint_field(bytes, 2, 3);
  codec::append_bytes_field(bytes, 1, "In");
  codec::append_bytes_field(bytes, 500, "unknown");
  auto rule = gen::decode<api::core::v1::ContainerRestartRuleOnExitCodes>(bytes);
  ASSERT_TRUE(rule);
  EXPECT_EQ(rule->operator_, "In");
  EXPECT_THAT(rule->values, ElementsAre(1, 2, 3));
  std::string json;
  ASSERT_TRUE(schema::append_json(gen::message_of<api::core::v1::ContainerRestartRuleOnExitCodes>(), bytes, {}, json));
  EXPECT_EQ(json, R"({"operator":"In","values":[1,2,3]})");
}

TEST(MetadataView, ReadsWhatTheStructHolds) {
  std::string bytes = gen::encode(sample_pod());
  auto view = schema::view_metadata(bytes);
  ASSERT_TRUE(view);
  EXPECT_EQ(view->name, "web-0");
  EXPECT_EQ(view->namespace_, "shop");
  EXPECT_EQ(view->uid, "0b1c");
  EXPECT_EQ(view->generation, 3);
  EXPECT_EQ(view->creation_seconds, 1700000000);
  EXPECT_FALSE(view->deletion_seconds);
  EXPECT_EQ(schema::find(view->labels, "tier"), "front");
  EXPECT_FALSE(schema::find(view->labels, "none"));
  EXPECT_TRUE(view->annotations.empty());
  std::vector<std::string> finalizers;
  for (std::string_view finalizer : view->finalizers) finalizers.emplace_back(finalizer);
  EXPECT_THAT(finalizers, ElementsAre("a/b", "c/d"));
  int owners = 0;
  for (const schema::OwnerView& owner : view->owner_references) {
    ++owners;
    EXPECT_EQ(owner.api_version, "apps/v1");
    EXPECT_EQ(owner.uid, "77");
    EXPECT_TRUE(owner.controller);
    EXPECT_FALSE(owner.block_owner_deletion);
  }
  EXPECT_EQ(owners, 1);
  EXPECT_TRUE(schema::view_metadata("")->name.empty());
}

TEST(MetadataView, FindsFieldsByPath) {
  std::string bytes = gen::encode(sample_pod());
  const schema::Message& pod = message_of("Pod");
  const schema::Field* last = nullptr;
  std::string_view node_name[] = {"spec", "nodeName"};
  auto path = schema::resolve_path(pod, node_name, &last);
  ASSERT_EQ(path.size, 2u);
  EXPECT_EQ(last->type, schema::Type::kString);
  EXPECT_EQ(schema::find_bytes(bytes, path), "node-1");
  std::string_view phase[] = {"status", "phase"};
  EXPECT_EQ(schema::find_bytes(bytes, schema::resolve_path(pod, phase)), "Running");
  EXPECT_EQ(schema::find_int(bytes, {1, 7}), 3);
  EXPECT_FALSE(schema::find_int(bytes, {1, 10}));
  std::string_view containers[] = {"spec", "containers"};
  EXPECT_EQ(schema::resolve_path(pod, containers).size, 0u);
  // Through an inlined message: a volume's source stands in the volume's object.
  const schema::Message& volume = gen::message_of<api::core::v1::Volume>();
  std::string_view host_path[] = {"hostPath", "path"};
  EXPECT_EQ(schema::resolve_path(volume, host_path).size, 3u);
}

std::string with_version(std::string_view raw, uint64_t revision) {
  auto spliced = schema::with_resource_version(raw, revision);
  EXPECT_TRUE(spliced);
  return spliced->head + std::string(spliced->rest);
}

TEST(Envelope, SplicesTheResourceVersion) {
  api::core::v1::Pod pod = sample_pod();
  std::string stored = gen::encode(pod);
  pod.metadata.resource_version = "123456";
  std::string want = gen::encode(pod);
  EXPECT_EQ(with_version(stored, 123456), want);
  EXPECT_EQ(with_version(want, 123456), want);
  pod.metadata.resource_version = "7";
  EXPECT_EQ(with_version(want, 7), gen::encode(pod));
  EXPECT_EQ(schema::view_metadata(with_version("", 9))->resource_version, "9");

  std::string answer, whole;
  ASSERT_TRUE(schema::append_answer({"v1", "Pod"}, stored, 123456, answer));
  schema::wrap({"v1", "Pod"}, want, whole);
  EXPECT_EQ(answer, whole);
  auto envelope = schema::unwrap(answer);
  ASSERT_TRUE(envelope);
  EXPECT_EQ(envelope->type.api_version, "v1");
  EXPECT_EQ(envelope->type.kind, "Pod");
  EXPECT_EQ(envelope->raw, want);
  EXPECT_FALSE(schema::unwrap("junk"));

  api::core::v1::PodList list;
  list.items.push_back(*gen::decode<api::core::v1::Pod>(want));
  std::string bytes = gen::encode(api::core::v1::PodList());
  ASSERT_TRUE(schema::append_list_item(stored, 123456, bytes));
  EXPECT_EQ(bytes, gen::encode(list));
}

TEST(Json, InjectsTheResourceVersion) {
  std::string stored = gen::encode(sample_pod());
  std::string with, without;
  ASSERT_TRUE(schema::append_json(message_of("Pod"), with_version(stored, 42), {.type = {"v1", "Pod"}}, without));
  ASSERT_TRUE(schema::append_json(message_of("Pod"), stored, {.type = {"v1", "Pod"}, .resource_version = "42"}, with));
  EXPECT_EQ(with, without);
  EXPECT_THAT(with, testing::HasSubstr(R"("uid":"0b1c","resourceVersion":"42","generation":3)"));
}

TEST(Json, MetadataAlone) {
  std::string stored = gen::encode(sample_pod());
  std::string json = "[";
  ASSERT_TRUE(schema::append_json(message_of("PartialObjectMetadata"), stored,
                                  {.type = {"meta.k8s.io/v1", "PartialObjectMetadata"}, .resource_version = "5"},
                                  json));
  EXPECT_TRUE(
      json.starts_with(R"([{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1","metadata":{"name":)"));
  EXPECT_THAT(json, testing::HasSubstr(R"("resourceVersion":"5")"));
  EXPECT_THAT(json, testing::Not(testing::HasSubstr("containers")));
}

TEST(Json, EscapesWhereNeededAtEveryLength) {
  for (size_t length = 0; length < 40; ++length) {
    for (size_t at = 0; at <= length; ++at) {
      for (std::string_view special :
           {"\"", "\\", "<", ">", "&", "\n", "\x1f", "\xff", "\xe2\x80\xa8", "=", ";", "?"}) {
        api::core::v1::ConfigMap map;
        std::string text(length, '~');
        text.insert(at, special);
        map.data["k"] = text;
        std::string json;
        ASSERT_TRUE(schema::append_json(message_of("ConfigMap"), gen::encode(map), {}, json));
        std::string want = object::to_json(object::Value(text));
        ASSERT_THAT(json, testing::EndsWith("\"data\":{\"k\":" + want + "}}")) << text;
      }
    }
  }
}

TEST(Defaults, FillWhatIsAbsent) {
  auto pod = object::parse_json(R"({"spec":{"containers":[{"ports":[{"containerPort":1},{"protocol":"UDP"}]}]}})");
  schema::apply_defaults(message_of("Pod"), *pod);
  EXPECT_EQ(object::to_json(*pod),
            R"({"spec":{"containers":[{"ports":[{"containerPort":1,"protocol":"TCP"},{"protocol":"UDP"}]}]}})");
}
}  // namespace
