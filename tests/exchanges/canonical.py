"""The canonical form of an answer: what differs from run to run becomes a symbol.

Symbols are numbered by first appearance in the scenario ("<uid:2>"), so two steps that show the same value still show
the same symbol: equality between steps is part of what is compared. One Canonical lives as long as its scenario.
"""
import base64
import calendar
import json
import re
import time

import pointer
import wire

UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
TIME = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(\.\d+)?(?:Z|[+-]\d\d:\d\d)")
SERVICE_IP = re.compile(r"\b10\.96\.\d{1,3}\.\d{1,3}\b")
TOKEN = re.compile(r"\beyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
AGE = re.compile(r"(\d+(ms|s|m|h|d|y))+( \(x\d+ over .*\))?")
CELL_PORT = re.compile(r":(3[0-2]\d{3})/(TCP|UDP|SCTP)")
NEAR_SECONDS = 800 * 86400  # a time further away than this was not made by the server during the run

# Parts of messages that carry a revision or mirror one implementation.
MESSAGES = [(re.compile(a), b) for a, b in (
    (r"(ResourceVersion in (?:object meta|precondition): )\d+", r"\1<rv>"),
    (r'in scheme "[^"]+"', "in scheme <s>"),
    (r"current: \d+", "current: <n>"),
    (r"(too old resource version: )\d+ \(\d+\)", r"\1<n> (<n>)"),
    (r"has been compacted.*\d+", "has been compacted"),
    (r"in the precondition \(\d+\) does not match the ResourceVersion in record \(\d+\)",
     "in the precondition (<rv>) does not match the ResourceVersion in record (<rv>)"),
)]
STRUCT_DIFF = re.compile(r"\n\s*(@@|[a-z]+\.[A-Z]\w+\{|\u00a0)")


def by_json(value):
    return json.dumps(value, sort_keys=True)


class Numbers:
    """Values → 1, 2, … by first appearance."""

    def __init__(self):
        self.known = {}

    def of(self, value):
        return self.known.setdefault(value, len(self.known) + 1)


class Canonical:
    def __init__(self, written):
        """written: the scenario's own text; what stands in it literally is not volatile."""
        self.written = written
        self.written_uuids = set(UUID.findall(written))
        self.written_ips = set(SERVICE_IP.findall(written))
        self.uids, self.ips, self.ports = Numbers(), Numbers(), Numbers()
        self.revisions = {}
        self.newest = 0
        self.symbols = {}  # variable → captured text that answers show as {{variable}}
        self.revision_mode = None  # the step's "rv"
        self.substitutions = ()  # the step's "gsub"

    def begin(self, step):
        self.revision_mode = step.get("rv")
        self.substitutions = step.get("gsub", ())

    # --- strings

    def text(self, value):
        for name, captured in self.symbols.items():
            if captured:
                value = value.replace(captured, "{{%s}}" % name)
        value = re.sub(r"kube-api-access-[a-z0-9]{5}\b", "kube-api-access-<r>", value)
        value = re.sub(r'(resourceVersion\\*":\\*")\d+', r"\1<rv>", value)
        value = TOKEN.sub(self._token, value)
        value = UUID.sub(self._uid, value)
        value = TIME.sub(self._time, value)
        value = SERVICE_IP.sub(self._ip, value)
        for pattern, replacement in self.substitutions:
            value = re.sub(pattern, replacement, value)
        return value

    def _uid(self, match):
        uid = match.group(0)
        return uid if uid in self.written_uuids else f"<uid:{self.uids.of(uid)}>"

    def _ip(self, match):
        ip = match.group(0)
        fixed = ip in self.written_ips or ip.endswith(".0.0") or ip == "10.96.0.1"
        return ip if fixed else f"<ip:{self.ips.of(ip)}>"

    def _time(self, match):
        try:
            when = calendar.timegm(tuple(int(match.group(i)) for i in range(1, 7)))
        except ValueError:
            return match.group(0)
        if match.group(0) in self.written or abs(when - time.time()) > NEAR_SECONDS:
            return match.group(0)
        return "<mts>" if match.group(7) else "<ts>"

    def _token(self, match):
        part = match.group(0).split(".")[1]
        try:
            claims = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
        except ValueError:
            return "<jwt>"
        claims.update({k: "<t>" for k in ("iat", "nbf", "exp") if k in claims})
        own = claims.get("kubernetes.io")
        if isinstance(own, dict) and "warnafter" in own:
            own["warnafter"] = "<t>"
        return f"<jwt:{by_json(self.value(claims))}>"

    def message(self, value):
        value = self.text(value)
        for pattern, replacement in MESSAGES:
            value = pattern.sub(replacement, value)
        return value.split("\n", 1)[0] + "<struct diff>" if STRUCT_DIFF.search(value) else value

    def revision(self, value):
        if not re.fullmatch(r"\d+", value):
            return value
        if self.revision_mode == "any":
            return "<rv>"
        if value == "0":
            return value
        if value not in self.revisions:
            grew = "+" if int(value) > self.newest else ""
            self.revisions[value] = f"<rv:{len(self.revisions) + 1}{grew}>"
            self.newest = max(self.newest, int(value))
        symbol = self.revisions[value]
        return symbol.replace("+", "") if self.revision_mode == "unordered" else symbol

    def list_revision(self, value):
        if not re.fullmatch(r"\d+", value) or value == "0" and self.revision_mode != "any":
            return value
        if self.revision_mode == "any":
            return "<rv>"
        return "<listrv:ok>" if int(value) >= self.newest else "<listrv:low>"

    # --- JSON

    def value(self, node, key="", in_list_metadata=False):
        if isinstance(node, dict):
            return self._object(node, in_list_metadata)
        if isinstance(node, list):
            if key == "sources":  # a volume source that the recorded build's distribution injects
                node = [x for x in node if not vendor_source(x)]
            return [self.value(x, key) for x in node]
        return self.text(node) if isinstance(node, str) else node

    def _object(self, node, in_list_metadata):
        kind = node.get("kind", "")
        node = sorted_conflict(node) if kind == "Status" else node
        is_list = isinstance(kind, str) and ("items" in node or "rows" in node or kind.endswith("List"))
        out = {}
        for key in sorted(node):
            out[self.text(key)] = self._member(key, node[key], is_list, in_list_metadata)
        if isinstance(out.get("managedFields"), list):
            out["managedFields"].sort(key=by_json)
        return out

    def _member(self, key, node, is_list, in_list_metadata):
        if isinstance(node, str):
            if key == "resourceVersion":
                return self.list_revision(node) if in_list_metadata else self.revision(node)
            if key == "continue" and node and in_list_metadata:
                return "<continue>"
            if key == "message":
                return self.message(node)
        if key in ("nodePort", "healthCheckNodePort") and isinstance(node, int) and 30000 <= node <= 32767:
            return node if str(node) in self.written else f"<port:{self.ports.of(node)}>"
        if key == "kubernetes.io/description":
            return "<text>"
        if isinstance(node, list):
            if key == "columnDefinitions":
                return [self.value({k: v for k, v in c.items() if k != "description"} if isinstance(c, dict) else c) for c in node]
            if key == "cells" or key.endswith("/cells"):
                return [self.cell(c) for c in node]
        return self.value(node, key, in_list_metadata=key == "metadata" and is_list)

    def cell(self, node):
        if isinstance(node, str):
            if AGE.fullmatch(node):
                return "<age>"
            node = CELL_PORT.sub(lambda m: m.group(0) if m.group(1) in self.written else f":<port>/{m.group(2)}", node)
        return self.value(node, "cells")

    # --- protobuf

    def message_tree(self, data, path=()):
        """[[field, value], …]: nested messages are guessed, as there is no schema."""
        return [self._wire_field(path + (number,), kind, value) for number, kind, value in wire.fields(data)]

    def _wire_field(self, path, kind, value):
        number = path[-1]
        if kind == 0:
            near = 1.5e9 < value < 4e9 and abs(value - time.time()) < NEAR_SECONDS
            return [number, "<ts>" if near else value]
        if kind != 2:
            return [number, kind, value.hex()]
        if value.startswith(wire.MAGIC):
            return [number, "k8s\\0", self.message_tree(value[4:])]
        text, nested = wire.printable(value), wire.is_message(value)
        looks_nested = nested and len(value) > 1 and value[0] in (9, 10)
        if text and not looks_nested:
            return [number, self._wire_text(path, text)]
        return [number, self.message_tree(value, path)] if nested else [number, "hex:" + value.hex()]

    def _wire_text(self, path, text):
        """Field 1 of an object or a list is its metadata: revisions are its fields 6 and 2, a continue token its field 3."""
        if path[-2:] in ((1, 6), (1, 2)) and re.fullmatch(r"\d{1,12}", text):
            text = "<rv>"
        elif path[-2:] == (1, 3) and len(text) > 20:
            text = "<continue>"
        if text.startswith('{"f:'):
            try:
                text = by_json(self.value(json.loads(text)))
            except ValueError:
                pass
        return self.text(text)


def vendor_source(source):
    name = (source.get("configMap") or {}).get("name", "") if isinstance(source, dict) else ""
    return name.endswith("-service-ca.crt")


def sorted_conflict(status):
    """Conflicts of several managers have causes in no order."""
    causes = (status.get("details") or {}).get("causes")
    if status.get("reason") != "Conflict" or not isinstance(causes, list):
        return status
    return {**status, "details": {**status["details"], "causes": sorted(causes, key=by_json)}}


def narrow(step, document):
    """The document after the step's drop_items, drop, mask, sort and only, in that order. Changes its argument."""
    for rule in step.get("drop_items", ()):
        for node, key in pointer.places(document, rule["ptr"]):
            if isinstance(node[key], list):
                node[key] = [x for x in node[key] if not re.search(rule["re"], json.dumps(x))]
    for p in step.get("drop", ()):
        for node, key in pointer.places(document, p):
            del node[key]
    for p in step.get("mask", ()):
        for node, key in pointer.places(document, p):
            node[key] = "<masked>"
    for p in step.get("sort", ()):
        for node, key in pointer.places(document, p):
            if isinstance(node[key], list):
                node[key].sort(key=lambda e: (str(e.get("type", "")) if isinstance(e, dict) else "", json.dumps(e, sort_keys=True)))
    if step.get("only"):
        return {p: pointer.get(document, p, "<absent>") for p in step["only"]}
    return document
