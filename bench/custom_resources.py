#!/usr/bin/env python3
"""What custom resources cost beside a built-in kind of the same size, and what many definitions cost.

custom_resources.py --program build/release/keelson [--definitions 2000] [--objects 2000]

CPU is the server's, from /proc; memory is its resident set. One connection, one request at a time: compare the two
columns, not with measurements under load.
"""
import argparse
import http.client
import json
import os
import pathlib
import ssl
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests" / "lib"))
import program as programs  # noqa: E402

TICK = os.sysconf("SC_CLK_TCK")
GROUP = "bench.example.com"
CUSTOM = f"/apis/{GROUP}/v1/namespaces/default/things0"
BUILT_IN = "/api/v1/namespaces/default/podtemplates"


class Api:
    def __init__(self, server):
        self.pid = server.process.pid
        self.connection = http.client.HTTPSConnection("127.0.0.1", server.port, context=ssl._create_unverified_context())

    def call(self, method, path, body=None, content="application/json", accept="application/json"):
        headers = {"Authorization": f"Bearer {programs.ADMIN_TOKEN}", "Content-Type": content, "Accept": accept}
        self.connection.request(method, path, json.dumps(body) if body is not None else None, headers)
        answer = self.connection.getresponse()
        return answer.status, answer.read()

    def cpu_seconds(self):
        fields = pathlib.Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICK

    def resident_kb(self):
        for line in pathlib.Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS"):
                return int(line.split()[1])
        return 0


def pod_spec():
    return {"containers": [{"name": f"c{i}", "image": "registry.example.com/some/image:v1.2.3",
                            "command": ["/bin/run", "--flag=value", "--other=thing"],
                            "env": [{"name": f"VARIABLE_{j}", "value": "some value of a variable"} for j in range(8)]}
                           for i in range(4)]}


def template():
    return {"metadata": {"labels": {"app": "bench"}}, "spec": pod_spec()}


SCHEMA = {"type": "object", "properties": {"template": {"type": "object", "properties": {
    "metadata": {"type": "object", "properties": {"labels": {"type": "object", "additionalProperties": {"type": "string"}}}},
    "spec": {"type": "object", "properties": {"containers": {
        "type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"],
        "items": {"type": "object", "required": ["name"], "properties": {
            "name": {"type": "string"}, "image": {"type": "string"},
            "command": {"type": "array", "items": {"type": "string"}},
            "env": {"type": "array", "items": {"type": "object", "properties": {
                "name": {"type": "string"}, "value": {"type": "string"}}}}}}}}}}}}}


def definition(index):
    return {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": f"things{index}.{GROUP}"},
            "spec": {"group": GROUP, "scope": "Namespaced",
                     "names": {"plural": f"things{index}", "kind": f"Thing{index}"},
                     "versions": [{"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": SCHEMA},
                                   "subresources": {"status": {}}}]}}


def until(holds, seconds=20):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if holds():
            return
        time.sleep(0.002)
    raise SystemExit("gave up waiting")


def measured(api, times, run):
    """(CPU ms of the server, wall ms) for one run."""
    cpu, wall = api.cpu_seconds(), time.monotonic()
    for i in range(times):
        status, body = run(i)
        if status not in (200, 201):
            raise SystemExit(f"{status} {body[:500]}")
    return (api.cpu_seconds() - cpu) * 1000 / times, (time.monotonic() - wall) * 1000 / times


def compare(api, objects):
    kinds = [("custom", CUSTOM, f"{GROUP}/v1", "Thing0"), ("built-in", BUILT_IN, "v1", "PodTemplate")]

    def body(version, kind, i):
        return {"apiVersion": version, "kind": kind, "metadata": {"name": f"o{i:05}", "labels": {"n": str(i % 10)}},
                "template": template()}
    apply_body = {"metadata": {"labels": {"applied": "yes"}}}
    rows = []
    for what, times, run in (
            ("create", objects, lambda p, v, k: lambda i: api.call("POST", p, body(v, k, i))),
            ("get", objects, lambda p, v, k: lambda i: api.call("GET", f"{p}/o{i:05}")),
            ("merge patch of a label", objects, lambda p, v, k: lambda i: api.call(
                "PATCH", f"{p}/o{i:05}", {"metadata": {"labels": {"x": str(i)}}}, "application/merge-patch+json")),
            ("server-side apply of a label", objects, lambda p, v, k: lambda i: api.call(
                "PATCH", f"{p}/o{i:05}?fieldManager=b", {"apiVersion": v, "kind": k, **apply_body},
                "application/apply-patch+yaml")),
            ("list of all", 20, lambda p, v, k: lambda i: api.call("GET", p)),
            ("list by label, 10 %", 50, lambda p, v, k: lambda i: api.call("GET", p + "?labelSelector=n%3D3")),
            ("list as table", 10, lambda p, v, k: lambda i: api.call(
                "GET", p, accept="application/json;as=Table;v=v1;g=meta.k8s.io"))):
        figures = [measured(api, times, run(path, version, kind)) for _, path, version, kind in kinds]
        rows.append((what, figures[0][0], figures[1][0]))
    print(f"{'what':32} {'custom ms':>10} {'built-in ms':>12} {'ratio':>6}")
    for what, custom, built_in in rows:
        print(f"{what:32} {custom:10.3f} {built_in:12.3f} {custom / built_in if built_in else 0:6.2f}")


def many(api, count):
    path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    before, marks = api.resident_kb(), {}
    for i in range(1, count):
        cpu, wall = api.cpu_seconds(), time.monotonic()
        status, answer = api.call("POST", path, definition(i))
        if status != 201:
            raise SystemExit(f"{status} {answer[:500]}")
        until(lambda: api.call("GET", f"/apis/{GROUP}/v1/namespaces/default/things{i}")[0] == 200)
        marks[i] = ((time.monotonic() - wall) * 1000, (api.cpu_seconds() - cpu) * 1000)
    first = [marks[i] for i in range(1, min(101, count))]
    last = [marks[i] for i in range(max(1, count - 100), count)]
    for name, part in (("first hundred", first), ("last hundred", last)):
        print(f"{name}: {sum(p[0] for p in part) / len(part):.2f} ms until served, "
              f"{sum(p[1] for p in part) / len(part):.2f} ms CPU each")
    print(f"memory: {(api.resident_kb() - before) / max(1, count - 1):.1f} KB a definition")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True)
    parser.add_argument("--definitions", type=int, default=2000)
    parser.add_argument("--objects", type=int, default=2000)
    args = parser.parse_args()
    with programs.Program(args.program, programs.api_server_arguments) as server:
        api = Api(server)
        status, answer = api.call("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", definition(0))
        if status != 201:
            raise SystemExit(f"{status} {answer[:500]}")
        until(lambda: api.call("GET", CUSTOM)[0] == 200)
        compare(api, args.objects)
        many(api, args.definitions)


if __name__ == "__main__":
    main()
