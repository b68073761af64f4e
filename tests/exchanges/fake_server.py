"""A server that answers a scenario's requests, in order, with what was recorded: symbols become values that fit them.

It tests the replayer, and nothing else: it knows no Kubernetes. Steps with "until" are beyond it.
"""
import base64
import http.server
import itertools
import json
import re
import threading
import time

import pointer

SYMBOL = re.compile(r"<(uid|rv|ip|port|listrv|bookmark|mts|ts|age|continue|text|masked)(?::(\w+)(\+?))?>")


class Renderer:
    """The inverse of canonical.Canonical."""

    def __init__(self):
        self.revisions, self.newest = {}, 1000

    def symbol(self, match):
        kind, number, grew = match.groups()
        if kind == "rv":
            return self.revision(number, grew)
        return {
            "uid": lambda: f"00000000-0000-4000-8000-{int(number):012d}",
            "ip": lambda: f"10.96.7.{number}",
            "port": lambda: str(31000 + int(number or 999)),
            "listrv": lambda: str(10**9),
            "bookmark": lambda: str(10**9),
            "ts": lambda: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "mts": lambda: time.strftime("%Y-%m-%dT%H:%M:%S.123456Z", time.gmtime()),
            "age": lambda: "5s",
        }.get(kind, lambda: kind)()

    def revision(self, number, grew):
        if number is None:
            return "7"
        if number not in self.revisions:
            self.newest += 10
            self.revisions[number] = self.newest if grew else 500 - int(number)
        return str(self.revisions[number])

    def text(self, value):
        value = re.sub(r"<jwt:(\{.*\})>", lambda m: self.token(m.group(1)), value)
        return SYMBOL.sub(self.symbol, value)

    def token(self, claims):
        part = base64.urlsafe_b64encode(self.text(claims).encode()).decode().rstrip("=")
        return f"eyJhbGciOiJub25lIn0.{part}.c2ln"

    def json(self, node):
        if isinstance(node, dict):
            return {self.text(k): self.json(v) for k, v in node.items()}
        if isinstance(node, list):
            return [self.json(x) for x in node]
        if isinstance(node, str):
            whole = re.fullmatch(r"<port:\d+>", node)
            return int(self.text(node)) if whole else self.text(node)
        return node

    def wire(self, tree):
        out = b""
        for number, *rest in tree:
            value = rest[-1]
            if len(rest) == 2 and rest[0] != "k8s\\0":
                out += varint(number << 3 | rest[0]) + bytes.fromhex(value)
                continue
            if isinstance(value, int):
                out += varint(number << 3) + varint(value)
                continue
            if isinstance(value, list):
                data = (b"k8s\0" if len(rest) == 2 else b"") + self.wire(value)
            else:
                data = bytes.fromhex(value[4:]) if value.startswith("hex:") else self.text(value).encode()
            out += varint(number << 3 | 2) + varint(len(data)) + data
        return out


def varint(value):
    out = b""
    while value > 0x7F:
        out, value = out + bytes([value & 0x7F | 0x80]), value >> 7
    return out + bytes([value])


class FakeServer:
    """with FakeServer(scenario) as url: … ; damage(step, document) may return another document for a step's answer."""

    def __init__(self, scenario, damage=lambda step, document: document, port=0):
        self.damage, self.renderer = damage, Renderer()
        self.requests = iter([s for s in scenario.steps if s.get("op", "watch") == "watch"])
        self.collects = [s for s in scenario.steps if s.get("op") == "collect"]
        self.lock = threading.Lock()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = 65536  # headers and body in one packet

            def log_message(self, *_):
                pass

            def serve(self):
                if not self.headers.get("User-Agent", "").startswith("exch"):  # a probe, not a step
                    self.send_response_only(200)
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                outer.answer(self)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = do_TRACE = serve

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def answer(self, handler):
        with self.lock:
            step = next(self.requests)
            expect = step["expect"]
            headers = {k: self.renderer.json(v) for k, v in expect["headers"].items()}
            body = self.body(step, expect)
        handler.send_response_only(expect["status"])
        for name, values in headers.items():
            for value in values if isinstance(values, list) else [values]:
                handler.send_header(name, value)
        for name in expect.get("present", ()):
            handler.send_header(name, "here")
        if step.get("op") == "watch" and expect["status"] == 200:
            handler.send_header("Connection", "close")
            handler.end_headers()
            self.stream(handler, step)
            return
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        if handler.command != "HEAD":
            handler.wfile.write(body)

    def body(self, step, expect):
        if "proto" in expect:
            proto = expect["proto"]
            kind = self.renderer.wire([[1, proto["apiVersion"]], [2, proto["kind"]]])
            data = self.renderer.wire(proto["raw"])
            return b"k8s\0" + b"\x0a" + varint(len(kind)) + kind + b"\x12" + varint(len(data)) + data + b"\x1a\0\x22\0"
        if "text" in expect:
            return self.renderer.text(expect["text"]).encode()
        document = expect.get("json", expect.get("yaml"))
        if document is None:
            return b""
        if step.get("only"):
            whole = {}
            for place, value in document.items():
                if value != "<absent>":
                    whole = pointer.put(whole, place, value)
            document = whole
        return json.dumps(self.renderer.json(self.damage(step, document))).encode()

    def stream(self, handler, watch):
        handler.close_connection = True
        collect = next((c for c in self.collects if c["name"] == watch["name"]), None)
        for event in collect["expect"]["events"] if collect else ():
            with self.lock:
                if isinstance(event, list):
                    data = self.renderer.wire(event)
                    data = len(data).to_bytes(4, "big") + data
                else:
                    data = json.dumps(self.renderer.json(event)).encode() + b"\n"
            handler.wfile.write(data)
            handler.wfile.flush()
        if collect and not collect["expect"].get("closed"):
            handler.rfile.read(1)


def damage_every(count):
    """Replaces the first scalar of every count-th JSON answer that has one."""
    counter = itertools.count(1)

    def damage(step, document):
        if next(counter) % count or not isinstance(document, dict) or not document:
            return document
        key = sorted(document)[0]
        return {**document, key: "damaged" if document[key] != "damaged" else "more damaged"}

    return damage
