"""What a person does with kubectl, with every kubectl at hand, against `keelson up`.

A flow is one method of Flows; make_suites() makes a class of it for each kubectl. Each flow works in its own namespace.
"""
import json
import os
import pathlib
import re
import shutil
import subprocess
import threading
import time
import unittest

PATIENCE_SECONDS = 20
READY_PODS_SECONDS = 2  # three Pods of a new Deployment run within this time
MANIFESTS = pathlib.Path(__file__).resolve().parent / "manifests"


def find_kubectls():
    """{name: path}: the one on PATH, and versions beside the file that it is a link to."""
    found = {}
    if path := shutil.which("kubectl"):
        real = pathlib.Path(os.path.realpath(path))
        for other in sorted(real.parent.glob("kubectl.1.*")):
            found[other.name] = str(other)
        if not found:
            found["kubectl"] = str(real)
    return found


class Flows:
    """Mixed into a TestCase by make_suites; kubectl and kubeconfig are set there."""

    kubectl = kubeconfig = None

    def setUp(self):
        self.namespace = re.sub(r"[^a-z0-9]+", "-", f"{self.label}-{self._testMethodName[5:]}").strip("-")
        self.k("create", "namespace", self.namespace, namespaced=False)

    def tearDown(self):
        self.run_kubectl(["delete", "namespace", self.namespace, "--wait=false", "--ignore-not-found"], namespaced=False)

    # --- tools of the flows

    def command(self, arguments, namespaced=True):
        scope = ["--namespace", self.namespace] if namespaced else []
        return [self.kubectl, "--kubeconfig", self.kubeconfig, *scope, *arguments]

    def run_kubectl(self, arguments, namespaced=True, stdin=None, env=None):
        home = pathlib.Path(self.kubeconfig).parent
        return subprocess.run(self.command(arguments, namespaced), input=stdin, capture_output=True, text=True,
                              timeout=90, env={**os.environ, "HOME": str(home), **(env or {})})

    def k(self, *arguments, namespaced=True, stdin=None, env=None):
        """kubectl that must succeed; its standard output."""
        run = self.run_kubectl(list(arguments), namespaced, stdin, env)
        self.assertEqual(run.returncode, 0, f"kubectl {' '.join(arguments)}\n{run.stdout}{run.stderr}")
        return run.stdout

    def refused(self, *arguments, stdin=None):
        """kubectl that must fail; its standard error."""
        run = self.run_kubectl(list(arguments), stdin=stdin)
        self.assertNotEqual(run.returncode, 0, f"kubectl {' '.join(arguments)} succeeded:\n{run.stdout}")
        return run.stderr

    def object(self, *arguments, namespaced=True):
        return json.loads(self.k("get", *arguments, "-o", "json", namespaced=namespaced))

    def rows(self, *arguments, namespaced=True):
        """The lines of a table as lists of words; the first is the header."""
        return [line.split() for line in self.k("get", *arguments, namespaced=namespaced).splitlines()]

    def eventually(self, what, holds, seconds=PATIENCE_SECONDS):
        started = time.monotonic()
        while time.monotonic() - started < seconds:
            if (value := holds()):
                return value
            time.sleep(0.05)
        self.fail(f"not within {seconds} s: {what}")

    def running(self, label):
        """The names of the running Pods with this label that are not being deleted."""
        items = self.object("pods", "-l", label)["items"]
        return [p["metadata"]["name"] for p in items
                if p["status"].get("phase") == "Running" and "deletionTimestamp" not in p["metadata"]]

    def deploy(self, replicas=3):
        self.assertEqual(self.k("create", "deployment", "web", "--image=nginx", f"--replicas={replicas}"), "deployment.apps/web created\n")
        self.k("wait", "deployment/web", "--for=condition=Available", "--timeout=20s")
        return self.eventually(f"{replicas} Pods run", lambda: len(p := self.running("app=web")) == replicas and p)

    # --- the flows

    def test_nodes(self):
        header, *nodes = self.rows("nodes", namespaced=False)
        self.assertEqual(header, ["NAME", "STATUS", "ROLES", "AGE", "VERSION"])
        self.assertEqual([n[1] for n in nodes], ["Ready"] * 3)

    def test_deployment_runs_soon(self):
        self.k("create", "deployment", "web", "--image=nginx", "--replicas=3")
        created = time.monotonic()
        self.eventually("three Pods run", lambda: len(self.running("app=web")) == 3)
        took = time.monotonic() - created
        self.assertLess(took, READY_PODS_SECONDS + 1.0)  # a second for starting kubectl a few times
        header, *pods = [re.split(r"\s{2,}", line.strip()) for line in self.k("get", "pods", "-o", "wide").splitlines()]
        self.assertEqual(header, ["NAME", "READY", "STATUS", "RESTARTS", "AGE", "IP", "NODE", "NOMINATED NODE", "READINESS GATES"])
        for pod in pods:
            self.assertEqual(pod[1:4], ["1/1", "Running", "0"])
            self.assertRegex(pod[5], r"^\d+\.\d+\.\d+\.\d+$")
            self.assertNotEqual(pod[6], "<none>")

    def test_deleted_pod_is_replaced(self):
        before = self.deploy()
        self.assertEqual(self.k("delete", "pod", before[0], "--wait=false"), f'pod "{before[0]}" deleted{self.from_namespace()}\n')
        after = self.eventually("another Pod takes its place", lambda: len(p := self.running("app=web")) == 3 and before[0] not in p and p)
        self.assertTrue(set(before[1:]) <= set(after))

    def from_namespace(self):
        """kubectl 1.34 and later say where they deleted from."""
        return f" from {self.namespace} namespace" if self.minor() >= 34 else ""

    def minor(self):
        client = json.loads(self.k("version", "--client", "-o", "json", namespaced=False))["clientVersion"]
        digits = re.match(r"\d+", client.get("minor") or "")
        return int(digits.group(0)) if digits else 35  # built from its module, it does not know its version

    def test_scale(self):
        self.deploy(1)
        self.assertEqual(self.k("scale", "deployment/web", "--replicas=4"), "deployment.apps/web scaled\n")
        self.eventually("four Pods run", lambda: len(self.running("app=web")) == 4)
        self.k("scale", "deployment/web", "--replicas=0")
        self.eventually("no Pod is left", lambda: not self.object("pods", "-l", "app=web")["items"])
        self.assertIn("Expected replicas to be 7, was 0", self.refused("scale", "deployment/web", "--current-replicas=7", "--replicas=1"))

    def test_rollout(self):
        self.deploy(2)
        self.assertIn("successfully rolled out", self.k("rollout", "status", "deployment/web", "--timeout=20s"))
        self.assertEqual(self.k("set", "image", "deployment/web", "nginx=nginx:2"), "deployment.apps/web image updated\n")
        self.assertIn("successfully rolled out", self.k("rollout", "status", "deployment/web", "--timeout=20s"))
        self.eventually("all Pods have the new image", lambda: self.images() == ["nginx:2"])
        revisions = re.findall(r"^(\d+) ", self.k("rollout", "history", "deployment/web"), re.M)
        self.assertEqual(revisions, ["1", "2"])
        self.assertEqual(self.k("rollout", "undo", "deployment/web"), "deployment.apps/web rolled back\n")
        self.k("rollout", "status", "deployment/web", "--timeout=20s")
        self.eventually("all Pods have the old image again", lambda: self.images() == ["nginx"])
        self.assertEqual(re.findall(r"^(\d+) ", self.k("rollout", "history", "deployment/web"), re.M), ["2", "3"])

    def images(self):
        pods = self.object("pods", "-l", "app=web")["items"]
        return sorted({p["spec"]["containers"][0]["image"] for p in pods if "deletionTimestamp" not in p["metadata"]})

    def test_expose(self):
        pods = self.deploy(2)
        self.assertEqual(self.k("expose", "deployment/web", "--port=80", "--target-port=8080"), "service/web exposed\n")
        service = self.object("service", "web")["spec"]
        self.assertRegex(service["clusterIP"], r"^10\.\d+\.\d+\.\d+$")
        self.assertEqual(service["selector"], {"app": "web"})

        def targets():
            slices = self.object("endpointslices", "-l", "kubernetes.io/service-name=web")["items"]
            return sorted(e["targetRef"]["name"] for s in slices for e in s.get("endpoints") or [])

        self.eventually("the slices name both Pods", lambda: targets() == sorted(pods))

    def test_apply_directory(self):
        wanted = {"configmap/settings", "secret/password", "service/shop", "deployment.apps/shop"}

        def apply():
            lines = self.k("apply", "-f", str(MANIFESTS), "-R").splitlines()
            return {line.split()[0]: line.split(" ", 1)[1] for line in lines}

        self.assertEqual(apply(), dict.fromkeys(wanted, "created"))
        self.assertEqual(apply(), dict.fromkeys(wanted, "unchanged"))
        changed = (MANIFESTS / "configmap.yaml").read_text().replace("blue", "green")
        self.assertEqual(self.k("apply", "-f", "-", stdin=changed), "configmap/settings configured\n")
        self.assertEqual(self.object("configmap", "settings")["data"], {"colour": "green"})
        self.assertEqual(self.object("secret", "password")["data"], {"word": "c2VzYW1l"})
        self.assertIn("-  colour: green", self.diff())
        self.k("wait", "deployment/shop", "--for=condition=Available", "--timeout=20s")
        self.k("delete", "-f", str(MANIFESTS), "-R")
        self.assertIn("NotFound", self.refused("get", "configmap", "settings"))

    def diff(self):
        run = self.run_kubectl(["diff", "-f", str(MANIFESTS / "configmap.yaml")])
        self.assertEqual(run.returncode, 1, run.stderr)
        return run.stdout

    def test_server_side_apply(self):
        def manifest(**data):
            return json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "shared"}, "data": data})

        def apply(manager, *flags, **data):
            return self.k("apply", "--server-side", "--field-manager", manager, *flags, "-f", "-", stdin=manifest(**data))

        self.assertEqual(apply("one", a="1", b="1"), "configmap/shared serverside-applied\n")
        apply("two", b="1", c="1")
        text = self.refused("apply", "--server-side", "--field-manager", "two", "-f", "-", stdin=manifest(b="2"))
        self.assertIn('conflict with "one": .data.b', text)
        apply("two", "--force-conflicts", b="2")
        self.assertEqual(self.object("configmap", "shared")["data"], {"a": "1", "b": "2"})
        self.assertEqual(apply("one", "--dry-run=server", a="9"), "configmap/shared serverside-applied (server dry run)\n")
        apply("one", b="2")  # gives up a
        self.assertEqual(self.object("configmap", "shared")["data"], {"b": "2"})
        fields = json.loads(self.k("get", "configmap", "shared", "-o", "json", "--show-managed-fields"))["metadata"]["managedFields"]
        self.assertEqual(sorted((f["manager"], f["operation"], list(f["fieldsV1"]["f:data"])) for f in fields), [("one", "Apply", ["f:b"]), ("two", "Apply", ["f:b"])])
        # kubectl takes managed fields out of what it lets edit, and puts them back.
        self.k("edit", "configmap", "shared", "--show-managed-fields", env={"KUBE_EDITOR": "sed -i s/b:.*/b:\\ x/"})
        fields = json.loads(self.k("get", "configmap", "shared", "-o", "json", "--show-managed-fields"))["metadata"]["managedFields"]
        self.assertEqual([(f["manager"], f["operation"]) for f in fields if "f:b" in f["fieldsV1"]["f:data"]], [("kubectl-edit", "Update")])

    def test_client_side_apply_becomes_server_side(self):
        def manifest(replicas):
            container = {"name": "web", "image": "nginx"}
            return json.dumps({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": {
                "replicas": replicas, "selector": {"matchLabels": {"app": "web"}},
                "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [container]}}}})

        self.k("apply", "-f", "-", stdin=manifest(1))
        self.assertIn("serverside-applied", self.k("apply", "--server-side", "-f", "-", stdin=manifest(2)))
        web = json.loads(self.k("get", "deployment", "web", "-o", "json", "--show-managed-fields"))
        self.assertEqual(web["spec"]["replicas"], 2)
        owners = [f["manager"] for f in web["metadata"]["managedFields"] if "f:replicas" in f["fieldsV1"].get("f:spec", {})]
        self.assertEqual(owners, ["kubectl"])

    def test_explain_recursive(self):
        text = self.k("explain", "pods", "--recursive", namespaced=False)
        for name in ("imagePullPolicy", "nodeAffinity", "hostIPs", "managedFields"):
            self.assertRegex(text, rf"\n +{name}\t")

    def test_describe_and_events(self):
        pod = self.deploy(1)[0]
        text = self.k("describe", "pod", pod)
        for pattern in (rf"^Name:\s+{pod}$", r"^Status:\s+Running$", r"^Controlled By:\s+ReplicaSet/web-", r"^QoS Class:\s+BestEffort$",
                        r"^  Ready\s+True\s*$", r"Normal\s+Scheduled\s+\S+\s+default-scheduler\s+Successfully assigned "):
            self.assertRegex(text, re.compile(pattern, re.M))
        self.assertRegex(self.k("describe", "deployment", "web"),
                         r"Replicas:\s+1 desired \| 1 updated \| 1 total \| 1 available \| 0 unavailable")
        header, *events = self.rows("events")
        self.assertEqual(header, ["LAST", "SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE"])
        reasons = {(e[2], e[3].split("/")[0]) for e in events}
        self.assertLessEqual({("Scheduled", "pod"), ("SuccessfulCreate", "replicaset"), ("ScalingReplicaSet", "deployment")}, reasons)

    def test_unschedulable_pod_says_why(self):
        self.k("run", "big", "--image=x", "--overrides", json.dumps({"spec": {"nodeSelector": {"no": "where"}}}))

        def message():
            found = self.object("events", "--field-selector", "reason=FailedScheduling,involvedObject.name=big")["items"]
            return found and found[0]["message"]

        self.assertRegex(self.eventually("the scheduler says why", message),
                         r"^0/3 nodes are available: 3 node\(s\) didn't match Pod's node affinity/selector\.")

    def test_claims_and_volumes_in_use_are_protected(self):
        volume = f"{self.namespace}-v"
        manifest = f"""
apiVersion: v1
kind: PersistentVolume
metadata: {{name: {volume}}}
spec:
  capacity: {{storage: 1Gi}}
  accessModes: [ReadWriteOnce]
  storageClassName: {self.namespace}
  persistentVolumeReclaimPolicy: Retain
  hostPath: {{path: /nowhere}}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {{name: data}}
spec:
  accessModes: [ReadWriteOnce]
  storageClassName: {self.namespace}
  resources: {{requests: {{storage: 500Mi}}}}
---
apiVersion: v1
kind: Pod
metadata: {{name: user}}
spec:
  containers: [{{name: c, image: img}}]
  volumes: [{{name: data, persistentVolumeClaim: {{claimName: data}}}}]
"""
        self.k("apply", "-f", "-", stdin=manifest)
        self.addCleanup(self.run_kubectl, ["delete", "pv", volume, "--wait=false", "--ignore-not-found"], False)
        self.k("wait", "pvc/data", "--for=jsonpath={.status.phase}=Bound", f"--timeout={PATIENCE_SECONDS}s")
        self.k("wait", "pod/user", "--for=condition=Ready", f"--timeout={PATIENCE_SECONDS}s")
        self.assertEqual(self.rows("pvc", "data")[1][:3], ["data", "Bound", volume])
        self.assertIn(f"{self.namespace}/data", self.rows("pv", volume, namespaced=False)[1])
        self.assertRegex(self.k("describe", "pvc", "data"), r"Used By:\s+user")
        self.k("delete", "pv", volume, "--wait=false", namespaced=False)
        self.k("delete", "pvc", "data", "--wait=false")
        time.sleep(0.5)  # nothing may happen
        self.assertEqual(self.rows("pvc", "data")[1][1], "Terminating")
        self.assertIn("Terminating", self.rows("pv", volume, namespaced=False)[1])
        self.k("delete", "pod", "user", "--grace-period=0", "--force")
        self.k("wait", "pvc/data", "--for=delete", f"--timeout={PATIENCE_SECONDS}s")
        self.k("wait", f"pv/{volume}", "--for=delete", f"--timeout={PATIENCE_SECONDS}s", namespaced=False)

    def test_disruption_budget_and_quota_status(self):
        self.k("create", "quota", "limits", "--hard=pods=5,count/configmaps=9")
        self.k("create", "deployment", "web", "--image=img", "--replicas=3")
        self.k("create", "pdb", "web", "--selector=app=web", "--min-available=2")
        self.k("wait", "deployment/web", "--for=condition=Available", f"--timeout={PATIENCE_SECONDS}s")
        status = lambda kind, name: self.object(kind, name).get("status", {})  # noqa: E731
        self.eventually("one disruption is allowed", lambda: status("pdb", "web").get("disruptionsAllowed") == 1)
        self.assertEqual(status("pdb", "web")["expectedPods"], 3)
        self.eventually("the quota counts", lambda: status("quota", "limits").get("used", {}).get("pods") == "3")
        self.k("scale", "deployment", "web", "--replicas=2")
        self.eventually("no disruption is allowed", lambda: status("pdb", "web").get("disruptionsAllowed") == 0)
        self.eventually("the quota follows", lambda: status("quota", "limits")["used"]["pods"] == "2")

    def test_explain(self):
        text = self.k("explain", "pod.spec.containers", namespaced=False)
        self.assertRegex(text, r"KIND:\s+Pod\nVERSION:\s+v1\n")
        self.assertIn("FIELD: containers <[]Container>", text)
        self.assertRegex(text, r"\n  image\s+<string>")
        self.assertRegex(self.k("explain", "deployment.spec.strategy.rollingUpdate.maxSurge", namespaced=False), "maxSurge")

    def test_api_resources_and_versions(self):
        lines = self.k("api-resources", "--no-headers", namespaced=False).splitlines()
        names = {(line.split()[0], line.split()[-1]) for line in lines}
        for resource in (("pods", "Pod"), ("deployments", "Deployment"), ("customresourcedefinitions", "CustomResourceDefinition")):
            self.assertIn(resource, names)
        self.assertGreaterEqual(len(lines), 60)
        versions = self.k("api-versions", namespaced=False).split()
        self.assertLessEqual({"v1", "apps/v1", "batch/v1", "rbac.authorization.k8s.io/v1", "discovery.k8s.io/v1"}, set(versions))

    def test_get_all(self):
        self.deploy(1)
        text = self.k("get", "all", "-A", namespaced=False)
        for pattern in (rf"^{self.namespace}\s+pod/web-", r"^default\s+service/kubernetes\s+ClusterIP\s+10\.",
                        rf"^{self.namespace}\s+deployment.apps/web\s+1/1", rf"^{self.namespace}\s+replicaset.apps/web-\w+\s+1\s+1\s+1"):
            self.assertRegex(text, re.compile(pattern, re.M))

    def test_edit(self):
        self.k("create", "configmap", "note", "--from-literal=word=before")
        self.assertIn("configmap/note edited", self.k("edit", "configmap", "note", env={"KUBE_EDITOR": "sed -i s/before/after/"}))
        self.assertEqual(self.object("configmap", "note")["data"], {"word": "after"})

    def test_patch_label_annotate(self):
        self.k("create", "configmap", "note", "--from-literal=a=1")
        self.assertEqual(self.k("patch", "configmap", "note", "-p", '{"data":{"b":"2"}}'), "configmap/note patched\n")
        self.assertEqual(self.k("label", "configmap", "note", "x=y"), "configmap/note labeled\n")
        # kubectl 1.27 says "annotate".
        self.assertIn(self.k("annotate", "configmap", "note", "p=q"), ("configmap/note annotated\n", "configmap/note annotate\n"))
        note = self.object("configmap", "note")
        self.assertEqual((note["data"], note["metadata"]["labels"], note["metadata"]["annotations"]), ({"a": "1", "b": "2"}, {"x": "y"}, {"p": "q"}))
        self.assertEqual(self.rows("configmaps", "-l", "x=y", "--no-headers")[0][:2], ["note", "2"])
        self.assertIn("NotFound", self.refused("label", "configmap", "gone", "x=y"))

    def test_delete_namespace(self):
        self.deploy(2)
        self.assertEqual(self.k("delete", "namespace", self.namespace, "--timeout=30s", namespaced=False), f'namespace "{self.namespace}" deleted\n')
        self.assertIn("NotFound", self.refused("get", "namespace", self.namespace))
        self.assertEqual(self.object("pods")["items"], [])

    def test_watch_and_wait(self):
        watch = subprocess.Popen(self.command(["get", "configmaps", "--watch", "--no-headers", "--output-watch-events"]),
                                 stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        lines = []
        reader = threading.Thread(target=lambda: lines.extend(iter(watch.stdout.readline, "")), daemon=True)
        reader.start()
        try:
            self.eventually("the watch shows the root certificate", lambda: any("kube-root-ca.crt" in line for line in lines))
            self.k("create", "configmap", "seen", "--from-literal=a=1")
            self.k("delete", "configmap", "seen")
            self.eventually("the watch shows both changes", lambda: [line.split()[0] for line in lines if " seen " in line] == ["ADDED", "DELETED"])
        finally:
            watch.kill()
            watch.wait()
            reader.join(5)
            watch.stdout.close()
        self.k("create", "deployment", "web", "--image=nginx")
        self.assertEqual(self.k("wait", "deployment/web", "--for=condition=Available", "--timeout=20s"), "deployment.apps/web condition met\n")
        self.k("delete", "deployment", "web", "--wait=false")
        self.k("wait", "pod", "-l", "app=web", "--for=delete", "--timeout=30s")

    def test_job_completes(self):
        self.assertEqual(self.k("create", "job", "once", "--image=busybox", "--", "true"), "job.batch/once created\n")
        self.assertEqual(self.k("wait", "job/once", "--for=condition=Complete", "--timeout=20s"), "job.batch/once condition met\n")
        self.assertEqual(self.object("job", "once")["status"]["succeeded"], 1)

    def test_readyz_and_cluster_info(self):
        text = self.k("get", "--raw", "/readyz?verbose", namespaced=False)
        self.assertIn("[+]ping ok\n", text)
        self.assertTrue(text.endswith("readyz check passed\n"))
        self.assertIn("is running at", self.k("cluster-info", namespaced=False))
        self.assertEqual(json.loads(self.k("get", "--raw", "/version", namespaced=False))["minor"], "35")

    def test_auth_can_i(self):
        self.assertEqual(self.k("auth", "can-i", "delete", "pods"), "yes\n")

    def test_bad_input_is_explained(self):
        bad_name = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: Bad_Name}\n"
        self.assertIn('metadata.name: Invalid value: "Bad_Name"', self.refused("create", "-f", "-", stdin=bad_name))
        unknown = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndatum: {}\n"
        self.assertIn('unknown field "datum"', self.refused("create", "-f", "-", stdin=unknown))
        self.assertIn("unable to parse requirement", self.refused("get", "pods", "-l", "a in (b"))
        self.assertIn("the server doesn't have a resource type", self.refused("get", "nothings"))

    def test_custom_resources(self):
        group = f"{self.namespace}.example.com"
        definition = (MANIFESTS.parent / "crd.yaml").read_text().replace("GROUP", group)
        resource = f"boxes.{group}"
        self.k("apply", "-f", "-", stdin=definition, namespaced=False)
        try:
            self.k("wait", "--for=condition=Established", f"crd/{resource}", "--timeout=10s", namespaced=False)
            self.box_lives(group, resource)
        finally:
            self.k("delete", "crd", resource, "--timeout=30s", namespaced=False)
        self.assertIn("the server doesn't have a resource type", self.refused("get", resource))

    def box_lives(self, group, resource):
        box = f"apiVersion: {group}/v1\nkind: Box\nmetadata: {{name: a}}\nspec: {{label: first}}\n"
        self.assertEqual(self.k("apply", "-f", "-", stdin=box), f"box.{group}/a created\n")
        self.assertEqual(self.k("apply", "-f", "-", stdin=box), f"box.{group}/a unchanged\n")
        self.assertEqual(self.k("apply", "-f", "-", stdin=box.replace("first", "second")), f"box.{group}/a configured\n")
        header, row = self.rows(resource)
        self.assertEqual(header, ["NAME", "LABEL", "ITEMS", "AGE"])
        self.assertEqual(row[:3], ["a", "second", "1"], "the default is there")
        text = self.k("explain", f"{resource}.spec.label")
        self.assertIn("What is written on it.", text)
        self.assertIn("label", self.k("explain", resource, "--recursive"))
        self.k("scale", resource, "a", "--replicas=3")
        self.k("patch", resource, "a", "--type=merge", "-p", '{"spec":{"label":"third"}}')
        self.k("patch", resource, "a", "--type=json", "-p", '[{"op":"add","path":"/metadata/labels","value":{"x":"y"}}]')
        self.k("edit", resource, "a", env={"EDITOR": "sed -i s/third/fourth/"})
        made = self.object(resource, "-l", "x=y")["items"]
        self.assertEqual([b["spec"] for b in made], [{"items": 3, "label": "fourth"}])
        self.assertEqual(self.object(resource, "a")["metadata"]["generation"], 5)
        bad = box.replace("label: first", "label: first, items: 11")
        self.assertIn("should be less than or equal to 10", self.refused("apply", "-f", "-", stdin=bad))
        unknown = box.replace("label: first", "label: first, colour: red")
        self.assertIn('unknown field "spec.colour"', self.refused("apply", "-f", "-", stdin=unknown))
        self.k("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=box)
        self.assertEqual(self.k("get", resource, "a", "-o", "jsonpath={.spec.label}"), "first")
        self.k("delete", resource, "a")
        self.assertEqual(self.object(resource)["items"], [])


class NoKubectl(unittest.TestCase):
    def test_flows(self):
        self.skipTest("no kubectl is installed, and no Go to build one")


TIMED = ("test_deployment_runs_soon",)  # run alone, as they measure


def make_suites(kubeconfig, extra=None, only=None):
    """(suites to run one after the other, suites that may run side by side): the flows for every kubectl found and
    for those of extra, {name: path}."""
    kubectls = {n: p for n, p in {**find_kubectls(), **(extra or {})}.items() if only in (None, n)}
    if not kubectls:
        return [unittest.TestSuite([NoKubectl("test_flows")])], []
    timed, others = [], []
    for name, path in kubectls.items():
        label = name.replace("kubectl.", "k").replace(".", "-")
        flows = type(f"Flows_{label}", (Flows, unittest.TestCase), {"kubectl": path, "kubeconfig": str(kubeconfig), "label": label})
        names = unittest.defaultTestLoader.getTestCaseNames(flows)
        timed.append(unittest.TestSuite(flows(n) for n in names if n in TIMED))
        others.append(unittest.TestSuite(flows(n) for n in names if n not in TIMED))
    return timed, others
