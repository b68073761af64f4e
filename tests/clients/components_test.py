"""API server, controllers and scheduler as processes of their own: a Deployment's Pods get bound, and when the leading
scheduler dies another takes over."""
import json
import pathlib
import ssl
import subprocess
import time
import unittest
import urllib.error
import urllib.request

import program as programs

PATIENCE_SECONDS = 30
ELECTION = ["--leader-elect-lease-duration=3s", "--leader-elect-renew-deadline=2s", "--leader-elect-retry-period=500ms"]
NODE = "hand-made"
LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases"
DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"
PODS = "/api/v1/namespaces/default/pods"


class Components(unittest.TestCase):
    executable = None  # set by make_suite

    def setUp(self):
        self.server = programs.Program(self.executable, programs.api_server_arguments).start()
        self.addCleanup(self.server.stop)
        self.kubeconfig = self.server.directory / "component.kubeconfig"
        self.kubeconfig.write_text(json.dumps({
            "apiVersion": "v1", "kind": "Config", "current-context": "c",
            "clusters": [{"name": "c", "cluster": {"server": self.server.url, "certificate-authority": "certs/ca.crt"}}],
            "users": [{"name": "u", "user": {"token": programs.ADMIN_TOKEN}}],
            "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}]}))

    def start(self, component, *flags, election=ELECTION):
        """The component through a link of its name; (process, port of its health checks)."""
        link = self.server.directory / component
        if not link.exists():
            link.symlink_to(pathlib.Path(self.executable).resolve())
        port = programs.free_port()
        log = open(self.server.directory / f"{component}-{port}.log", "ab")
        self.addCleanup(log.close)
        process = subprocess.Popen([link, f"--kubeconfig={self.kubeconfig}", "--bind-address=127.0.0.1", f"--secure-port={port}",
                                    *election, *flags], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.addCleanup(self.end, process)
        return process, port

    @staticmethod
    def end(process):
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(programs.STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def call(self, method, path, body=None, media="application/json"):
        request = urllib.request.Request(self.server.url + path, method=method, data=json.dumps(body).encode() if body else None,
                                         headers={"Authorization": f"Bearer {programs.ADMIN_TOKEN}", "Content-Type": media})
        with urllib.request.urlopen(request, context=ssl._create_unverified_context(), timeout=10) as answer:
            return json.loads(answer.read())

    def wait(self, what, get, good):
        """Polls until good(get()); then what it was."""
        end = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                seen = get()
            except (urllib.error.URLError, OSError) as error:
                seen = error
            if not isinstance(seen, Exception) and good(seen):
                return seen
            if time.monotonic() > end:
                logs = "\n".join(f"{p.name}\n{p.read_text(errors='replace')[-1500:]}" for p in self.server.directory.glob("*.log"))
                self.fail(f"{what}: still {seen}\n{logs}")
            time.sleep(0.05)

    def holder(self, name):
        return self.wait(f"a leader of {name}", lambda: self.call("GET", f"{LEASES}/{name}"), lambda lease: lease["spec"].get("holderIdentity"))["spec"]

    def make_node(self):
        self.call("POST", "/api/v1/nodes", {"apiVersion": "v1", "kind": "Node", "metadata": {"name": NODE}})
        capacity = {"cpu": "8", "memory": "16Gi", "pods": "110"}
        self.call("PATCH", f"/api/v1/nodes/{NODE}/status", {"status": {
            "capacity": capacity, "allocatable": capacity,
            "conditions": [{"type": "Ready", "status": "True", "reason": "KubeletReady", "message": "by hand"}]}},
                  "application/strategic-merge-patch+json")

    def bound(self):
        return [p["metadata"]["name"] for p in self.call("GET", PODS)["items"] if p["spec"].get("nodeName") == NODE]

    def test_deployment_and_takeover(self):
        self.start("kube-controller-manager", "--controllers=*,-garbage-collector-controller")
        first, first_port = self.start("kube-scheduler")
        leader = self.holder("kube-scheduler")["holderIdentity"]
        self.assertIn("kube-controller-manager", [item["metadata"]["name"] for item in self.call("GET", LEASES)["items"]]
                      if self.holder("kube-controller-manager") else [])
        self.start("kube-scheduler")
        self.make_node()
        labels = {"app": "web"}
        self.call("POST", DEPLOYMENTS, {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": {
            "replicas": 3, "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "c", "image": "nginx"}]}}}})
        self.wait("three Pods are bound", self.bound, lambda pods: len(pods) == 3)
        with urllib.request.urlopen(f"https://127.0.0.1:{first_port}/healthz", context=ssl._create_unverified_context(), timeout=5) as answer:
            self.assertEqual(answer.read(), b"ok")

        first.kill()
        first.wait()
        self.call("PATCH", f"{DEPLOYMENTS}/web", {"spec": {"replicas": 5}}, "application/merge-patch+json")
        self.wait("five Pods are bound", self.bound, lambda pods: len(pods) == 5)
        after = self.holder("kube-scheduler")
        self.assertNotEqual(after["holderIdentity"], leader)
        self.assertEqual(after["leaseTransitions"], 1)
        messages = [e["message"] for e in self.call("GET", "/api/v1/namespaces/kube-system/events")["items"] if e["reason"] == "LeaderElection"]
        for identity in (leader, after["holderIdentity"]):
            self.assertIn(f"{identity} became leader", messages)

    def test_the_server_goes_and_comes_back(self):
        manager, _ = self.start("kube-controller-manager", election=[])
        scheduler, _ = self.start("kube-scheduler", "--leader-elect=false", election=[])
        self.holder("kube-controller-manager")
        self.make_node()
        self.server.kill()
        self.server.start()
        labels = {"app": "web"}
        self.call("POST", "/apis/apps/v1/namespaces/default/replicasets", {"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": {"name": "web"}, "spec": {
            "replicas": 2, "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "c", "image": "nginx"}]}}}})
        self.wait("two Pods are bound", self.bound, lambda pods: len(pods) == 2)
        self.assertIsNone(manager.poll())
        self.assertIsNone(scheduler.poll())
        for process in (manager, scheduler):
            process.terminate()
            self.assertEqual(process.wait(programs.STOP_SECONDS), 0)

    def exists(self, path):
        try:
            return self.call("GET", path)
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return None
            raise

    def define(self, group="things.example.com"):
        self.call("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", {
            "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": f"notes.{group}"},
            "spec": {"group": group, "scope": "Namespaced", "names": {"plural": "notes", "kind": "Note"}, "versions": [
                {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": {
                    "type": "object", "x-kubernetes-preserve-unknown-fields": True}}}]}})
        path = f"/apis/{group}/v1/namespaces/default/notes"
        self.wait("served", lambda: self.call("GET", path), bool)
        return path

    @staticmethod
    def reference(owner):
        return {"apiVersion": owner["apiVersion"], "kind": owner["kind"], "name": owner["metadata"]["name"],
                "uid": owner["metadata"]["uid"], "blockOwnerDeletion": True}

    def make(self, path, name, owner=None, finalizers=()):
        kind, version = ("Note", "things.example.com/v1") if path.endswith("/notes") else ("ConfigMap", "v1")
        metadata = {"name": name, "finalizers": list(finalizers)}
        if owner:
            metadata["ownerReferences"] = [self.reference(owner)]
        made = self.call("POST", path, {"apiVersion": version, "kind": kind, "metadata": metadata, "data": {"k": "v"}})
        return {"apiVersion": version, "kind": kind, **made}

    def test_custom_objects_are_collected(self):
        """By a process of its own, which learns of definitions while it runs."""
        manager, _ = self.start("kube-controller-manager")
        self.holder("kube-controller-manager")
        notes, maps = self.define(), "/api/v1/namespaces/default/configmaps"
        for propagation in ("Background", "Foreground", "Orphan"):
            owner = self.make(notes, f"owner-{propagation.lower()}")
            self.make(maps, f"map-{propagation.lower()}", owner)
            child = self.make(notes, f"child-{propagation.lower()}", owner)
            self.make(maps, f"grandchild-{propagation.lower()}", child)
            name = owner["metadata"]["name"]
            self.call("DELETE", f"{notes}/{name}", {"propagationPolicy": propagation})
            self.wait(f"{name} is gone", lambda: [self.exists(f"{notes}/{name}")], lambda seen: seen == [None])
            if propagation == "Orphan":
                continue
            for path in (f"{maps}/map-", f"{notes}/child-", f"{maps}/grandchild-"):
                self.wait(f"{path} is gone", lambda: [self.exists(path + propagation.lower())], lambda seen: seen == [None])
        for path in (f"{maps}/map-orphan", f"{notes}/child-orphan"):
            self.assertNotIn("ownerReferences", self.call("GET", path)["metadata"])
        self.assertEqual(self.call("GET", f"{notes}/child-orphan")["data"], {"k": "v"}, "only metadata was touched")
        # A namespace waits for custom objects, and takes them along.
        self.call("POST", "/api/v1/namespaces", {"metadata": {"name": "short"}})
        inside = notes.replace("default", "short")
        self.make(inside, "free")
        self.make(inside, "held", finalizers=["example.com/hold"])
        self.call("DELETE", "/api/v1/namespaces/short")
        self.wait("the free one is gone", lambda: [self.exists(f"{inside}/free")], lambda seen: seen == [None])
        self.wait("the namespace says why it waits", lambda: self.call("GET", "/api/v1/namespaces/short")["status"].get("conditions", []),
                  lambda conditions: any(c["type"] == "NamespaceContentRemaining" and c["message"].endswith(
                      "notes.things.example.com has 1 resource instances") for c in conditions))
        self.call("PATCH", f"{inside}/held", {"metadata": {"finalizers": None}}, "application/merge-patch+json")
        self.wait("the namespace is gone", lambda: [self.exists("/api/v1/namespaces/short")], lambda seen: seen == [None])
        self.call("DELETE", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/notes.things.example.com")
        self.wait("what the last of them owned is gone", lambda: [self.exists(f"{maps}/grandchild-orphan")], lambda seen: seen == [None])
        self.assertIsNone(manager.poll())

    def test_resources_that_are_switched_off(self):
        """What the server does not serve is asked for quietly, holds nobody up, and lets no dependent go."""
        replica_set = self.call("POST", "/apis/apps/v1/namespaces/default/replicasets", {
            "apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": {"name": "web"}, "spec": {
                "replicas": 0, "selector": {"matchLabels": {"a": "b"}}, "template": {
                    "metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "nginx"}]}}}})
        maps = "/api/v1/namespaces/default/configmaps"
        self.make(maps, "of-web", {"apiVersion": "apps/v1", "kind": "ReplicaSet", **replica_set})
        self.server.stop(keep_log=True)
        self.server.command.append("--runtime-config=apps/v1=false,batch/v1=false")
        self.server.start()
        started = time.monotonic()
        self.start("kube-controller-manager")
        self.holder("kube-controller-manager")
        owner = self.make(maps, "owner")
        self.make(maps, "dependent", owner)
        self.call("DELETE", f"{maps}/owner")
        self.wait("the garbage collector works", lambda: [self.exists(f"{maps}/dependent")], lambda seen: seen == [None])
        log = next(self.server.directory.glob("kube-controller-manager-*.log")).read_text()
        self.assertIsNotNone(self.exists(f"{maps}/of-web"), "its owner's kind is switched off")
        told = [line for line in log.splitlines() if "does not serve" in line]
        self.assertEqual(len(told), len(set(line.split(" ", 1)[1] for line in told)), "each is told of once")
        self.assertGreaterEqual(len(told), 7)
        self.assertNotIn("list failed", log)
        self.assertLess(time.monotonic() - started, PATIENCE_SECONDS)

    def test_flags(self):
        for flags, words in ((["--no-such-flag"], "unknown flag: --no-such-flag"),
                             (["--leader-elect-renew-deadline=1h"], "leaseDuration must be greater than renewDeadline")):
            run = subprocess.run([self.executable, "kube-scheduler", f"--kubeconfig={self.kubeconfig}", "--secure-port=0", *flags],
                                 capture_output=True, text=True, timeout=10)
            self.assertEqual(run.returncode, 1)
            self.assertIn(words, run.stderr)


def make_suite(executable):
    Components.executable = str(pathlib.Path(executable).resolve())
    return unittest.defaultTestLoader.loadTestsFromTestCase(Components)
