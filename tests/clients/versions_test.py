"""The group versions that are off by default: switched on, each of their resources is created, shown, applied, explained
and deleted with kubectl; and what is written in one version of a resource is read and applied in the others."""
import base64
import json
import pathlib
import shutil
import ssl
import subprocess
import tempfile
import unittest
import urllib.error
import urllib.request

import program as programs

GATES = "ClusterTrustBundle=true,PodCertificateRequest=true,GenericWorkload=true,StorageVersionMigrator=true"
MATCH = {"resourceRules": [{"apiGroups": ["apps"], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"], "resources": ["deployments"]}]}
LABELS = "Object{metadata: Object.metadata{labels: Object.metadata.labels{example: \"true\"}}}"
REQUEST = {"deviceClassName": "example.com", "allocationMode": "ExactCount", "count": 2}
POOL = {"name": "worker1", "generation": 1, "resourceSliceCount": 1}
DEVICE = {"attributes": {"model": {"string": "a1"}}, "capacity": {"memory": {"value": "8Gi"}}}


def openssl(*arguments, **options):
    return subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, **options).stdout


def trust_bundle(directory):
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=root",
            "-keyout", directory / "root.key", "-out", directory / "root.pem")
    return (directory / "root.pem").read_text()


def pod_certificate(directory):
    """A key, and its signature of the Pod's uid."""
    key, uid, signature = directory / "pod.key", directory / "uid", directory / "signature"
    uid.write_text("pod-uid-1")
    openssl("genpkey", "-algorithm", "ed25519", "-out", key)
    openssl("pkeyutl", "-sign", "-rawin", "-inkey", key, "-in", uid, "-out", signature)
    public = openssl("pkey", "-in", key, "-pubout", "-outform", "DER")
    return {"signerName": "example.com/signer", "podName": "pod-1", "podUID": "pod-uid-1", "serviceAccountName": "sa-1",
            "serviceAccountUID": "sa-uid-1", "nodeName": "node-1", "nodeUID": "node-uid-1",
            "pkixPublicKey": base64.b64encode(public).decode(), "proofOfPossession": base64.b64encode(signature.read_bytes()).decode()}


def policy(**spec):
    return {"spec": {"matchConstraints": MATCH, "reinvocationPolicy": "IfNeeded", **spec}}


def objects(directory):
    """(resource.version.group, kind, name, the rest of an object) of everything that is off by default."""
    mutations = [{"patchType": "ApplyConfiguration", "applyConfiguration": {"expression": LABELS}}]
    binding = {"spec": {"policyName": "labels.example.com", "paramRef": {"name": "p", "parameterNotFoundAction": "Allow"}}}
    bundle = {"spec": {"signerName": "example.com/signer", "trustBundle": trust_bundle(directory)}}
    candidate = {"spec": {"leaseName": "lease", "binaryVersion": "1.35.0", "emulationVersion": "1.34.0", "strategy": "OldestEmulationVersion"}}
    claims = {"v1beta1": {"name": "r", **REQUEST}, "v1beta2": {"name": "r", "exactly": REQUEST}}
    devices = {"v1beta1": {"name": "d", "basic": DEVICE}, "v1beta2": {"name": "d", **DEVICE}}
    for version in ("v1beta1", "v1alpha1"):
        yield f"mutatingadmissionpolicies.{version}.admissionregistration.k8s.io", "MutatingAdmissionPolicy", "labels", policy(mutations=mutations)
        yield f"mutatingadmissionpolicybindings.{version}.admissionregistration.k8s.io", "MutatingAdmissionPolicyBinding", "labels", binding
        yield f"clustertrustbundles.{version}.certificates.k8s.io", "ClusterTrustBundle", "example.com:signer:a", bundle
    yield "podcertificaterequests.v1beta1.certificates.k8s.io", "PodCertificateRequest", "r", {"spec": pod_certificate(directory)}
    for version in ("v1beta1", "v1alpha2"):
        yield f"leasecandidates.{version}.coordination.k8s.io", "LeaseCandidate", "Candidate_1", candidate
    yield "workloads.v1alpha1.scheduling.k8s.io", "Workload", "w", {"spec": {"podGroups": [{"name": "g", "policy": {"gang": {"minCount": 2}}}]}}
    for version in ("v1beta1", "v1beta2"):
        group = f"{version}.resource.k8s.io"
        spec = {"devices": {"requests": [claims[version]]}}
        yield f"deviceclasses.{group}", "DeviceClass", "c", {"spec": {"selectors": [{"cel": {"expression": "true"}}]}}
        yield f"resourceclaims.{group}", "ResourceClaim", "c", {"spec": spec}
        yield f"resourceclaimtemplates.{group}", "ResourceClaimTemplate", "t", {"spec": {"spec": spec}}
        yield f"resourceslices.{group}", "ResourceSlice", "s", {
            "spec": {"nodeName": "worker1", "driver": "dra.example.com", "pool": POOL, "devices": [devices[version]]}}
    yield "devicetaintrules.v1alpha3.resource.k8s.io", "DeviceTaintRule", "t", {
        "spec": {"taint": {"key": "example.com/broken", "value": "v", "effect": "NoSchedule"}}}
    yield "storageversions.v1alpha1.internal.apiserver.k8s.io", "StorageVersion", "apps.deployments", {"spec": {}}
    yield "storageversionmigrations.v1beta1.storagemigration.k8s.io", "StorageVersionMigration", "m", {
        "spec": {"resource": {"group": "apps", "resource": "deployments"}}}
    yield "ipaddresses.v1beta1.networking.k8s.io", "IPAddress", "192.0.2.7", {
        "spec": {"parentRef": {"resource": "services", "name": "s", "namespace": "n"}}}
    yield "servicecidrs.v1beta1.networking.k8s.io", "ServiceCIDR", "range", {"spec": {"cidrs": ["192.0.2.0/24"]}}
    yield "volumeattributesclasses.v1beta1.storage.k8s.io", "VolumeAttributesClass", "v", {
        "driverName": "example.com", "parameters": {"a": "b"}}


class Versions(unittest.TestCase):
    executable = None  # set by make_suite

    @classmethod
    def setUpClass(cls):
        cls.directory = pathlib.Path(tempfile.mkdtemp(prefix="keelson-versions-"))
        cls.addClassCleanup(shutil.rmtree, cls.directory, ignore_errors=True)
        cls.program = programs.Program(cls.executable, lambda p: [
            *programs.control_plane_arguments(p, 0), "--runtime-config=api/all=true", f"--feature-gates={GATES}"]).start()
        cls.addClassCleanup(cls.program.stop)

    def kubectl(self, *arguments, stdin=None):
        kubeconfig = self.program.directory / "kubeconfig"
        run = subprocess.run(["kubectl", "--kubeconfig", kubeconfig, *arguments], input=stdin, capture_output=True, text=True, timeout=60)
        self.assertEqual(run.returncode, 0, f"kubectl {' '.join(arguments)}\n{run.stdout}{run.stderr}")
        return run.stdout

    def call(self, method, path, body=None, content="application/json"):
        request = urllib.request.Request(self.program.url + path, method=method, data=None if body is None else json.dumps(body).encode(),
                                         headers={"Authorization": f"Bearer {programs.ADMIN_TOKEN}", "Content-Type": content})
        try:
            with urllib.request.urlopen(request, context=ssl._create_unverified_context(), timeout=30) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read())

    def must(self, *arguments):
        status, answer = self.call(*arguments)
        self.assertIn(status, (200, 201), answer)
        return answer

    def test_every_version_with_kubectl(self):
        for resource, kind, name, rest in objects(self.directory):
            with self.subTest(resource):
                _, version, group = resource.split(".", 2)
                body = {"apiVersion": f"{group}/{version}", "kind": kind, "metadata": {"name": name}, **rest}
                self.kubectl("create", "-f", "-", stdin=json.dumps(body))
                self.assertIn(name, self.kubectl("get", resource))
                self.assertIn(name, self.kubectl("get", resource, "-o", "wide"))
                shown = json.loads(self.kubectl("get", resource, name, "-o", "json"))
                self.assertEqual((shown["apiVersion"], shown["kind"]), (body["apiVersion"], kind))
                self.assert_holds(rest, shown)
                body["metadata"]["labels"] = {"a": "b"}
                self.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=json.dumps(body))
                body["metadata"]["labels"] = {"a": "c"}
                self.kubectl("apply", "-f", "-", stdin=json.dumps(body))
                shown = json.loads(self.kubectl("get", resource, name, "-o", "json"))
                self.assertEqual(shown["metadata"]["labels"], {"a": "c"})
                self.assert_holds(rest, shown)
                self.assertIn(kind, self.kubectl("explain", f"--api-version={group}/{version}", resource.split(".")[0], "--recursive"))
                self.kubectl("delete", resource, name, "--wait=false")
                self.release(resource, name)
                self.assertNotIn(f"/{name}\n", self.kubectl("get", resource, "-o", "name"))

    def release(self, resource, name):
        """Takes the finalizer of what a controller protects."""
        if resource.startswith("volumeattributesclasses"):
            self.call("PATCH", f"/apis/storage.k8s.io/v1/volumeattributesclasses/{name}", {"metadata": {"finalizers": None}},
                      "application/merge-patch+json")

    def assert_holds(self, wanted, shown):
        """What was sent is there; defaults may have come to it."""
        if isinstance(wanted, dict):
            for key, value in wanted.items():
                self.assertIn(key, shown)
                self.assert_holds(value, shown[key])
        elif isinstance(wanted, list):
            self.assertEqual(len(wanted), len(shown))
            for one, other in zip(wanted, shown):
                self.assert_holds(one, other)
        else:
            self.assertEqual(wanted, shown)

    def test_discovery_names_every_version(self):
        listed = set(self.kubectl("api-versions").split())
        for resource, *_ in objects(self.directory):
            _, version, group = resource.split(".", 2)
            self.assertIn(f"{group}/{version}", listed)
        self.assertEqual(len([v for v in listed if "alpha" in v or "beta" in v]), 14, listed)

    def test_applied_in_one_version_and_changed_in_another(self):
        claims = "/apis/resource.k8s.io/{}/namespaces/default/resourceclaims"

        def apply(version, manager, body):
            where = claims.format(version) + f"/mixed?fieldManager={manager}"
            return self.call("PATCH", where, {"apiVersion": f"resource.k8s.io/{version}", "kind": "ResourceClaim",
                                              "metadata": {"name": "mixed", **body.pop("metadata", {})}, **body}, "application/apply-patch+yaml")
        old = {"spec": {"devices": {"requests": [{"name": "r", **REQUEST}]}}}
        status, made = apply("v1beta1", "one", old)
        self.assertEqual(status, 201, made)
        self.assertEqual(made["spec"]["devices"]["requests"], [{"name": "r", **REQUEST}])
        fields = made["metadata"]["managedFields"][0]
        self.assertEqual((fields["manager"], fields["apiVersion"]), ("one", "resource.k8s.io/v1beta1"))
        stored = self.must("GET", claims.format("v1") + "/mixed")
        self.assertEqual(stored["spec"]["devices"]["requests"], [{"name": "r", "exactly": REQUEST}])
        stored["metadata"]["labels"] = {"by": "two"}
        changed = self.must("PUT", claims.format("v1") + "/mixed?fieldManager=two", stored)
        self.assertEqual({f["manager"]: f["apiVersion"] for f in changed["metadata"]["managedFields"]},
                         {"one": "resource.k8s.io/v1beta1", "two": "resource.k8s.io/v1"})
        status, again = apply("v1beta1", "one", {**old, "metadata": {"labels": {"by": "one"}}})
        self.assertEqual(status, 409, again)
        self.assertIn('conflict with "two" using resource.k8s.io/v1', again["message"])
        status, again = apply("v1beta1", "one", {**old, "metadata": {"annotations": {"a": "b"}}})
        self.assertEqual(status, 200, again)
        self.assertEqual(again["metadata"]["labels"], {"by": "two"})
        # The same manager at another version keeps what it owns, and gives up what it no longer names.
        status, moved = apply("v1", "one", {"spec": {"devices": {"requests": [{"name": "r", "exactly": REQUEST}]}}})
        self.assertEqual(status, 200, moved)
        self.assertNotIn("annotations", moved["metadata"])
        self.assertEqual([f["apiVersion"] for f in moved["metadata"]["managedFields"] if f["manager"] == "one"], ["resource.k8s.io/v1"])
        self.assertEqual(self.must("GET", claims.format("v1beta1") + "/mixed")["spec"], made["spec"])
        self.must("DELETE", claims.format("v1beta2") + "/mixed")

    def test_an_owner_takes_its_objects_along(self):
        owner = self.must("POST", "/api/v1/namespaces/default/configmaps", {"metadata": {"name": "owner"}})
        where = "/apis/scheduling.k8s.io/v1alpha1/namespaces/default/workloads"
        reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": owner["metadata"]["uid"]}
        self.must("POST", where, {"metadata": {"name": "owned", "ownerReferences": [reference]},
                                  "spec": {"podGroups": [{"name": "g", "policy": {"basic": {}}}]}})
        self.must("DELETE", "/api/v1/namespaces/default/configmaps/owner")
        self.kubectl("wait", "--for=delete", "workload/owned", "--timeout=20s")
        self.assertEqual(self.call("GET", where + "/owned")[0], 404)

    def test_each_manager_loses_what_changes_in_its_version(self):
        where = "/apis/autoscaling/{}/namespaces/default/horizontalpodautoscalers"
        applied = {"apiVersion": "autoscaling/v1", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "h"}, "spec": {
            "maxReplicas": 3, "targetCPUUtilizationPercentage": 50, "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "d"}}}
        self.must("PATCH", where.format("v1") + "/h?fieldManager=one", applied, "application/apply-patch+yaml")
        newer = self.must("GET", where.format("v2") + "/h")
        newer["spec"]["metrics"] = [{"type": "Resource", "resource": {"name": "memory", "target": {"type": "AverageValue", "averageValue": "1Gi"}}}]
        newer = self.must("PUT", where.format("v2") + "/h?fieldManager=two", newer)
        owned = {f["manager"]: f["fieldsV1"]["f:spec"] for f in newer["metadata"]["managedFields"]}
        self.assertEqual(owned, {"one": {"f:maxReplicas": {}, "f:scaleTargetRef": {}}, "two": {"f:metrics": {}}})
        older = self.must("GET", where.format("v1") + "/h")
        self.assertEqual(older["metadata"]["annotations"], {
            "autoscaling.alpha.kubernetes.io/metrics": '[{"type":"Resource","resource":{"name":"memory","targetAverageValue":"1Gi"}}]'})
        request = urllib.request.Request(self.program.url + where.format("v1") + "/h", headers={
            "Authorization": f"Bearer {programs.ADMIN_TOKEN}", "Accept": "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"})
        with urllib.request.urlopen(request, context=ssl._create_unverified_context(), timeout=30) as answer:
            self.assertNotIn("annotations", json.loads(answer.read())["metadata"])
        # A write in the older version keeps what it carries in annotations.
        older["metadata"]["labels"] = {"a": "b"}
        self.must("PUT", where.format("v1") + "/h?fieldManager=three", older)
        self.assertEqual(self.must("GET", where.format("v2") + "/h")["spec"]["metrics"], newer["spec"]["metrics"])
        self.must("DELETE", where.format("v1") + "/h")

    def test_conflicts_between_shapes(self):
        where = "/apis/resource.k8s.io/{}/resourceslices"
        applied = {"apiVersion": "resource.k8s.io/v1beta1", "kind": "ResourceSlice", "metadata": {"name": "shared"}, "spec": {
            "driver": "d.example", "nodeName": "n", "pool": POOL, "devices": [{"name": "d", "basic": DEVICE}]}}
        self.must("PATCH", where.format("v1beta1") + "/shared?fieldManager=one", applied, "application/apply-patch+yaml")
        newer = self.must("GET", where.format("v1") + "/shared")
        newer["spec"]["devices"][0]["attributes"]["model"] = {"string": "b2"}
        newer = self.must("PUT", where.format("v1") + "/shared?fieldManager=two", newer)
        owned = {f["manager"]: sorted(f["fieldsV1"]["f:spec"]) for f in newer["metadata"]["managedFields"]}
        self.assertEqual(owned, {"one": ["f:driver", "f:nodeName", "f:pool"], "two": ["f:devices"]})
        status, refused = self.call("PATCH", where.format("v1beta1") + "/shared?fieldManager=one", applied, "application/apply-patch+yaml")
        self.assertEqual((status, refused["message"]), (409, 'Apply failed with 1 conflict: conflict with "two" using resource.k8s.io/v1: .spec.devices'))
        made = self.must("PATCH", where.format("v1beta1") + "/shared?fieldManager=one&force=true", applied, "application/apply-patch+yaml")
        self.assertEqual(made["spec"]["devices"], applied["spec"]["devices"])
        self.assertEqual([f["manager"] for f in made["metadata"]["managedFields"]], ["one"])
        self.must("DELETE", where.format("v1") + "/shared")

    def test_warnings_of_what_goes(self):
        def warnings(path):
            request = urllib.request.Request(self.program.url + path, headers={"Authorization": f"Bearer {programs.ADMIN_TOKEN}"})
            with urllib.request.urlopen(request, context=ssl._create_unverified_context(), timeout=30) as answer:
                return answer.headers.get_all("Warning")
        self.assertEqual(warnings("/apis/storage.k8s.io/v1beta1/volumeattributesclasses"), [
            '299 - "storage.k8s.io/v1beta1 VolumeAttributesClass is deprecated in v1.34+, unavailable in v1.37+; '
            'use storage.k8s.io/v1 VolumeAttributesClass"'])
        self.assertEqual(warnings("/apis/resource.k8s.io/v1beta1/deviceclasses"), [
            '299 - "resource.k8s.io/v1beta1 DeviceClass is deprecated in v1.35+, unavailable in v1.38+"'])
        self.assertIsNone(warnings("/apis/resource.k8s.io/v1beta2/deviceclasses"))

    def test_a_namespace_takes_its_objects_along(self):
        self.must("POST", "/api/v1/namespaces", {"metadata": {"name": "gone"}})
        where = "/apis/scheduling.k8s.io/v1alpha1/namespaces/gone/workloads"
        self.must("POST", where, {"metadata": {"name": "w"}, "spec": {"podGroups": [{"name": "g", "policy": {"basic": {}}}]}})
        self.kubectl("delete", "namespace", "gone", "--timeout=20s")
        self.assertEqual(self.must("GET", where)["items"], [])

    def test_watches_show_their_own_version(self):
        slices = "/apis/resource.k8s.io/{}/resourceslices"
        body = {"apiVersion": "resource.k8s.io/v1", "kind": "ResourceSlice", "metadata": {"name": "seen"},
                "spec": {"nodeName": "worker1", "driver": "dra.example.com", "pool": POOL, "devices": [{"name": "d", **DEVICE}]}}
        self.must("POST", slices.format("v1"), body)
        request = urllib.request.Request(self.program.url + slices.format("v1beta1") + "?watch=1&timeoutSeconds=1",
                                         headers={"Authorization": f"Bearer {programs.ADMIN_TOKEN}"})
        with urllib.request.urlopen(request, context=ssl._create_unverified_context(), timeout=30) as answer:
            event = json.loads(answer.readline())
        self.assertEqual(event["object"]["apiVersion"], "resource.k8s.io/v1beta1")
        self.assertEqual(event["object"]["spec"]["devices"], [{"name": "d", "basic": DEVICE}])
        listed = self.must("GET", slices.format("v1beta1") + "?fieldSelector=spec.nodeName%3Dworker1")
        self.assertEqual([i["spec"]["devices"][0]["basic"] for i in listed["items"]], [DEVICE])
        self.must("DELETE", slices.format("v1beta2") + "/seen")

    def test_a_default_of_one_version_alone(self):
        bindings = "/apis/admissionregistration.k8s.io/{}/mutatingadmissionpolicybindings"

        def body(version, name):
            return {"apiVersion": f"admissionregistration.k8s.io/{version}", "kind": "MutatingAdmissionPolicyBinding",
                    "metadata": {"name": name}, "spec": {"policyName": "p", "paramRef": {"name": "x"}}}
        made = self.must("POST", bindings.format("v1alpha1"), body("v1alpha1", "a"))
        self.assertEqual(made["spec"]["paramRef"]["parameterNotFoundAction"], "Deny")
        status, refused = self.call("POST", bindings.format("v1beta1"), body("v1beta1", "b"))
        self.assertEqual((status, refused["details"]["causes"][0]["field"]), (422, "spec.paramRef.parameterNotFoundAction"))
        self.must("DELETE", bindings.format("v1beta1") + "/a")


def make_suite(executable):
    made = type("Versions", (Versions,), {"executable": executable})
    return unittest.defaultTestLoader.loadTestsFromTestCase(made)
