// The small plugins: tolerations, node taint, default classes, finalizers, topology labels, growth of claims, subjects.
#include <gtest/gtest.h>

#include "admission/plugins/plugins.h"
#include "admission/testing.h"
#include "base/check.h"
#include "gen/certificates/v1.h"
#include "pki/certificate.h"

namespace admission {
namespace {

using testing::Request;
using testing::World;

std::string meta(const std::string& more, const std::string& rest = "") {
  return R"({"metadata":{"name":"x","namespace":"n")" + more + "}" + rest + "}";
}

TEST(DefaultTolerationSeconds, Table) {
  const std::string ready =
      R"({"key":"node.kubernetes.io/not-ready","operator":"Exists","effect":"NoExecute","tolerationSeconds":300})";
  const std::string reach =
      R"({"key":"node.kubernetes.io/unreachable","operator":"Exists","effect":"NoExecute","tolerationSeconds":300})";
  const std::string all = R"({"operator":"Exists"})";
  const std::string other = R"({"key":"node.kubernetes.io/not-ready","operator":"Exists","effect":"NoSchedule"})";
  const std::string own =
      R"({"key":"node.kubernetes.io/not-ready","operator":"Exists","effect":"NoExecute","tolerationSeconds":1})";
  const std::pair<std::string, std::string> cases[] = {
      {"", ready + "," + reach},
      {all, all},
      {other, other + "," + ready + "," + reach},
      {own, own + "," + reach},
      {ready + "," + reach, ready + "," + reach},
  };
  auto plugin = make_default_toleration_seconds();
  for (const auto& [before, after] : cases) {
    Request request(Operation::kCreate, "pods", "core.v1 Pod", "n",
                    meta("", R"(,"spec":{"tolerations":[)" + before + "]}"));
    EXPECT_EQ(request.run(*plugin, World()), "");
    EXPECT_EQ(request.at("spec.tolerations"), "[" + after + "]");
  }
  Request status(Operation::kUpdate, "pods/status", "core.v1 Pod", "n", meta(""), meta(""));
  EXPECT_EQ(status.run(*plugin, World()), "");
  EXPECT_EQ(status.at("spec.tolerations"), "");
}

TEST(TaintNodesByCondition, NewNodesAreNotReady) {
  const std::string taint = R"([{"key":"node.kubernetes.io/not-ready","effect":"NoSchedule"}])";
  auto plugin = make_taint_nodes_by_condition();
  Request fresh(Operation::kCreate, "nodes", "core.v1 Node", "", R"({"metadata":{"name":"x"}})");
  EXPECT_EQ(fresh.run(*plugin, World()), "");
  EXPECT_EQ(fresh.at("spec.taints"), taint);
  Request has(Operation::kCreate, "nodes", "core.v1 Node", "",
              R"({"metadata":{"name":"x"},"spec":{"taints":)" + taint + "}}");
  EXPECT_EQ(has.run(*plugin, World()), "");
  EXPECT_EQ(has.at("spec.taints"), taint);
  Request update(Operation::kUpdate, "nodes", "core.v1 Node", "", R"({"metadata":{"name":"x"}})",
                 R"({"metadata":{"name":"x"}})");
  EXPECT_EQ(update.run(*plugin, World()), "");
  EXPECT_EQ(update.at("spec.taints"), "");
}

TEST(DefaultStorageClass, Table) {
  World world;
  const auto put = [&](const std::string& name, const std::string& created, const std::string& value) {
    world.put("storage.v1 StorageClass", "storage.k8s.io", "storageclasses",
              R"({"metadata":{"name":")" + name + R"(","creationTimestamp":")" + created +
                  R"(","annotations":{"storageclass.kubernetes.io/is-default-class":")" + value +
                  R"("}},"provisioner":"p"})");
  };
  put("a-old", "2020-01-01T00:00:00Z", "true");
  put("b-new", "2021-01-01T00:00:00Z", "true");
  put("c-new", "2021-01-01T00:00:00Z", "true");
  put("d-newest", "2022-01-01T00:00:00Z", "false");
  auto plugin = make_default_storage_class();
  const std::pair<std::string, std::string> cases[] = {
      {meta("", R"(,"spec":{})"), "\"b-new\""},
      {meta("", R"(,"spec":{"storageClassName":""})"), "\"\""},
      {meta("", R"(,"spec":{"storageClassName":"s"})"), "\"s\""},
      {meta(R"(,"annotations":{"volume.beta.kubernetes.io/storage-class":"z"})", R"(,"spec":{})"), ""},
  };
  for (const auto& [json, expected] : cases) {
    Request request(Operation::kCreate, "persistentvolumeclaims", "core.v1 PersistentVolumeClaim", "n", json);
    EXPECT_EQ(request.run(*plugin, world), "");
    EXPECT_EQ(request.at("spec.storageClassName"), expected) << json;
  }
}

TEST(DefaultIngressClass, Table) {
  World world;
  world.put("networking.v1 IngressClass", "networking.k8s.io", "ingressclasses",
            R"({"metadata":{"name":"ic","annotations":{"ingressclass.kubernetes.io/is-default-class":"true"}}})");
  auto plugin = make_default_ingress_class();
  const std::pair<std::string, std::string> cases[] = {
      {meta(""), "\"ic\""},
      {meta("", R"(,"spec":{"ingressClassName":"own"})"), "\"own\""},
      {meta(R"(,"annotations":{"kubernetes.io/ingress.class":"z"})"), ""},
  };
  for (const auto& [json, expected] : cases) {
    Request request(Operation::kCreate, "networking.k8s.io/ingresses", "networking.v1 Ingress", "n", json);
    EXPECT_EQ(request.run(*plugin, world), "");
    EXPECT_EQ(request.at("spec.ingressClassName"), expected) << json;
  }
}

TEST(StorageObjectInUseProtection, Finalizers) {
  struct Case {
    std::string_view resource, type, finalizers;
  };
  const Case cases[] = {
      {"persistentvolumeclaims", "core.v1 PersistentVolumeClaim", R"(["a.b/c","kubernetes.io/pvc-protection"])"},
      {"persistentvolumes", "core.v1 PersistentVolume", R"(["a.b/c","kubernetes.io/pv-protection"])"},
      {"storage.k8s.io/volumeattributesclasses", "storage.v1 VolumeAttributesClass",
       R"(["a.b/c","kubernetes.io/vac-protection"])"},
      {"configmaps", "core.v1 ConfigMap", R"(["a.b/c"])"},
  };
  auto plugin = make_storage_object_in_use_protection();
  for (const Case& c : cases) {
    Request request(Operation::kCreate, c.resource, c.type, "", meta(R"(,"finalizers":["a.b/c"])"));
    EXPECT_EQ(request.run(*plugin, World()), "");
    EXPECT_EQ(request.run(*plugin, World()), "");
    EXPECT_EQ(request.at("metadata.finalizers"), c.finalizers) << c.resource;
  }
}

TEST(PodTopologyLabels, FromTheNode) {
  World world;
  world.put("core.v1 Node", "", "nodes",
            R"({"metadata":{"name":"a","labels":{"topology.kubernetes.io/zone":"z",)"
            R"("topology.kubernetes.io/region":"r","o":"p"}}})");
  auto plugin = make_pod_topology_labels();
  Request on_node(Operation::kCreate, "pods", "core.v1 Pod", "n", meta("", R"(,"spec":{"nodeName":"a"})"));
  EXPECT_EQ(on_node.run(*plugin, world), "");
  EXPECT_EQ(on_node.at("metadata.labels"),
            R"({"topology.kubernetes.io/region":"r","topology.kubernetes.io/zone":"z"})");
  const std::string free = meta(R"(,"labels":{"topology.kubernetes.io/zone":"own"})", R"(,"spec":{})");
  const std::string placed = meta(R"(,"labels":{"topology.kubernetes.io/zone":"own"})", R"(,"spec":{"nodeName":"a"})");
  Request bound(Operation::kUpdate, "pods", "core.v1 Pod", "n", placed, free);
  EXPECT_EQ(bound.run(*plugin, world), "");
  EXPECT_EQ(bound.at("metadata.labels"), R"({"topology.kubernetes.io/region":"r","topology.kubernetes.io/zone":"z"})");
  Request later(Operation::kUpdate, "pods", "core.v1 Pod", "n", placed, placed);
  EXPECT_EQ(later.run(*plugin, world), "");
  EXPECT_EQ(later.at("metadata.labels"), R"({"topology.kubernetes.io/zone":"own"})");
  Request nowhere(Operation::kCreate, "pods", "core.v1 Pod", "n", meta("", R"(,"spec":{"nodeName":"b"})"));
  EXPECT_EQ(nowhere.run(*plugin, world), "");
  EXPECT_EQ(nowhere.at("metadata.labels"), "");
}

TEST(PersistentVolumeClaimResize, Table) {
  World world;
  world.put("storage.v1 StorageClass", "storage.k8s.io", "storageclasses",
            R"({"metadata":{"name":"grows"},"allowVolumeExpansion":true})");
  world.put("storage.v1 StorageClass", "storage.k8s.io", "storageclasses", R"({"metadata":{"name":"fixed"}})");
  const auto claim = [](const std::string& cls, const std::string& storage, const std::string& phase) {
    return meta("", R"(,"spec":{"storageClassName":")" + cls + R"(","resources":{"requests":{"storage":")" + storage +
                        R"("}}},"status":{"phase":")" + phase + "\"}");
  };
  const std::string p = "persistentvolumeclaims \"x\" is forbidden: ";
  const std::string dynamic = p +
                              "only dynamically provisioned pvc can be resized and the storageclass that provisions "
                              "the pvc must support resize";
  struct Case {
    std::string cls, phase, size, refusal;
  };
  const Case cases[] = {
      {"grows", "Bound", "2Gi", ""},
      {"grows", "Bound", "1024Mi", ""},
      {"grows", "Pending", "2Gi", p + "Only bound persistent volume claims can be expanded"},
      {"fixed", "Bound", "2Gi", dynamic},
      {"", "Bound", "2Gi", dynamic},
      {"gone", "Bound", "2Gi", dynamic},
      {"fixed", "Bound", "1Gi", ""},
  };
  auto plugin = make_persistent_volume_claim_resize();
  for (const Case& c : cases) {
    Request request(Operation::kUpdate, "persistentvolumeclaims", "core.v1 PersistentVolumeClaim", "n",
                    claim(c.cls, c.size, c.phase), claim(c.cls, "1Gi", c.phase));
    EXPECT_EQ(request.run(*plugin, world), c.refusal) << c.cls << c.phase << c.size;
  }
}

TEST(CertificateSubjectRestriction, Masters) {
  auto key = pki::PrivateKey::generate_p256();
  ASSERT_TRUE(key);
  const auto refusal = [&](const std::string& organization, const std::string& signer) {
    pki::Subject subject;
    subject.common_name = "x";
    subject.organizations = {organization};
    auto request = pki::CertificateRequest::create(subject, {}, *key);
    CHECK(request.has_value());
    auto plugin = make_certificate_subject_restriction();
    Request asked(Operation::kCreate, "certificates.k8s.io/certificatesigningrequests",
                  "certificates.v1 CertificateSigningRequest", "",
                  R"({"metadata":{"name":"x"},"spec":{"signerName":")" + signer + "\"}}");
    asked.attributes.object->as<api::certificates::v1::CertificateSigningRequest>().spec.request = request->pem();
    return asked.run(*plugin, World());
  };
  EXPECT_EQ(refusal("system:masters", "kubernetes.io/kube-apiserver-client"),
            "certificatesigningrequests.certificates.k8s.io \"x\" is forbidden: use of "
            "kubernetes.io/kube-apiserver-client signer "
            "with system:masters group is not allowed");
  EXPECT_EQ(refusal("dev", "kubernetes.io/kube-apiserver-client"), "");
  EXPECT_EQ(refusal("system:masters", "example.com/own"), "");
}

}  // namespace
}  // namespace admission
