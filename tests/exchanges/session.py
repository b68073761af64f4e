"""HTTP as the recordings saw it: a kept connection for requests, and one connection with a thread for each watch."""
import http.client
import json
import socket
import ssl
import threading
import urllib.parse

TIMEOUT_SECONDS = 40


class Server:
    """Where the server is. Its certificate is not checked: what is tested here is what is behind it."""

    def __init__(self, url):
        parts = urllib.parse.urlsplit(url)
        self.host, self.port, self.tls = parts.hostname, parts.port, None
        if parts.scheme == "https":
            self.tls = ssl._create_unverified_context()

    def connect(self):
        if self.tls:
            return http.client.HTTPSConnection(self.host, self.port, context=self.tls, timeout=TIMEOUT_SECONDS)
        return http.client.HTTPConnection(self.host, self.port, timeout=TIMEOUT_SECONDS)


def send(connection, method, path, headers, body):
    """Exactly these headers, in this order; the answer."""
    connection.putrequest(method, path, skip_accept_encoding=True)
    for name, value in headers:
        connection.putheader(name, value)
    if body is not None or method in ("POST", "PUT", "PATCH"):
        connection.putheader("Content-Length", str(len(body or b"")))
    connection.endheaders()
    if body:
        try:
            connection.send(body)
        except OSError:
            pass  # a server may answer a body that is too large before it has read it
    return connection.getresponse()


class Session:
    def __init__(self, server):
        self.server, self.connection = server, None

    def request(self, method, path, headers, body):
        """(status, headers, bytes). A kept connection that the server has closed meanwhile is replaced once."""
        kept = self.connection is not None
        try:
            return self._request(method, path, headers, body)
        except (http.client.HTTPException, OSError):
            self.close()
            if not kept:
                raise
        try:
            return self._request(method, path, headers, body)
        except (http.client.HTTPException, OSError):
            self.close()
            raise

    def _request(self, method, path, headers, body):
        self.connection = self.connection or self.server.connect()
        answer = send(self.connection, method, path, headers, body)
        data = answer.read()
        if answer.will_close:
            self.close()
        return answer.status, answer.msg, data

    def close(self):
        if self.connection:
            self.connection.close()
            self.connection = None


class Watch:
    """A watch that reads on a thread of its own. Events are parsed JSON, or the bytes of each protobuf frame."""

    def __init__(self, server, path, headers):
        self.connection = server.connect()
        self.path, self.headers = path, headers
        self.status, self.answer_headers, self.body, self.error = None, None, b"", None
        self.events, self.ended = [], False
        self.socket = None  # kept, as http.client forgets it when the answer ends with the connection
        self.answered = threading.Event()
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self):
        try:
            self.connection.connect()
            self.socket = self.connection.sock
            answer = send(self.connection, "GET", self.path, self.headers, None)
            self.status, self.answer_headers = answer.status, answer.msg
            if answer.status != 200:
                self.body = answer.read()
                return
            self.answered.set()
            self._frames(answer)
        except (OSError, ValueError, http.client.HTTPException, AttributeError) as error:  # closed by stop, or broken
            self.error = error
        finally:
            self.ended = True
            self.answered.set()

    def _frames(self, answer):
        framed = "protobuf" in (answer.msg.get("Content-Type") or "")
        rest = b""
        while data := answer.read1(65536):
            rest += data
            while True:
                if framed:
                    size = 4 + int.from_bytes(rest[:4], "big")
                    if len(rest) < max(size, 4):
                        break
                    self.events.append(rest[4:size])
                    rest = rest[size:]
                else:
                    line, newline, tail = rest.partition(b"\n")
                    if not newline:
                        break
                    rest = tail
                    if line.strip():
                        self.events.append(json.loads(line))
        if rest.strip() and not framed:
            self.events.append({"tail": rest.decode("utf-8", "replace")})

    def stop(self):
        try:
            if self.socket:
                self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.thread.join(5)
        self.connection.close()
