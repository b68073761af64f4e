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
