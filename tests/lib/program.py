"""Starts the built program for a test: an empty data directory, a free port, and a clean end."""
import json
import os
import pathlib
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

READY_SECONDS = 30
STOP_SECONDS = 10
ADMIN_TOKEN = "tok"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def make_client_ca(directory):
    """A certificate authority for client certificates; returns its certificate file."""
    directory = pathlib.Path(directory)
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                    "-subj", "/CN=test-client-ca", "-keyout", directory / "client-ca.key", "-out", directory / "client-ca.crt"],
                   check=True, capture_output=True)
    return directory / "client-ca.crt"


class NotReady(Exception):
    """The program ended or stayed unready; the message holds the end of its log."""


class Program:
    """One run of the program. arguments(program) gives the command line once directory and port are known."""

    def __init__(self, executable, arguments, keep_directory=None, token=ADMIN_TOKEN):
        self.directory = pathlib.Path(keep_directory or tempfile.mkdtemp(prefix="keelson-test-"))
        self.owns_directory = keep_directory is None
        self.port = free_port()
        self.url = f"https://127.0.0.1:{self.port}"
        self.log = self.directory / f"log-{self.port}.txt"
        self.command = [str(pathlib.Path(executable).resolve()), *map(str, arguments(self))]
        self.token = token
        self.process, self.ready_seconds = None, None

    def start(self):
        with open(self.log, "ab") as log:
            started = time.monotonic()
            self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.directory,
                                            env={**os.environ, "HOME": str(self.directory), "KUBECONFIG": ""})
        while not self.is_ready():
            ended = self.process.poll()
            if ended is not None or time.monotonic() - started > READY_SECONDS:
                how = f"was not ready in {READY_SECONDS} s" if ended is None else f"ended with status {ended}"
                problem = NotReady(f"{' '.join(self.command)}\n{how}\n{self.log_end()}")
                self.stop()
                raise problem
            time.sleep(0.01)
        self.ready_seconds = time.monotonic() - started
        return self

    def get(self, path):
        request = urllib.request.Request(self.url + path, headers={"Authorization": f"Bearer {self.token}"})
        with urllib.request.urlopen(request, context=ssl._create_unverified_context(), timeout=5) as answer:
            return answer.read()

    def get_json(self, path):
        return json.loads(self.get(path))

    def is_ready(self):
        try:
            return self.get("/readyz") is not None
        except (OSError, urllib.error.URLError):
            return False

    def log_end(self):
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-20:])

    def kill(self):
        """As kill -9: what is on stable storage must be enough."""
        self.process.kill()
        self.process.wait()

    def stop(self, keep_log=False):
        """Asks it to end, as Ctrl-C does; returns its exit status, and removes its directory unless the test gave it one.
        keep_log keeps the directory, to look at or to start again."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.kill()
        if self.owns_directory and not keep_log:
            shutil.rmtree(self.directory, ignore_errors=True)
        return self.process.returncode if self.process else None

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()


def write_tokens(directory):
    """The static tokens that the recordings and the client tests use."""
    path = pathlib.Path(directory) / "tokens.csv"
    path.write_text(
        f'{ADMIN_TOKEN},admin,1,"system:masters"\n'
        'tok-alice,alice,u-alice,"dev,qa"\n'
        "tok-bob,bob,u-bob\n"
        'tok-carol,carol,u-carol,"ops"\n'
        'tok-dave,dave,u-dave,"system:nodes-not"\n'
        'tok-node1,system:node:node1,u-node1,"system:nodes"\n')
    return path


def api_server_arguments(program):
    """`keelson kube-apiserver` with upstream's flags: the API server alone."""
    d = program.directory
    return ["kube-apiserver", "--bind-address=127.0.0.1", f"--secure-port={program.port}", f"--data-dir={d / 'data'}",
            f"--cert-dir={d / 'certs'}", f"--client-ca-file={make_client_ca(d)}", f"--token-auth-file={write_tokens(d)}",
            "--authorization-mode=Node,RBAC", "--service-cluster-ip-range=10.96.0.0/16",
            "--service-account-issuer=https://kubernetes.default.svc",
            "--service-account-jwks-uri=https://127.0.0.1:16543/openid/v1/jwks"]  # where the recorded server was


def control_plane_arguments(program, nodes=0):
    """`keelson up`: everything in one process."""
    d = program.directory
    return ["up", f"--port={program.port}", f"--data-dir={d / 'data'}", f"--kubeconfig={d / 'kubeconfig'}", f"--nodes={nodes}",
            f"--token-auth-file={write_tokens(d)}"]
