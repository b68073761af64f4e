"""What is written stays: the program is ended politely and by kill -9, and started again on the same directory and port."""
import http.client
import json
import ssl
import threading
import unittest
import urllib.error
import urllib.request

import program as programs

MAPS = "/api/v1/namespaces/default/configmaps"


class Restarts(unittest.TestCase):
    executable = None  # set by make_suite

    def setUp(self):
        self.program = programs.Program(self.executable, lambda p: programs.control_plane_arguments(p, 0)).start()
        self.addCleanup(self.program.stop)

    def call(self, method, path, body=None):
        request = urllib.request.Request(self.program.url + path, method=method, data=json.dumps(body).encode() if body else None,
                                         headers={"Authorization": f"Bearer {programs.ADMIN_TOKEN}", "Content-Type": "application/json"})
        with urllib.request.urlopen(request, context=ssl._create_unverified_context(), timeout=10) as answer:
            return json.loads(answer.read())

    def create(self, name):
        return self.call("POST", MAPS, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"k": "v" * 500}})

    def shown(self):
        return {m["metadata"]["name"]: (m["metadata"]["uid"], m["metadata"]["resourceVersion"], m.get("data")) for m in self.call("GET", MAPS)["items"]}

    def events(self, revision, count):
        """The first events of a watch from that revision: [(type, name)]."""
        c = http.client.HTTPSConnection("127.0.0.1", self.program.port, context=ssl._create_unverified_context(), timeout=15)
        self.addCleanup(c.close)
        c.request("GET", f"{MAPS}?watch=1&resourceVersion={revision}", headers={"Authorization": f"Bearer {programs.ADMIN_TOKEN}"})
        answer = c.getresponse()
        found = [json.loads(answer.readline()) for _ in range(count)]
        return [(e["type"], e["object"].get("metadata", {}).get("name")) for e in found]

    def test_polite_end(self):
        for i in range(20):
            self.create(f"m{i}")
        before = self.shown()
        self.assertEqual(self.program.stop(keep_log=True), 0)
        self.program.start()
        self.assertEqual({n: v for n, v in self.shown().items() if n in before}, before)

    def test_kill_keeps_all_that_was_acknowledged(self):
        acknowledged, stop = {}, threading.Event()

        def write(writer):
            i = 0
            while not stop.is_set():
                name = f"w{writer}-{i}"
                try:
                    acknowledged[name] = self.create(name)["metadata"]["resourceVersion"]
                except (OSError, urllib.error.URLError, http.client.HTTPException, ValueError):
                    return
                i += 1

        writers = [threading.Thread(target=write, args=(n,)) for n in range(4)]
        for w in writers:
            w.start()
        while len(acknowledged) < 100 and any(w.is_alive() for w in writers):
            stop.wait(0.01)
        self.program.kill()
        stop.set()
        for w in writers:
            w.join()
        self.assertGreaterEqual(len(acknowledged), 100)
        self.program.start()
        kept = {name: revision for name, (_, revision, _) in self.shown().items()}
        lost = {n: r for n, r in acknowledged.items() if kept.get(n) != r}
        self.assertEqual(lost, {})
        # A write that was under way may be there or not: at most one for each writer.
        self.assertLessEqual(len([n for n in kept if n.startswith("w") and n not in acknowledged]), len(writers))

    def test_watch_resumes_after_kill(self):
        revision = self.create("first")["metadata"]["resourceVersion"]
        self.create("second")
        self.program.kill()
        self.program.start()
        self.create("third")
        self.assertEqual(self.events(revision, 2), [("ADDED", "second"), ("ADDED", "third")])

    def test_second_process_on_the_same_directory_is_refused(self):
        other = programs.Program(self.executable, lambda p: programs.control_plane_arguments(p, 0), keep_directory=self.program.directory)
        with self.assertRaises(programs.NotReady) as refused:
            other.start()
        self.addCleanup(other.stop)
        self.assertNotIn("was not ready in", str(refused.exception))
        self.assertIn(str(self.program.directory / "data"), str(refused.exception).split("\n", 1)[1])
        self.create("still-served")


def make_suite(executable):
    return unittest.defaultTestLoader.loadTestsFromTestCase(type("Restarts", (Restarts,), {"executable": executable}))
