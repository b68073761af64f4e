"""Custom resources as clients meet them beyond kubectl: conversion webhooks that work, refuse, are slow to come up or
answer nonsense; definitions that come, go and survive a restart; watches that end with them."""
import base64
import http.client
import http.server
import json
import pathlib
import ssl
import subprocess
import tempfile
import threading
import time
import unittest

import program as programs

DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
GROUP = "conv.example.com"


class Webhook:
    """An HTTPS server that answers ConversionReviews; `answer(review)` gives the response."""

    def __init__(self):
        self.directory = tempfile.mkdtemp(prefix="keelson-webhook-")
        key, self.certificate = pathlib.Path(self.directory, "key.pem"), pathlib.Path(self.directory, "cert.pem")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                        "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", self.certificate],
                       check=True, capture_output=True)
        self.answer, self.calls, self.sizes = self.convert, 0, []
        webhook = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                review = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                webhook.calls += 1
                webhook.sizes.append(len(review["request"]["objects"]))
                body = json.dumps(webhook.answer(review)).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, key)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def client_config(self):
        return {"url": f"https://127.0.0.1:{self.server.server_port}/convert",
                "caBundle": base64.b64encode(self.certificate.read_bytes()).decode()}

    @staticmethod
    def convert(review):
        """v1 has spec.text, v2 spec.words."""
        request, made = review["request"], []
        for item in request["objects"]:
            item = json.loads(json.dumps(item))
            item["apiVersion"] = request["desiredAPIVersion"]
            spec = item.setdefault("spec", {})
            if request["desiredAPIVersion"].endswith("/v2") and "text" in spec:
                spec["words"] = spec.pop("text").split()
            elif "words" in spec:
                spec["text"] = " ".join(spec.pop("words"))
            item["metadata"].setdefault("labels", {})["converted"] = "yes"
            made.append(item)
        return {"apiVersion": review["apiVersion"], "kind": "ConversionReview",
                "response": {"uid": request["uid"], "result": {"status": "Success"}, "convertedObjects": made}}


def definition(webhook=None):
    def version(name, field, storage):
        return {"name": name, "served": True, "storage": storage, "schema": {"openAPIV3Schema": {"type": "object", "properties": {
            "spec": {"type": "object", "properties": {field: {"type": "string"} if field == "text" else {
                "type": "array", "items": {"type": "string"}}}}}}}}
    spec = {"group": GROUP, "scope": "Namespaced", "names": {"plural": "notes", "kind": "Note"},
            "versions": [version("v1", "text", True), version("v2", "words", False)]}
    if webhook:
        spec["conversion"] = {"strategy": "Webhook", "webhook": {"clientConfig": webhook.client_config(),
                                                                 "conversionReviewVersions": ["v1"]}}
    return {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": f"notes.{GROUP}"}, "spec": spec}


def path(version, name=""):
    return f"/apis/{GROUP}/{version}/namespaces/default/notes" + (f"/{name}" if name else "")


def protobuf_fields(message):
    """(number, value) of each field that has a length; raises when the lengths do not add up."""
    def varint(at):
        value = shift = 0
        while True:
            value |= (message[at] & 0x7f) << shift
            at, shift = at + 1, shift + 7
            if message[at - 1] < 0x80:
                return value, at
    at, found = 0, []
    while at < len(message):
        key, at = varint(at)
        size, at = varint(at)
        if key & 7 == 2:
            found.append((key >> 3, message[at:at + size]))
            at += size
            if at > len(message):
                raise ValueError("a field is longer than its message")
        elif key & 7 != 0:
            raise ValueError(f"a field of wire type {key & 7}")
    return found


class Definitions(unittest.TestCase):
    executable = None  # set by make_suite

    def setUp(self):
        self.program = programs.Program(self.executable, lambda p: programs.control_plane_arguments(p, 0)).start()
        self.addCleanup(self.program.stop)

    def connect(self):
        connection = http.client.HTTPSConnection("127.0.0.1", self.program.port, context=ssl._create_unverified_context(), timeout=60)
        self.addCleanup(connection.close)
        return connection

    def call(self, method, where, body=None, content="application/json"):
        connection = self.connect()
        connection.request(method, where, json.dumps(body) if body is not None else None,
                           {"Authorization": f"Bearer {programs.ADMIN_TOKEN}", "Content-Type": content})
        answer = connection.getresponse()
        text = answer.read()
        return answer.status, json.loads(text) if text.startswith(b"{") else text.decode()

    def must(self, status, *arguments):
        got, body = self.call(*arguments)
        self.assertEqual(got, status, body)
        return body

    def until(self, what, holds, seconds=10):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if holds():
                return
            time.sleep(0.01)
        self.fail(f"not within {seconds} s: {what}")

    def define(self, body):
        self.must(201, "POST", DEFINITIONS, body)
        self.until("served", lambda: self.call("GET", path("v1"))[0] == 200)

    def note(self, version, name, **spec):
        return {"apiVersion": f"{GROUP}/{version}", "kind": "Note", "metadata": {"name": name}, "spec": spec}

    def test_webhook_converts_both_ways(self):
        webhook = Webhook()
        self.define(definition(webhook))
        self.must(201, "POST", path("v1"), self.note("v1", "a", text="some words"))
        self.assertEqual(webhook.calls, 0, "what is asked for in the stored version is not converted")
        second = self.must(200, "GET", path("v2", "a"))
        self.assertEqual((second["apiVersion"], second["spec"]), (f"{GROUP}/v2", {"words": ["some", "words"]}))
        self.assertEqual(second["metadata"]["labels"], {"converted": "yes"})
        self.must(201, "POST", path("v2"), self.note("v2", "b", words=["x", "y"]))
        self.assertEqual(self.must(200, "GET", path("v1", "b"))["spec"], {"text": "x y"})
        listed = self.must(200, "GET", path("v2"))
        self.assertEqual([i["spec"]["words"] for i in listed["items"]], [["some", "words"], ["x", "y"]])
        patched = self.must(200, "PATCH", path("v2", "a"), {"spec": {"words": ["new"]}}, "application/merge-patch+json")
        self.assertEqual(patched["spec"], {"words": ["new"]})
        self.assertEqual(self.must(200, "GET", path("v1", "a"))["spec"], {"text": "new"})

    def test_watch_in_another_version(self):
        webhook = Webhook()
        self.define(definition(webhook))
        connection = self.connect()
        connection.request("GET", path("v2") + "?watch=1", headers={"Authorization": f"Bearer {programs.ADMIN_TOKEN}"})
        stream = connection.getresponse()
        self.must(201, "POST", path("v1"), self.note("v1", "a", text="one two"))
        event = json.loads(stream.readline())
        self.assertEqual((event["type"], event["object"]["spec"]), ("ADDED", {"words": ["one", "two"]}))

    def test_webhook_that_fails(self):
        webhook = Webhook()
        self.define(definition(webhook))
        self.must(201, "POST", path("v1"), self.note("v1", "a", text="t"))
        good = webhook.answer
        prefix = f"conversion webhook for {GROUP}/v1, Kind=Note "

        def broken(change):
            def answer(review):
                made = good(review)
                change(made["response"])
                return made
            return answer
        cases = [
            (broken(lambda r: r.update(uid="other")), "failed: expected response.uid="),
            (broken(lambda r: r.update(result={"status": "Failure", "message": "no way"})), "failed: no way"),
            (broken(lambda r: r.update(convertedObjects=[])), "returned 0 objects, expected 1"),
            (broken(lambda r: r.update(convertedObjects=[{"spec": {}}])), None),
            (broken(lambda r: r["convertedObjects"][0].update(apiVersion="x/v9")),
             f"returned invalid object at index 0: invalid groupVersion (expected {GROUP}/v2, received x/v9)"),
            (broken(lambda r: r["convertedObjects"][0].update(kind="Other")),
             "returned invalid object at index 0: invalid kind (expected Note, received Other)"),
            (broken(lambda r: r["convertedObjects"][0]["metadata"].update(name="b")),
             "returned invalid object: must have the same name: a != b"),
            (broken(lambda r: r["convertedObjects"][0]["metadata"].update(namespace="n")),
             "returned invalid object: must have the same namespace: default != n"),
            (broken(lambda r: r["convertedObjects"][0]["metadata"].update(uid="u")), "returned invalid object: must have the same UID: "),
            (broken(lambda r: r["convertedObjects"][0].update(metadata="m")),
             "returned invalid object: must have the same name: a != "),
            (broken(lambda r: r["convertedObjects"][0]["metadata"].update(labels=["x"])),
             "returned invalid metadata: invalid metadata.labels of type []interface {} in converted object"),
            (broken(lambda r: r["convertedObjects"][0]["metadata"].update(annotations={"x": 1})),
             "returned invalid metadata: metadata.annotations[x] must be a string, but is int64 in converted object"),
            (broken(lambda r: r["convertedObjects"][0]["metadata"].update(labels={"x": "no good"})),
             'returned invalid metadata: metadata.labels: Invalid value: "no good": a valid label must be '),
            (lambda review: {"kind": "Other"}, "failed: expected webhook response of "),
            (lambda review: [], "failed: "),
        ]
        for answer, expected in cases:
            webhook.answer = answer
            body = self.must(500, "GET", path("v2", "a"))
            if expected is None:
                self.assertTrue(body["message"].startswith("Object 'Kind' is missing in '{"), body["message"])
            else:
                self.assertTrue(body["message"].startswith(prefix + expected), body["message"])
            self.must(500, "PUT", path("v2", "a"), self.note("v2", "a", words=["changed"]))
        webhook.server.shutdown()
        webhook.server.server_close()
        self.assertIn(prefix + 'failed: Post "https://127.0.0.1:', self.must(500, "GET", path("v2", "a"))["message"])
        self.assertEqual(self.must(200, "GET", path("v1", "a"))["spec"], {"text": "t"}, "nothing has changed")

    def test_list_and_watch_convert_with_one_call(self):
        webhook = Webhook()
        self.define(definition(webhook))
        count = 100
        for i in range(count):
            self.must(201, "POST", path("v1"), self.note("v1", f"n{i:03}", text=f"text {i}"))
        listed = self.must(200, "GET", path("v2"))["items"]
        self.assertEqual([i["spec"]["words"][1] for i in listed], [str(i) for i in range(count)])
        self.assertEqual(webhook.sizes, [count])
        stream = self.watch(path("v2") + "?watch=1")
        events = [json.loads(stream.readline()) for _ in range(count)]
        self.assertEqual({e["object"]["metadata"]["labels"]["converted"] for e in events}, {"yes"})
        self.assertEqual(webhook.sizes, [count, count])
        # Those that are stored in the version that is asked for are not sent.
        changed = self.must(200, "GET", f"{DEFINITIONS}/notes.{GROUP}")
        for version in changed["spec"]["versions"]:
            version["storage"] = version["name"] == "v2"
        self.must(200, "PUT", f"{DEFINITIONS}/notes.{GROUP}", changed)
        self.until("v2 is stored", lambda: self.call("PATCH", path("v1", "n007"), {"metadata": {"labels": {"x": str(time.time())}}},
                                                     "application/merge-patch+json")[0] == 200 and
                   self.call("GET", path("v2") + "?limit=8")[0] == 200 and webhook.sizes[-1] == 7)
        del webhook.sizes[:]
        self.assertEqual(len(self.must(200, "GET", path("v2"))["items"]), count)
        self.assertEqual(webhook.sizes, [count - 1])
        # One that is bad fails the list, which says where.
        good = webhook.answer

        def bad(review):
            made = good(review)
            made["response"]["convertedObjects"][5]["metadata"]["name"] = "other"
            return made
        webhook.answer = bad
        self.assertEqual(self.must(500, "GET", path("v2"))["message"],
                         f"conversion webhook for {GROUP}/v2, Kind=NoteList returned invalid converted object at index 5: "
                         "must have the same name: n005 != other")

    def test_metadata_in_protobuf_is_that_of_converted_objects(self):
        self.define(definition(Webhook()))
        for name in ("a", "b"):
            self.must(201, "POST", path("v1"), self.note("v1", name, text="t"))
        connection = self.connect()
        connection.request("GET", path("v2"), None, {
            "Authorization": f"Bearer {programs.ADMIN_TOKEN}",
            "Accept": "application/vnd.kubernetes.protobuf;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"})
        answer = connection.getresponse()
        body = answer.read()
        self.assertEqual(answer.status, 200, body)
        raw = dict(protobuf_fields(body[4:]))[2]  # the list, in its envelope
        items = [value for number, value in protobuf_fields(raw) if number == 2]
        self.assertEqual(len(items), 2)
        for item in items:
            self.assertIn(b"converted", item)

    def test_older_form_of_reviews(self):
        webhook = Webhook()
        made = definition(webhook)
        made["spec"]["conversion"]["webhook"]["conversionReviewVersions"] = ["v9", "v1beta1", "v1"]
        self.define(made)
        self.must(201, "POST", path("v1"), self.note("v1", "a", text="t"))
        good, seen = webhook.answer, []

        def answer(review):
            seen.append(review["apiVersion"])
            done = good(review)
            done["response"].pop("uid")
            return done
        webhook.answer = answer
        self.assertEqual(self.must(200, "GET", path("v2", "a"))["spec"], {"words": ["t"]})
        self.assertEqual(seen, ["apiextensions.k8s.io/v1beta1"])

    def watch(self, where):
        connection = self.connect()
        connection.request("GET", where, headers={"Authorization": f"Bearer {programs.ADMIN_TOKEN}"})
        return connection.getresponse()

    def change(self, edit):
        while True:
            changed = self.must(200, "GET", f"{DEFINITIONS}/notes.{GROUP}")
            edit(changed)
            status, body = self.call("PUT", f"{DEFINITIONS}/notes.{GROUP}", changed)
            if status != 409:
                self.assertEqual(status, 200, body)
                return

    def test_watches_end_when_the_definition_changes(self):
        self.define(definition())
        stream = self.watch(path("v1") + "?watch=1")
        self.must(201, "POST", path("v1"), self.note("v1", "a", text="t", count=1))
        first = json.loads(stream.readline())
        self.assertEqual(first["object"]["spec"], {"text": "t"})
        # Metadata says nothing of what is served.
        self.change(lambda d: d["metadata"].setdefault("labels", {}).update(x="y"))
        self.must(201, "POST", path("v1"), self.note("v1", "b", text="t"))
        self.assertEqual(json.loads(stream.readline())["object"]["metadata"]["name"], "b")
        self.change(lambda d: d["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"].update(
            count={"type": "integer"}))
        self.assertEqual(stream.read(), b"", "the stream just ends")
        stream = self.watch(path("v1") + "?watch=1&resourceVersion=" + first["object"]["metadata"]["resourceVersion"])
        self.assertEqual(json.loads(stream.readline())["object"]["metadata"]["name"], "b", "nothing is lost")
        self.must(201, "POST", path("v1"), self.note("v1", "c", text="t", count=1))
        self.assertEqual(json.loads(stream.readline())["object"]["spec"], {"text": "t", "count": 1}, "as the new schema says")

    def test_informer_sees_all_while_the_definition_changes(self):
        """A client that watches again from its last revision sees every object once, however often the definition changes."""
        self.define(definition())
        total, seen, streams = 300, [], [0]
        start = self.must(200, "GET", path("v1"))["metadata"]["resourceVersion"]

        def follow():
            version = start
            while len(seen) < total:
                streams[0] += 1
                stream = self.watch(path("v1") + f"?watch=1&allowWatchBookmarks=true&resourceVersion={version}")
                for line in stream:
                    event = json.loads(line)
                    version = event["object"]["metadata"]["resourceVersion"]
                    seen.append((event["type"], event["object"]["metadata"].get("name")))
                    if len(seen) >= total:
                        return
        follower = threading.Thread(target=follow, daemon=True)
        follower.start()
        for i in range(total):
            self.must(201, "POST", path("v1"), self.note("v1", f"n{i}", text="t"))
            if i % 30 == 15:
                self.change(lambda d: d["spec"]["versions"][0].update(additionalPrinterColumns=[
                    {"name": f"C{i}", "type": "string", "jsonPath": ".spec.text"}]))
        follower.join(20)
        self.assertEqual(seen, [("ADDED", f"n{i}") for i in range(total)])
        self.assertGreater(streams[0], 5)

    def test_selectable_fields_of_every_type(self):
        made = definition()
        version = made["spec"]["versions"][0]
        version["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"].update(
            on={"type": "boolean"}, size={"type": "integer"}, deep={"type": "object", "properties": {"a": {"type": "string"}}})
        version["selectableFields"] = [{"jsonPath": f".spec.{name}"} for name in ("text", "on", "size", "deep.a")]
        self.define(made)
        stream = self.watch(path("v1") + "?watch=1&fieldSelector=spec.on%3Dtrue")
        self.must(201, "POST", path("v1"), self.note("v1", "a", text="x", on=True, size=5, deep={"a": "z"}))
        self.must(201, "POST", path("v1"), self.note("v1", "b", text="y", on=False, size=-5))
        self.must(201, "POST", path("v1"), self.note("v1", "c"))
        for selector, names in (("spec.on=true", ["a"]), ("spec.on=false", ["b"]), ("spec.on=", ["c"]), ("spec.on!=true", ["b", "c"]),
                                ("spec.size=5", ["a"]), ("spec.size=-5,spec.on=false", ["b"]), ("spec.text=y", ["b"]),
                                ("spec.deep.a=z", ["a"]), ("spec.deep.a!=z,metadata.name=b", ["b"])):
            listed = self.must(200, "GET", path("v1") + "?fieldSelector=" + selector.replace("=", "%3D").replace(",", "%2C"))
            self.assertEqual([i["metadata"]["name"] for i in listed["items"]], names, selector)
        self.assertEqual(json.loads(stream.readline())["object"]["metadata"]["name"], "a")
        refused = self.must(400, "GET", path("v1") + "?fieldSelector=spec.none%3D1")
        self.assertEqual(refused["message"], "field label not supported: spec.none")

    def test_ca_bundle(self):
        """A bundle that is no bundle is let in until the definition is established, and may then stay as it is."""
        webhook = Webhook()
        made = definition(webhook)
        good = made["spec"]["conversion"]["webhook"]["clientConfig"]["caBundle"]
        self.define(made)
        name = f"{DEFINITIONS}/notes.{GROUP}"

        def put(bundle):
            changed = self.must(200, "GET", name)
            changed["spec"]["conversion"]["webhook"]["clientConfig"]["caBundle"] = bundle
            return self.call("PUT", name, changed)
        status, body = put("Q2c9PQ==")
        self.assertEqual(status, 422)
        self.assertIn('spec.conversion.webhookClientConfig.caBundle: Invalid value: "Q2c9PQ==": unable to load root certificates: '
                      "unable to parse bytes as PEM block", body["message"])
        self.assertEqual(put("")[0], 200)
        self.assertEqual(put(good)[0], 200)
        other = definition(webhook)
        other["metadata"]["name"], other["spec"]["names"] = f"texts.{GROUP}", {"plural": "texts", "kind": "Text"}
        other["spec"]["conversion"]["webhook"]["clientConfig"]["caBundle"] = "Q2c9PQ=="
        self.must(201, "POST", DEFINITIONS, other)

    def test_slow_webhook_stops_nobody_else(self):
        webhook = Webhook()
        self.define(definition(webhook))
        self.must(201, "POST", path("v1"), self.note("v1", "a", text="t"))
        good, release = webhook.answer, threading.Event()

        def slow(review):
            release.wait(20)
            return good(review)
        webhook.answer = slow
        waiting = [threading.Thread(target=self.call, args=("GET", path("v2", "a"))) for _ in range(12)]
        for thread in waiting:
            thread.start()
        started = time.monotonic()
        self.must(200, "GET", "/api/v1/namespaces")
        self.must(201, "POST", "/api/v1/namespaces/default/configmaps", {"metadata": {"name": "meanwhile"}})
        self.assertLess(time.monotonic() - started, 5)
        release.set()
        for thread in waiting:
            thread.join()

    def test_definition_goes_with_its_objects_and_watches(self):
        self.define(definition())
        held = self.note("v1", "held", text="t")
        held["metadata"]["finalizers"] = ["example.com/hold"]
        self.must(201, "POST", path("v1"), held)
        self.must(201, "POST", path("v1"), self.note("v1", "free", text="t"))
        connection = self.connect()
        connection.request("GET", path("v1") + "?watch=1", headers={"Authorization": f"Bearer {programs.ADMIN_TOKEN}"})
        stream = connection.getresponse()
        self.must(200, "DELETE", f"{DEFINITIONS}/notes.{GROUP}")
        self.until("the free one is gone", lambda: self.call("GET", path("v1", "free"))[0] == 404)
        shown = self.must(200, "GET", f"{DEFINITIONS}/notes.{GROUP}")
        self.assertIn(("Terminating", "True", "InstanceDeletionInProgress"),
                      [(c["type"], c["status"], c["reason"]) for c in shown["status"]["conditions"]])
        refused = self.must(405, "POST", path("v1"), self.note("v1", "late", text="t"))
        self.assertEqual(refused["message"], "create not allowed while custom resource definition is terminating")
        self.must(200, "PATCH", path("v1", "held"), {"metadata": {"finalizers": None}}, "application/merge-patch+json")
        self.until("the definition is gone", lambda: self.call("GET", f"{DEFINITIONS}/notes.{GROUP}")[0] == 404)
        self.until("nothing is served", lambda: self.call("GET", path("v1"))[0] == 404)
        lines = [json.loads(line) for line in stream.read().splitlines()]
        self.assertEqual([e["type"] for e in lines if e["type"] == "DELETED"], ["DELETED", "DELETED"])
        self.assertNotIn("ERROR", [e["type"] for e in lines])

    def test_what_follows_a_group(self):
        self.define(definition())
        names = {f"{v}.{GROUP}" for v in ("v1", "v2")}

        def services():
            listed = self.must(200, "GET", "/apis/apiregistration.k8s.io/v1/apiservices")["items"]
            return {s["metadata"]["name"] for s in listed} & names
        self.until("APIServices are there", lambda: services() == names, 1)
        self.assertLessEqual({f"apis/{GROUP}/v1", f"apis/{GROUP}/v2"}, set(self.must(200, "GET", "/openapi/v3")["paths"]))
        self.assertIn("com.example.conv.v1.NoteList", self.must(200, "GET", "/openapi/v2")["definitions"])
        schemas = self.must(200, "GET", f"/openapi/v3/apis/{GROUP}/v1")["components"]["schemas"]
        self.assertEqual(schemas["com.example.conv.v1.Note"]["properties"]["spec"]["properties"], {"text": {"type": "string"}})
        self.must(200, "DELETE", f"{DEFINITIONS}/notes.{GROUP}")
        self.until("APIServices are gone", lambda: not services(), 1)
        self.assertNotIn(f"apis/{GROUP}/v1", self.must(200, "GET", "/openapi/v3")["paths"])
        self.assertNotIn(GROUP, [g["name"] for g in self.must(200, "GET", "/apis")["groups"]])

    def test_namespace_takes_its_objects_along(self):
        self.define(definition())
        self.must(201, "POST", "/api/v1/namespaces", {"metadata": {"name": "short"}})
        self.must(201, "POST", f"/apis/{GROUP}/v1/namespaces/short/notes", self.note("v1", "a", text="t"))
        self.must(200, "DELETE", "/api/v1/namespaces/short")
        self.until("the namespace is gone", lambda: self.call("GET", "/api/v1/namespaces/short")[0] == 404)
        self.assertEqual(self.must(200, "GET", f"/apis/{GROUP}/v1/notes")["items"], [])

    def test_garbage_collection(self):
        """A custom object as owner and as dependent; its definition may come after what refers to it."""
        config_maps = "/api/v1/namespaces/default/configmaps"

        def owned_by(owner, name, kind="ConfigMap", version="v1"):
            reference = {"apiVersion": owner["apiVersion"], "kind": owner["kind"], "name": owner["metadata"]["name"],
                         "uid": owner["metadata"]["uid"], "blockOwnerDeletion": True}
            return {"apiVersion": version, "kind": kind, "metadata": {"name": name, "ownerReferences": [reference]}}

        def gone(*paths):
            return lambda: all(self.call("GET", p)[0] == 404 for p in paths)
        stranger = {"apiVersion": f"{GROUP}/v1", "kind": "Note", "metadata": {"name": "nobody", "uid": "no-such-uid"}}
        self.must(201, "POST", config_maps, owned_by(stranger, "lost"))
        self.define(definition())
        self.until("the dependent of an owner that never was is gone", gone(f"{config_maps}/lost"), 5)
        for propagation in ("Background", "Foreground", "Orphan"):
            with self.subTest(propagation):
                owner = self.must(201, "POST", path("v1"), self.note("v1", "owner", text="t"))
                self.must(201, "POST", config_maps, owned_by(owner, "map"))
                child = self.must(201, "POST", path("v1"), owned_by(owner, "child", "Note", f"{GROUP}/v1"))
                self.must(201, "POST", config_maps, owned_by(child, "grandchild"))
                self.must(200, "DELETE", path("v1", "owner"), {"propagationPolicy": propagation})
                self.until("the owner is gone", gone(path("v1", "owner")), 5)
                if propagation != "Orphan":
                    self.until("dependents are gone", gone(f"{config_maps}/map", path("v1", "child"), f"{config_maps}/grandchild"), 5)
        for left in (f"{config_maps}/map", path("v1", "child")):
            self.assertNotIn("ownerReferences", self.must(200, "GET", left)["metadata"])
        owner = self.must(200, "GET", f"{config_maps}/map")
        self.must(201, "POST", path("v2"), owned_by({**owner, "apiVersion": "v1", "kind": "ConfigMap"}, "n", "Note", f"{GROUP}/v2"))
        self.must(200, "DELETE", f"{config_maps}/map", {"propagationPolicy": "Foreground"})
        self.until("a custom dependent and its owner are gone", gone(path("v1", "n"), f"{config_maps}/map"), 5)
        self.must(200, "GET", f"{config_maps}/grandchild")
        self.must(200, "DELETE", f"{DEFINITIONS}/notes.{GROUP}")
        self.until("what the definition's last object owned is gone", gone(f"{config_maps}/grandchild"), 5)

    def test_restart(self):
        self.define(definition())
        made = self.must(201, "POST", path("v1"), self.note("v1", "a", text="t"))
        self.assertEqual(self.program.stop(keep_log=True), 0)
        self.program.start()
        self.assertEqual(self.must(200, "GET", path("v1", "a")), made)

    def test_names_that_another_has(self):
        self.define(definition())
        other = definition()
        other["metadata"]["name"] = f"notas.{GROUP}"
        other["spec"]["names"] = {"plural": "notas", "kind": "Note"}
        self.must(201, "POST", DEFINITIONS, other)

        def condition(status):
            shown = self.must(200, "GET", f"{DEFINITIONS}/notas.{GROUP}")["status"]
            return any(c["type"] == "NamesAccepted" and c["status"] == status for c in shown.get("conditions") or [])
        self.until("refused", lambda: condition("False"))
        self.must(200, "DELETE", f"{DEFINITIONS}/notes.{GROUP}")
        self.until("accepted when the names are free", lambda: condition("True"))


def make_suite(executable):
    suite = type("Definitions", (Definitions,), {"executable": executable})
    return unittest.defaultTestLoader.loadTestsFromTestCase(suite)
