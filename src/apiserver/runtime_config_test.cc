#include "apiserver/runtime_config.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <future>

#include "api/rules.h"
#include "apiserver/discovery/documents.h"
#include "apiserver/discovery/serve.h"
#include "apiserver/local_transport.h"
#include "apiserver/openapi/paths_model.h"
#include "apiserver/options.h"
#include "apiserver/paths.h"
#include "apiserver/respond.h"
#include "apiserver/testing.h"
#include "gen/catalogue.h"
#include "object/json.h"
#include "schema/proto_value.h"

namespace apiserver {
namespace {

std::string refusal(std::string_view flag) {
  auto parsed = RuntimeConfig::parse(flag);
  return parsed ? "" : parsed.error().message;
}

bool enabled(std::string_view flag, std::string_view group, std::string_view version, std::string_view resource,
             std::string_view gates = "") {
  const RuntimeConfig config = RuntimeConfig::parse(flag).value();
  for (const schema::GroupVersion& gv : gen::group_versions()) {
    if (gv.group == group && gv.version == version)
      return config.enabled(gv, resource, api::FeatureGates::parse(gates).value());
  }
  ADD_FAILURE() << group << "/" << version;
  return false;
}

TEST(RuntimeConfig, RefusesWithTheWordsOfUpstream) {
  EXPECT_EQ(refusal(""), "");
  EXPECT_EQ(refusal("api/all=false"), "invalid key with only api/all=false");
  EXPECT_EQ(refusal("api/all=false,/v1=true"), "");
  EXPECT_EQ(refusal("api/beta=yes"), "invalid value api/beta=yes");
  EXPECT_EQ(refusal("api/beta"), "invalid value api/beta=");
  EXPECT_EQ(refusal("v1=false"), "runtime-config invalid key v1");
  EXPECT_EQ(refusal("a/b/c/d"), "runtime-config invalid key a/b/c/d");
  EXPECT_EQ(refusal("wrong.io/v1=true,api/legacy=true,apps/v1=true"), "unknown api groups api,wrong.io");
  EXPECT_EQ(refusal("metrics.k8s.io/v1beta1=true"), "unknown api groups metrics.k8s.io");
  EXPECT_EQ(refusal("apps/v7=true"), "group version apps/v7 that has not been registered");
  EXPECT_EQ(refusal("apps/v1beta1=true"), "") << "registered, and never served";
  EXPECT_EQ(refusal("apps/v1=on"),
            "invalid value of apps/v1: on, err: strconv.ParseBool: parsing \"on\": invalid syntax");
  EXPECT_EQ(refusal("apps/v1/Deployments=true"),
            "invalid key apps/v1/Deployments: group/version/resource and resource is always lowercase plural, not "
            "\"Deployments\"");
  EXPECT_EQ(refusal("apps/v1/nosuch=true"), "") << "resources are not checked";
}

TEST(RuntimeConfig, TheNarrowerKeyWins) {
  EXPECT_TRUE(enabled("", "apps", "v1", "deployments"));
  EXPECT_FALSE(enabled("", "networking.k8s.io", "v1beta1", "ipaddresses"));
  EXPECT_TRUE(enabled("api/beta=true", "networking.k8s.io", "v1beta1", "ipaddresses"));
  EXPECT_FALSE(enabled("api/beta=true", "resource.k8s.io", "v1alpha3", "devicetaintrules"));
  EXPECT_TRUE(enabled("api/alpha=true", "resource.k8s.io", "v1alpha3", "devicetaintrules"));
  EXPECT_FALSE(enabled("api/alpha=true", "scheduling.k8s.io", "v1alpha1", "workloads")) << "it needs its gate too";
  EXPECT_TRUE(enabled("api/alpha=true", "scheduling.k8s.io", "v1alpha1", "workloads", "GenericWorkload=true"));
  EXPECT_FALSE(enabled("api/ga=false", "apps", "v1", "deployments"));
  EXPECT_TRUE(enabled("api/all=false,api/ga=true", "apps", "v1", "deployments")) << "the classes in their order";
  EXPECT_TRUE(enabled("apps/v1,api/all=false", "apps", "v1", "deployments"));
  EXPECT_FALSE(enabled("apps/v1=true,apps/v1/deployments=false", "apps", "v1", "deployments"));
  EXPECT_TRUE(enabled("apps/v1/deployments=true,apps/v1=false", "apps", "v1", "deployments"));
  EXPECT_FALSE(enabled("apps/v1/deployments=true,apps/v1=false", "apps", "v1", "daemonsets"));
  EXPECT_FALSE(enabled("api/all=true", "certificates.k8s.io", "v1beta1", "clustertrustbundles"));
  EXPECT_TRUE(
      enabled("api/all=true", "certificates.k8s.io", "v1beta1", "clustertrustbundles", "ClusterTrustBundle=true"));
}

class SwitchedTest : public ::testing::Test {
 protected:
  void open(std::string_view flag, std::string_view gates = "") {
    test_.adjust = [config = RuntimeConfig::parse(flag).value(),
                    features = api::FeatureGates::parse(gates).value()](CoreOptions& options) {
      options.runtime_config = config;
      options.features = features;
    };
    test_.reopen();
  }
  const Endpoints& endpoints() const { return test_.core->endpoints(); }
  base::Result<client::RawObject> call(client::Verb verb, std::string_view version, std::string_view name,
                                       std::string_view json = "") {
    client::Call call;
    call.verb = verb;
    call.resource = gen::find_resource("networking.k8s.io", version, "ipaddresses", "");
    call.name = verb == client::Verb::kCreate ? "" : name;
    if (!json.empty()) {
      const schema::Message& message = *gen::find_message("networking." + std::string(version), "IPAddress");
      EXPECT_TRUE(schema::encode_value(message, object::parse_json(json).value(), call.body));
    }
    LocalTransport transport(test_.core.get(), User{"system:apiserver", "", {"system:masters"}}, "test");
    std::promise<base::Result<client::RawObject>> done;
    transport.call(std::move(call), [&](base::Result<client::RawObject> result) { done.set_value(std::move(result)); });
    return done.get_future().get();
  }
  testing::TestCore test_;
};

TEST_F(SwitchedTest, AGroupVersionThatIsOffIsNowhereForClients) {
  open("batch/v1=false,autoscaling/v1=false,apps/v1/daemonsets=false");
  EXPECT_EQ(endpoints().find("batch", "v1", "jobs", ""), nullptr);
  EXPECT_EQ(endpoints().lookup("batch", "v1", "jobs", "status"), nullptr);
  EXPECT_NE(endpoints().find_any("batch", "v1", "jobs", "status"), nullptr) << "for components in the process";
  EXPECT_FALSE(endpoints().has_group("batch"));
  EXPECT_TRUE(endpoints().has_group_version("autoscaling", "v2"));
  EXPECT_FALSE(discovery::resource_list(endpoints(), "autoscaling", "v1"));
  EXPECT_FALSE(discovery::group(endpoints(), "batch"));
  const std::string shown = object::to_json(discovery::group_list(endpoints())) +
                            object::to_json(discovery::aggregated(endpoints(), discovery::Scope::kGroups, "v2")) +
                            object::to_json(*discovery::resource_list(endpoints(), "apps", "v1"));
  EXPECT_EQ(shown.find("cronjobs"), std::string::npos);
  EXPECT_EQ(shown.find("autoscaling/v1"), std::string::npos);
  EXPECT_EQ(shown.find("daemonsets"), std::string::npos);
  EXPECT_NE(shown.find("deployments"), std::string::npos);
  for (const openapi::Section& section : openapi::sections(endpoints())) {
    EXPECT_NE(section.name, "apis/batch/v1");
    EXPECT_NE(section.name, "apis/batch");
  }
  Paths paths;
  add_discovery_paths(paths, *test_.core);
  const std::vector<std::string> listed = paths.listed();
  EXPECT_EQ(std::ranges::count(listed, "/apis/batch"), 0);
  EXPECT_EQ(std::ranges::count(listed, "/apis/autoscaling/v1"), 0);
  EXPECT_EQ(std::ranges::count(listed, "/apis/autoscaling/v2"), 1);
}

TEST_F(SwitchedTest, AVersionOfTheSameShapeSharesWhatIsStored) {
  open("networking.k8s.io/v1beta1=true");
  const Endpoint* beta = endpoints().find("networking.k8s.io", "v1beta1", "ipaddresses", "");
  ASSERT_NE(beta, nullptr);
  EXPECT_EQ(beta->stored_api_version, "networking.k8s.io/v1");
  EXPECT_EQ(beta->rules, endpoints().find("networking.k8s.io", "v1", "ipaddresses", "")->rules);
  EXPECT_TRUE(discovery::resource_list(endpoints(), "networking.k8s.io", "v1beta1"));
  const auto made = call(
      client::Verb::kCreate, "v1beta1", "",
      R"({"metadata":{"name":"192.0.2.7"},"spec":{"parentRef":{"resource":"services","namespace":"a","name":"b"}}})");
  ASSERT_TRUE(made) << made.error().message;
  const auto read = call(client::Verb::kGet, "v1", "192.0.2.7");
  ASSERT_TRUE(read) << read.error().message;
  const auto bad = call(client::Verb::kCreate, "v1beta1", "", R"({"metadata":{"name":"nonsense"}})");
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().reason, base::Reason::kInvalid) << "the rules of the stored version";
}

TEST_F(SwitchedTest, AllOfThemCanBeServed) {
  open("api/all=true", "AllAlpha=true,AllBeta=true");
  for (const Endpoint* endpoint : endpoints().all()) {
    EXPECT_TRUE(endpoint->switched_on);
    if (!endpoint->is_stored()) continue;
    EXPECT_NE(endpoint->rules, nullptr) << endpoint->api_version << " " << endpoint->kind;
    EXPECT_NE(endpoint->served->ops, nullptr) << endpoint->api_version << " " << endpoint->kind;
    EXPECT_NE(endpoint->stored->ops, nullptr) << endpoint->api_version << " " << endpoint->kind;
  }
  EXPECT_FALSE(openapi::sections(endpoints()).empty());
  for (const schema::GroupVersion& gv : gen::group_versions()) {
    for (const schema::Resource& row : gv.resources) {
      EXPECT_NE(endpoints().find(row.group, row.version, row.name, row.subresource), nullptr)
          << row.group << "/" << row.version << " " << row.name;
    }
  }
  // Its devices have another shape than those that are stored.
  EXPECT_NE(endpoints().find("resource.k8s.io", "v1beta1", "resourceslices", "")->conversion, nullptr);
  EXPECT_EQ(endpoints().find("resource.k8s.io", "v1beta2", "resourceslices", "")->conversion, nullptr);
}

TEST_F(SwitchedTest, GatesChangeWhatTheServerDoes) {
  const Query query("watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan");
  EXPECT_TRUE(parse_list_options(query, ListUse::kWatch));
  const auto refused = parse_list_options(query, ListUse::kPlainWatch);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find(
                "sendInitialEvents: Forbidden: sendInitialEvents is forbidden for watch unless the WatchList feature "
                "gate is enabled"),
            std::string::npos);
  net::Request request;
  request.headers.push_back({"accept-encoding", "gzip"});
  RequestContext context = test_.context();
  context.http = std::make_shared<net::Request>(request);
  EXPECT_TRUE(accepts_gzip(context));
  open("", "APIResponseCompression=false");
  context.core = test_.core.get();
  EXPECT_FALSE(accepts_gzip(context));
}

}  // namespace
}  // namespace apiserver
