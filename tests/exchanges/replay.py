#!/usr/bin/env python3
"""Replays recorded scenarios against a running server and compares every answer with the recorded one.

replay.py --server https://127.0.0.1:6443 [--only GLOB …] [--profile core|ctrl] [-v] [--scenarios FILE.tar.zst|DIR]
The format is described in README.md beside this file; tests/exchanges/run.py also starts the servers.
"""
import argparse
import base64
import copy
import fnmatch
import gzip
import io
import json
import pathlib
import re
import subprocess
import sys
import tarfile
import time
import typing

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import pointer  # noqa: E402
import wire  # noqa: E402
from canonical import Canonical, by_json, narrow  # noqa: E402
from session import Server, Session, Watch  # noqa: E402

ARCHIVE = pathlib.Path(__file__).resolve().parent / "scenarios.tar.zst"
TOKENS = {"admin": "tok", **{name: f"tok-{name}" for name in ("alice", "bob", "carol", "dave", "node1")}}
VARIABLE = re.compile(r"\{\{([A-Za-z0-9_.-]+)\}\}")
# Headers whose values are compared, and those of which only the presence is.
COMPARED = ("Content-Type", "Cache-Control", "Retry-After", "Allow", "WWW-Authenticate", "Content-Encoding",
            "X-Content-Type-Options", "Vary", "Accept-Ranges", "Accept-Patch", "Location", "Content-Disposition")
PRESENT = ("Audit-Id", "X-Kubernetes-Pf-Flowschema-Uid", "X-Kubernetes-Pf-Prioritylevel-Uid", "Etag", "Last-Modified",
           "Expires", "Strict-Transport-Security")
# The field manager of an object is the first word of the user agent, so the recordings hold it.
USER_AGENT = "exch/1.0"
MAX_DIFFERENCES = 12
POLL_SECONDS = 0.02
BUDGET_SECONDS = 240  # of a scenario; a server that hangs must not hang the tests


class Scenario(typing.NamedTuple):
    name: str
    topic: str
    profile: str
    steps: list


def parse_scenario(text):
    lines = [json.loads(line) for line in text.splitlines() if line.strip()]
    return Scenario(lines[0]["scenario"], lines[0].get("topic", ""), lines[0].get("profile", "core"), lines[1:])


def load_scenarios(path, profile=None, only=()):
    """From a directory of .jsonl files or a .tar.zst of them, sorted by name."""
    path = pathlib.Path(path)
    if path.is_dir():
        texts = [p.read_text() for p in sorted(path.rglob("*.jsonl"))]
    else:
        raw = subprocess.run(["zstd", "-dcq", str(path)], check=True, capture_output=True).stdout
        with tarfile.open(fileobj=io.BytesIO(raw)) as archive:
            texts = [archive.extractfile(m).read().decode() for m in archive if m.name.endswith(".jsonl")]
    scenarios = sorted(map(parse_scenario, texts), key=lambda s: s.name)
    return [s for s in scenarios if profile in (None, s.profile) and (not only or any(fnmatch.fnmatch(s.name, g) for g in only))]


class Answer(typing.NamedTuple):
    status: int
    headers: typing.Any
    body: bytes

    def content_type(self):
        return self.headers.get("Content-Type") or ""

    def json(self):
        """The parsed body, or None."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None


def holds(condition, answer):
    """One "until" condition on an answer."""
    if condition.get("warning") and not answer.headers.get("Warning"):
        return False
    if condition.get("status", answer.status) != answer.status or condition.get("not_status") == answer.status:
        return False
    if "contains" in condition and "ptr" not in condition:
        return condition["contains"].encode() in answer.body
    if "ptr" not in condition:
        return True
    document = answer.json()
    if document is None:
        return False
    found = pointer.get(document, condition["ptr"])
    if "absent" in condition:
        return found is None
    if "len" in condition:
        size = len(found) if isinstance(found, (list, dict)) else 0 if found is None and answer.status == 200 else None
        return size == condition["len"]
    if "equals" in condition:
        return found == condition["equals"]
    if "cond" in condition:
        kind, status = condition["cond"]
        return isinstance(found, list) and any((c.get("type"), c.get("status")) == (kind, status) for c in found)
    return found is not None


def asserted(check, document, substitute):
    operator, left, right = check[0], *(
        pointer.get(document, x[1:]) if isinstance(x, str) and x.startswith("$/") else substitute(x) for x in check[1:3])
    try:
        if operator in ("gt", "ge"):
            return int(left) > int(right) if operator == "gt" else int(left) >= int(right)
        if operator == "re":
            return re.fullmatch(right, left or "") is not None
    except (TypeError, ValueError):
        return False
    return (left == right) == (operator == "eq")


def is_surplus_bookmark(event, wanted):
    """Periodic bookmarks come when they come; the one that ends the initial events is part of the contract."""
    return (isinstance(event, dict) and event.get("type") == "BOOKMARK" and not wanted
            and "initial-events-end" not in json.dumps(event))


class Replay:
    """One scenario against one server."""

    def __init__(self, server, scenario, budget_seconds=BUDGET_SECONDS):
        self.server, self.scenario, self.budget_seconds = server, scenario, budget_seconds
        self.session = Session(server)
        self.variables, self.raw, self.watches = {}, {}, {}
        self.canonical = Canonical(json.dumps([{k: v for k, v in s.items() if k != "expect"} for s in scenario.steps]))

    def run(self, report):
        """Calls report(step, differences) for every step that has an expectation. ConnectionRefusedError ends the run."""
        deadline = time.monotonic() + self.budget_seconds
        try:
            for step in self.scenario.steps:
                if time.monotonic() > deadline and step.get("op") != "sleep":
                    report(step, [f"not run: the scenario takes longer than {self.budget_seconds} s"])
                    continue
                if "delay" in step:
                    time.sleep(step["delay"])
                if step.get("op") == "sleep":
                    time.sleep(step["seconds"])
                    continue
                report(step, differences(step.get("expect"), self.perform(step)))
        finally:
            for watch in self.watches.values():
                watch.stop()
            self.session.close()

    def perform(self, step):
        try:
            got = {"watch": self.open_watch, "collect": self.collect}.get(step.get("op"), self.request)(step)
        except ConnectionRefusedError:
            raise
        except Exception as error:  # whatever went wrong is the step's result
            got = {"error": f"{type(error).__name__}: {error}"}
        return json.loads(json.dumps(got))

    # --- what is sent

    def substitute(self, node):
        """Every {{variable}} in it replaced; a string that is one variable takes that variable's type."""
        if isinstance(node, list):
            return [self.substitute(x) for x in node]
        if isinstance(node, dict):
            return {self.substitute(k): self.substitute(v) for k, v in node.items()}
        if not isinstance(node, str):
            return node
        whole = VARIABLE.fullmatch(node)
        value = self.variables.get(whole.group(1)) if whole else None
        if value is not None and not isinstance(value, (dict, list)):
            return value
        return VARIABLE.sub(lambda m: str(self.variables.get(m.group(1), m.group(0))), node)

    def headers(self, step, has_body):
        out, own = [], step.get("headers") or {}
        given = {name.lower() for name in own}
        token = self.substitute(step["bearer"]) if "bearer" in step else TOKENS.get(step.get("user", "admin"))
        if token and step.get("user") != "none":
            out.append(("Authorization", f"Bearer {token}"))
        defaults = [("Accept", step.get("accept", "application/json")), ("User-Agent", step.get("ua", USER_AGENT))]
        if has_body:
            defaults.append(("Content-Type", step.get("ct", "application/json")))
        out += [(name, value) for name, value in defaults if value is not None and name.lower() not in given]
        for name, values in own.items():
            out += [(name, str(self.substitute(v))) for v in (values if isinstance(values, list) else [values])]
        return out

    def body(self, step):
        if "body" in step:
            return json.dumps(self.substitute(step["body"])).encode()
        if "text" in step:
            return self.substitute(step["text"]).encode()
        if "b64" in step:
            return base64.b64decode(step["b64"])
        if "fill" in step:
            fill = step["fill"]
            return (fill.get("prefix", "") + "x" * fill["size"] + fill.get("suffix", "")).encode()
        if "body_from" in step:
            source = step["body_from"]
            if source.get("raw"):
                return self.raw[source["var"]]
            document = copy.deepcopy(self.variables[source["var"]])
            for p in source.get("unset", ()):
                pointer.remove(document, p)
            for p, value in source.get("set", ()):
                document = pointer.put(document, p, self.substitute(value))
            return json.dumps(document).encode()
        return None

    # --- the kinds of steps

    def request(self, step):
        conditions = step.get("until") or []
        conditions = conditions if isinstance(conditions, list) else [conditions]
        deadline = time.monotonic() + step.get("until_timeout", 20)
        path = self.substitute(step["path"])
        while True:
            body = self.body(step)
            answer = Answer(*self.session.request(step["method"], path, self.headers(step, body is not None), body))
            if all(holds(c, answer) for c in conditions) or time.monotonic() >= deadline:
                break
            time.sleep(step.get("interval", 0.15))
        result = self.result(step, answer)
        if step.get("assert"):
            result["asserts"] = [asserted(check, answer.json() or {}, self.substitute) for check in step["assert"]]
        return result

    def open_watch(self, step):
        watch = Watch(self.server, self.substitute(step["path"]), self.headers(step, False))
        self.watches[step["name"]] = watch
        watch.answered.wait(step.get("ready_timeout", 20))
        if watch.status is None:
            raise OSError(f"the watch got no answer ({watch.error!r})")
        if watch.status != 200:
            return self.result(step, Answer(watch.status, watch.answer_headers, watch.body))
        shown = {k: watch.answer_headers.get(k) for k in ("Content-Type", "Cache-Control") if watch.answer_headers.get(k)}
        return {"status": 200, "headers": shown}

    def collect(self, step):
        watch, wanted = self.watches[step["name"]], step.get("count")
        keep_bookmarks = step.get("bookmarks", False)

        def events():
            return [e for e in list(watch.events) if not is_surplus_bookmark(e, keep_bookmarks)]

        deadline = time.monotonic() + step.get("timeout", 10)
        while time.monotonic() < deadline and not watch.ended and (wanted is None or len(events()) < wanted):
            time.sleep(POLL_SECONDS)
        if not watch.ended:
            time.sleep(step.get("quiet", 0.25))
        got, ended = events(), watch.ended
        if step.get("close", True):
            watch.stop()
        if not step.get("keep"):
            watch.events = []
        self.canonical.begin(step)
        shown = [self.event(step, e) for e in got]
        result = {"events": sorted(shown, key=by_json) if step.get("unordered") else shown}
        if step.get("want_end"):
            result["closed"] = ended
        return result

    def event(self, step, event):
        if isinstance(event, bytes):
            return self.canonical.message_tree(event)
        if event.get("type") == "BOOKMARK":
            metadata = event["object"].get("metadata") or {}
            newest = int(metadata.get("resourceVersion") or "0") >= self.canonical.newest
            metadata["resourceVersion"] = "<bookmark:ok>" if newest else "<bookmark:low>"
            for row in event["object"].get("rows") or ():
                for node, key in pointer.places(row, "/object/metadata/resourceVersion"):
                    node[key] = "<bookmark>"
        return self.canonical.value(narrow(step, copy.deepcopy(event)))

    # --- what came back, in canonical form

    def result(self, step, answer):
        self.canonical.begin(step)
        form, content = self.decode(step, answer)
        self.capture(step, answer, content if form == "json" else None)
        shown = {"status": answer.status, "headers": self.shown_headers(step, answer.headers),
                 "present": sorted(k for k in PRESENT if answer.headers.get(k))}
        if form in ("json", "yaml"):
            shown[form] = self.canonical.value(narrow(step, copy.deepcopy(content)))
        elif form:
            shown[form] = content
        return shown

    def decode(self, step, answer):
        """("json" | "yaml" | "proto" | "text" | None, content); text and proto are canonical already."""
        data, kind, mode = answer.body, answer.content_type(), step.get("compare")
        if answer.headers.get("Content-Encoding") == "gzip":
            data = gzip.decompress(data)
        if mode == "status" or not data:
            return None, None
        if step.get("as") == "json":
            kind = "application/json"
        if mode != "raw":
            if "protobuf" in kind:
                return "proto", self.envelope(data)
            if "yaml" in kind:
                import yaml
                return "yaml", yaml.load(data, Loader=yaml.BaseLoader)
            if "json" in kind:
                try:
                    return "json", json.loads(data)
                except ValueError:
                    return "text", self.canonical.text(data.decode("utf-8", "replace"))
        text = data.decode("utf-8", "replace")
        if mode == "lines":
            text = "\n".join(sorted(text.splitlines()))
        return "text", self.canonical.text(text)

    def envelope(self, data):
        if not data.startswith(wire.MAGIC):
            return {"magic": data[:4].hex()}
        outer = {number: value for number, _, value in wire.fields(data[4:])}
        kind = {number: value.decode() for number, _, value in wire.fields(outer.get(1, b""))}
        return {"magic": "k8s\\0", "apiVersion": kind.get(1, ""), "kind": kind.get(2, ""),
                "contentEncoding": outer.get(3, b"").decode(), "contentType": outer.get(4, b"").decode(),
                "raw": self.canonical.message_tree(outer.get(2, b""))}

    def capture(self, step, answer, document):
        for name, source in (step.get("capture") or {}).items():
            if source == "raw":
                self.raw[name] = answer.body
            elif source.startswith("header:"):
                self.variables[name] = answer.headers.get(source[len("header:"):]) or ""
            elif document is not None and (value := pointer.get(document, source)) is not None:
                self.variables[name] = value
                if name in step.get("symbols", ()) and isinstance(value, str):
                    self.canonical.symbols[name] = value

    def shown_headers(self, step, headers):
        shown = {}
        for name in COMPARED:
            values = [self.canonical.text(v) for v in headers.get_all(name) or ()]
            if values and name not in step.get("ignore_headers", ()):
                shown[name] = values[0] if len(values) == 1 else values
        if headers.get_all("Warning"):
            shown["Warning"] = sorted(self.canonical.text(v) for v in headers.get_all("Warning"))
        if headers.get("Content-Encoding") is None:
            shown.pop("Vary", None)
        return shown


def shorten(value):
    text = by_json(value)
    return text if len(text) <= 700 else text[:700] + "…"


def differences(expected, got, at="", out=None):
    """["/pointer: expected X, got Y"], at most MAX_DIFFERENCES."""
    out = [] if out is None else out
    if len(out) >= MAX_DIFFERENCES:
        return out
    if type(expected) is not type(got):
        out.append(f"{at or '/'}: expected {shorten(expected)}, got {shorten(got)}")
    elif isinstance(expected, dict):
        for key in sorted(expected.keys() | got.keys()):
            place = f"{at}/{key.replace('~', '~0').replace('/', '~1')}"
            if key not in got:
                out.append(f"{place}: missing, expected {shorten(expected[key])}")
            elif key not in expected:
                out.append(f"{place}: unexpected {shorten(got[key])}")
            else:
                differences(expected[key], got[key], place, out)
    elif isinstance(expected, list):
        if len(expected) != len(got):
            out.append(f"{at or '/'}: expected {len(expected)} items, got {len(got)}")
        for i, (e, g) in enumerate(zip(expected, got)):
            differences(e, g, f"{at}/{i}", out)
    elif expected != got:
        out.append(f"{at or '/'}: expected {shorten(expected)}, got {shorten(got)}")
    return out


def describe(step):
    return f"{step['method']} {step['path']}" if "method" in step else f"{step['op']} {step.get('name', '')}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", required=True)
    parser.add_argument("--scenarios", default=ARCHIVE)
    parser.add_argument("--profile", choices=("core", "ctrl"))
    parser.add_argument("--only", action="append", default=[], metavar="GLOB")
    parser.add_argument("-v", "--verbose", action="store_true")
    args = parser.parse_args()
    totals = {True: 0, False: 0}
    for scenario in load_scenarios(args.scenarios, args.profile, args.only):
        def report(step, found, scenario=scenario):
            totals[not found] += 1
            if found or args.verbose:
                print("FAIL" if found else "ok  ", f"{scenario.name}/{step['id']}", describe(step))
            for line in found:
                print("     " + line)
        Replay(Server(args.server), scenario).run(report)
    print(f"replayed: {totals[True]} steps as recorded, {totals[False]} not")
    return 1 if totals[False] else 0


if __name__ == "__main__":
    sys.exit(main())
