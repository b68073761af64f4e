#!/usr/bin/env python3
"""What scheduling and controllers cost in the whole program: `keelson up`, driven from outside over TLS.

cluster_load.py [--program build/release/keelson] [--only PART[,PART]]

Each row stands beside the figure of a real cluster (kube-apiserver, etcd, kube-scheduler and kube-controller-manager 1.35 on two
cores, client limits raised) and the bar to reach. The rate is a wall clock's, with this script on the same machine; CPU is the server's, from
/proc, for each object, and is what compares between machines.
"""
import argparse
import json
import os
import pathlib
import socket
import ssl
import statistics
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "lib"))
import program as programs  # noqa: E402

TICK = os.sysconf("SC_CLK_TCK")
NAMESPACE = "/api/v1/namespaces/default"
PATIENCE = 120  # seconds until a part counts as failed
CONNECTIONS = 50


class Connection:
    """HTTP/1.1 over TLS, one request at a time, as little work for each as Python allows."""

    def __init__(self, port):
        context = ssl._create_unverified_context()
        raw = socket.create_connection(("127.0.0.1", port))
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket = context.wrap_socket(raw, server_hostname="127.0.0.1")
        self.buffer = b""

    def call(self, method, path, body=None, content="application/json"):
        """(status, body) of an answer whose length is told."""
        data = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        head = (f"{method} {path} HTTP/1.1\r\nHost: k\r\nAuthorization: Bearer {programs.ADMIN_TOKEN}\r\nContent-Type: {content}\r\n"
                f"Accept: application/json\r\nContent-Length: {len(data)}\r\n\r\n")
        self.socket.sendall(head.encode() + data)
        head, _, rest = self.until(b"\r\n\r\n")
        status, lower = int(head[9:12]), head.lower()
        if b"transfer-encoding: chunked" in lower:
            return status, self.chunks(rest)
        at = lower.index(b"content-length:")
        length = int(lower[at + 15:].split(b"\r\n", 1)[0])
        while len(rest) < length:
            rest += self.more()
        self.buffer = rest[length:]
        return status, rest[:length]

    def more(self):
        data = self.socket.recv(1 << 16)
        if not data:
            raise SystemExit("the server closed a connection")
        return data

    def until(self, mark):
        data = self.buffer
        while mark not in data:
            data += self.more()
        self.buffer = b""
        return data.partition(mark)

    def chunks(self, data):
        """The body of a chunked answer whose first bytes are in data."""
        parts = []
        while True:
            while b"\r\n" not in data:
                data += self.more()
            size, _, data = data.partition(b"\r\n")
            length = int(size, 16)
            while len(data) < length + 2:
                data += self.more()
            parts.append(data[:length])
            data = data[length + 2:]
            if length == 0:
                self.buffer = data
                return b"".join(parts)

    def events(self, path):
        """The events of a watch, for ever."""
        self.socket.sendall((f"GET {path} HTTP/1.1\r\nHost: k\r\nAuthorization: Bearer {programs.ADMIN_TOKEN}\r\n"
                             "Accept: application/json\r\n\r\n").encode())
        _, _, data = self.until(b"\r\n\r\n")
        text = b""
        while True:
            while b"\r\n" not in data or len(data.partition(b"\r\n")[2]) < int(data.partition(b"\r\n")[0] or b"0", 16) + 2:
                data += self.more()
            size, _, data = data.partition(b"\r\n")
            text += data[:int(size, 16)]
            data = data[int(size, 16) + 2:]
            *lines, text = text.split(b"\n")
            for line in lines:
                event = json.loads(line)
                if event["type"] == "ERROR":  # the server ends
                    return
                yield event


class Cluster:
    """A control plane with simulated nodes, or with Node objects that nobody runs."""

    def __init__(self, executable, simulated=0):
        self.program = programs.Program(executable, lambda p: programs.control_plane_arguments(p, simulated))
        self.connection = None

    def __enter__(self):
        self.program.start()
        self.connection = Connection(self.program.port)
        return self

    def __exit__(self, *_):
        self.program.stop()

    def call(self, method, path, body=None, wanted=(200, 201, 202), content="application/json"):
        status, answer = self.connection.call(method, path, body, content)
        if status not in wanted:
            raise SystemExit(f"{method} {path}: {status} {answer[:500]}")
        return json.loads(answer)

    def cpu(self):
        fields = pathlib.Path(f"/proc/{self.program.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICK

    def create_all(self, path, bodies):
        """Posts every body, CONNECTIONS at a time; waits for none but the answers."""
        bodies = [json.dumps(b).encode() for b in bodies]
        turn = iter(range(len(bodies)))
        problems = []

        def work():
            connection = Connection(self.program.port)
            for i in turn:
                status, answer = connection.call("POST", path, bodies[i])
                if status != 201:
                    problems.append(f"{status} {answer[:300]}")
                    return
        threads = [threading.Thread(target=work) for _ in range(min(CONNECTIONS, len(bodies)))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if problems:
            raise SystemExit(f"POST {path}: {problems[0]}")

    def none_left(self, path, selector):
        return not self.call("GET", f"{path}?limit=1&{selector}")["items"]

    def until(self, holds, pause=0.01):
        end = time.monotonic() + PATIENCE
        while not holds():
            if time.monotonic() > end:
                raise SystemExit("gave up waiting")
            time.sleep(pause)


def node(index, cpu="32", zone=None):
    labels = {"kubernetes.io/hostname": f"n{index}", "topology.kubernetes.io/zone": f"z{index % 3 if zone is None else zone}"}
    resources = {"cpu": cpu, "memory": "128Gi", "pods": "110"}
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": f"n{index}", "labels": labels},
            "status": {"capacity": resources, "allocatable": resources, "conditions": [
                {"type": "Ready", "status": "True", "reason": "KubeletReady", "message": "ready", "lastHeartbeatTime": now,
                 "lastTransitionTime": now}]}}


def pod(name, labels=None, cpu="100m", **spec):
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": labels or {"app": "bench"}},
            "spec": {"terminationGracePeriodSeconds": 0, "containers": [
                {"name": "c", "image": "registry.example.com/app:v1", "resources": {"requests": {"cpu": cpu, "memory": "64Mi"}}}],
                **spec}}


def affinity_term(labels, key):
    return {"labelSelector": {"matchLabels": labels}, "topologyKey": key}


def with_nodes(executable, count, cpu="32"):
    cluster = Cluster(executable)
    cluster.__enter__()
    cluster.create_all("/api/v1/nodes", [node(i, cpu) for i in range(count)])
    cluster.until(lambda: cluster.call("GET", NAMESPACE + "/serviceaccounts/default", wanted=(200, 404)).get("kind") == "ServiceAccount")
    time.sleep(1)  # the caches of scheduler and controllers follow
    return cluster


def bound(cluster, pods):
    """(a second, CPU ms each) from the first create until none is without a node."""
    cpu, begun = cluster.cpu(), time.monotonic()
    cluster.create_all(NAMESPACE + "/pods", pods)
    cluster.until(lambda: cluster.none_left(NAMESPACE + "/pods", "fieldSelector=spec.nodeName%3D"))
    return len(pods) / (time.monotonic() - begun), (cluster.cpu() - cpu) * 1000 / len(pods)


def scheduling(executable, nodes, pods):
    cluster = with_nodes(executable, nodes)
    try:
        rate, cpu = bound(cluster, pods)
    finally:
        cluster.__exit__()
    return f"{rate:,.0f}/s", f"{cpu:.2f}"


def plain_1000(executable):
    return scheduling(executable, 1000, [pod(f"p{i}") for i in range(5000)])


def plain_5000(executable):
    return scheduling(executable, 5000, [pod(f"p{i}") for i in range(5000)])


def spread(executable):
    rule = [{"maxSkew": 1, "topologyKey": "topology.kubernetes.io/zone", "whenUnsatisfiable": "DoNotSchedule",
             "labelSelector": {"matchLabels": {"app": "bench"}}}]
    return scheduling(executable, 1000, [pod(f"p{i}", topologySpreadConstraints=rule) for i in range(2000)])


def preferred(executable):
    rule = {"podAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [
        {"weight": 10, "podAffinityTerm": affinity_term({"app": "bench"}, "topology.kubernetes.io/zone")}]}}
    return scheduling(executable, 1000, [pod(f"p{i}", affinity=rule) for i in range(2000)])


def anti_affinity(executable):
    rule = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [
        affinity_term({"app": "bench"}, "kubernetes.io/hostname")]}}
    return scheduling(executable, 1000, [pod(f"p{i}", affinity=rule) for i in range(500)])


def preemption(executable):
    cluster = with_nodes(executable, 500, cpu="4")
    try:
        cluster.call("POST", "/apis/scheduling.k8s.io/v1/priorityclasses", {
            "apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": "high"}, "value": 1000})
        bound(cluster, [pod(f"low{i}", cpu="1") for i in range(2000)])
        rate, cpu = bound(cluster, [pod(f"high{i}", {"app": "high"}, cpu="3", priorityClassName="high") for i in range(500)])
    finally:
        cluster.__exit__()
    return f"{rate:,.0f}/s", f"{cpu:.2f}"


def quantiles(milliseconds):
    ordered = sorted(milliseconds)
    return f"{statistics.median(ordered):.1f}/{ordered[int(len(ordered) * 0.99)]:.1f} ms"


def one_at_a_time(executable):
    cluster = with_nodes(executable, 1000)
    try:
        began, took = {}, []
        watch = Connection(cluster.program.port).events(NAMESPACE + "/pods?watch=1")
        count = 300

        def follow():
            for event in watch:
                name, assigned = event["object"]["metadata"]["name"], event["object"]["spec"].get("nodeName")
                if assigned and name in began:
                    took.append((time.monotonic() - began.pop(name)) * 1000)
                    if len(took) == count:
                        return
        follower = threading.Thread(target=follow, daemon=True)
        follower.start()
        time.sleep(0.2)
        cpu = cluster.cpu()
        for i in range(count):
            body = json.dumps(pod(f"p{i}")).encode()
            began[f"p{i}"] = time.monotonic()
            cluster.call("POST", NAMESPACE + "/pods", body)
            time.sleep(0.05)
        follower.join(PATIENCE)
        return quantiles(took), f"{(cluster.cpu() - cpu) * 1000 / count:.2f}"
    finally:
        cluster.__exit__()


def workload(version, kind, name, spec, template_spec=None, labels=None):
    labels = labels or {"app": name}
    template = {"metadata": {"labels": labels}, "spec": {**pod("x")["spec"], **(template_spec or {})}}
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name}, "spec": {**spec, "template": template}}


def deployment(executable):
    path, count = "/apis/apps/v1/namespaces/default/deployments", 5000
    shown, each = [], []
    with Cluster(executable, 100) as cluster:
        time.sleep(1)

        def status(field):
            answer = cluster.call("GET", path + "/web")
            seen = answer["status"].get("observedGeneration") == answer["metadata"]["generation"]
            return answer["status"].get(field, 0) if seen else 0

        def part(act, done):
            cpu, begun = cluster.cpu(), time.monotonic()
            act()
            cluster.until(done)
            shown.append(f"{time.monotonic() - begun:.1f} s")
            each.append(f"{(cluster.cpu() - cpu) * 1000 / count:.2f}")
        body = workload("apps/v1", "Deployment", "web", {"replicas": count, "selector": {"matchLabels": {"app": "web"}}})
        part(lambda: cluster.call("POST", path, body), lambda: status("availableReplicas") == count)
        patch = {"spec": {"template": {"metadata": {"annotations": {"round": "2"}}}}}
        part(lambda: cluster.call("PATCH", path + "/web", patch, content="application/merge-patch+json"),
             lambda: status("updatedReplicas") == count and status("availableReplicas") == count and status("replicas") == count)
        part(lambda: cluster.call("DELETE", path + "/web"), lambda: cluster.none_left(NAMESPACE + "/pods", "labelSelector=app%3Dweb"))
    return " / ".join(shown), " / ".join(each)


def jobs(executable):
    path = "/apis/batch/v1/namespaces/default/jobs"
    with Cluster(executable, 100) as cluster:
        time.sleep(1)
        cpu, begun = cluster.cpu(), time.monotonic()
        bodies = [workload("batch/v1", "Job", f"j{i}", {"completions": 50, "parallelism": 50}, {"restartPolicy": "Never"})
                  for i in range(20)]
        for body in bodies:
            body["spec"]["template"]["metadata"]["annotations"] = {"hollow.keelson.dev/run-seconds": "0"}
        cluster.create_all(path, bodies)
        cluster.until(lambda: all(j["status"].get("completionTime") for j in cluster.call("GET", path)["items"]), 0.05)
        return f"{time.monotonic() - begun:.1f} s", f"{(cluster.cpu() - cpu) * 1000 / 1000:.2f}"


def daemonset(executable):
    path = "/apis/apps/v1/namespaces/default/daemonsets"
    with Cluster(executable, 1000) as cluster:
        time.sleep(3)
        cpu, begun = cluster.cpu(), time.monotonic()
        cluster.call("POST", path, workload("apps/v1", "DaemonSet", "ds", {"selector": {"matchLabels": {"app": "ds"}}}))
        cluster.until(lambda: cluster.call("GET", path + "/ds")["status"].get("numberAvailable") == 1000)
        return f"{time.monotonic() - begun:.2f} s", f"{(cluster.cpu() - cpu):.2f}"


def endpoint_slices(executable):
    """From a Pod's readiness, as a watch tells it, to the slice that holds it, on another."""
    count = 100
    with Cluster(executable, 3) as cluster:
        cluster.call("POST", NAMESPACE + "/services", {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s"}, "spec": {
            "selector": {"app": "bench"}, "ports": [{"port": 80}]}})
        ready, took, lock = {}, [], threading.Lock()

        def follow_pods():
            for event in Connection(cluster.program.port).events(NAMESPACE + "/pods?watch=1"):
                status, now = event["object"]["status"], time.monotonic()
                if any(c["type"] == "Ready" and c["status"] == "True" for c in status.get("conditions", [])):
                    with lock:
                        ready.setdefault(event["object"]["metadata"]["name"], now)

        seen = {}

        def follow_slices():
            for event in Connection(cluster.program.port).events("/apis/discovery.k8s.io/v1/namespaces/default/endpointslices?watch=1"):
                now = time.monotonic()
                for e in event["object"].get("endpoints") or []:
                    if e.get("conditions", {}).get("ready") and "targetRef" in e:
                        seen.setdefault(e["targetRef"]["name"], now)
        for target in (follow_pods, follow_slices):
            threading.Thread(target=target, daemon=True).start()
        time.sleep(0.5)
        for i in range(count):
            cluster.call("POST", NAMESPACE + "/pods", pod(f"p{i}", cpu="10m"))
            time.sleep(0.2)
        cluster.until(lambda: len(seen) == count and len(ready) == count)
        took = [max(0, seen[name] - ready[name]) * 1000 for name in ready]
    return quantiles(took), ""


def namespace(executable):
    with Cluster(executable) as cluster:
        cluster.call("POST", "/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "big"}})
        cluster.create_all("/api/v1/namespaces/big/configmaps", [
            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": f"c{i}"}, "data": {"a": "b" * 500}} for i in range(2000)])
        cpu, begun = cluster.cpu(), time.monotonic()
        cluster.call("DELETE", "/api/v1/namespaces/big")
        cluster.until(lambda: cluster.call("GET", "/api/v1/namespaces/big", wanted=(200, 404)).get("kind") == "Status")
        if not cluster.none_left("/api/v1/configmaps", "fieldSelector=metadata.namespace%3Dbig"):
            raise SystemExit("the namespace is gone and its objects are not")
        return f"{time.monotonic() - begun:.3f} s", f"{(cluster.cpu() - cpu) / 2:.3f}"


def idle_nodes(executable):
    with Cluster(executable, 5000) as cluster:
        cluster.until(lambda: len(cluster.call("GET", "/api/v1/nodes?resourceVersion=0")["items"]) == 5000, 0.5)
        time.sleep(15)
        cpu, begun = cluster.cpu(), time.monotonic()
        time.sleep(30)
        return f"{(cluster.cpu() - cpu) / (time.monotonic() - begun):.3f} cores, simulated kubelets included", ""


# part: (what, of a real cluster, its CPU ms each, the bar, how to measure)
PARTS = {
    "plain_1000": ("5,000 Pods on 1,000 nodes, create to all bound", "357/s", "5.1", "≥ 3,000/s", plain_1000),
    "plain_5000": ("the same on 5,000 nodes", "195/s", "9.1", "≥ 3,000/s", plain_5000),
    "spread": ("2,000 Pods with topology spread, 1,000 nodes", "281/s", "6.9", "≥ 2,500/s", spread),
    "preferred": ("2,000 Pods with preferred affinity, 1,000 nodes", "279/s", "6.7", "≥ 2,500/s", preferred),
    "anti_affinity": ("500 Pods with required anti-affinity", "187/s", "10.1", "≥ 1,500/s", anti_affinity),
    "preemption": ("500 high-priority Pods that must preempt", "46/s", "39.6", "≥ 500/s", preemption),
    "one": ("one Pod at a time (20/s), create to bound, p50/p99", "6.3/43 ms", "", "≤ 1/5 ms", one_at_a_time),
    "deployment": ("Deployment of 5,000: available / rolled / deleted", "41 / 67 / 15 s", "14.5 / 23 / 5.6", "≤ 4 / 7 / 2 s", deployment),
    "jobs": ("20 Jobs of 50 completions", "8.7 s", "15.8", "≤ 1 s", jobs),
    "daemonset": ("DaemonSet on 1,000 nodes", "4.3 s", "7.4", "≤ 0.5 s", daemonset),
    "slices": ("Pod ready to EndpointSlice, p50/p99", "8/23 ms", "", "≤ 1/5 ms", endpoint_slices),
    "namespace": ("Namespace of 2,000 objects deleted", "9.8 s", "4.3", "≤ 1 s", namespace),
    "idle": ("5,000 nodes, idle but for their heartbeats", "1.2 cores", "2.2", "≤ 0.05 core", idle_nodes),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default=ROOT / "build/release/keelson")
    parser.add_argument("--only", help=f"parts to run, of {','.join(PARTS)}")
    args = parser.parse_args()
    print("| what | real cluster | CPU ms | measured | CPU ms | reach |\n|---|---|---|---|---|---|", flush=True)
    for name in args.only.split(",") if args.only else PARTS:
        what, real, real_cpu, bar, run = PARTS[name]
        measured, cpu = run(args.program)
        print(f"| {what} | {real} | {real_cpu} | {measured} | {cpu} | {bar} |", flush=True)


if __name__ == "__main__":
    main()
