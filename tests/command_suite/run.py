#!/usr/bin/env python3
"""The public command suite of kubectl (test/cmd of the Go module k8s.io/kubernetes) against the built program.

run.py --program build/release/keelson [--jobs N] [--only REGEX] [--count FILE] [--keep]
Every function of the suite gets a server of its own: `keelson kube-apiserver` and `keelson kube-controller-manager`, as the
suite wants them (no scheduler, no kubelet). expected_failures.txt lists what does not pass: "function  # reason". An entry that
passes, or a function that fails without one, fails the run.
"""
import argparse
import concurrent.futures
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(HERE.parent / "lib"))
import program as programs  # noqa: E402

VERSION = "1.35.6"
MODULE = f"k8s.io/kubernetes@v{VERSION}"
SERVED = "v1.35.0+keelson"  # what the program says of itself: the suite asks for a kubectl of the server's version
MIN_GO = (1, 25)
TREES = ["test/cmd", "test/fixtures", "test/e2e/testing-manifests", "hack/lib", "hack/testdata", "third_party/forked/shell2junit"]
NETWORK_COPY = "https://raw.githubusercontent.com/kubernetes/kubernetes/master/hack/testdata/"  # of files that the module has
WORK = ROOT / "build" / "command_suite"
EXPECTED = HERE / "expected_failures.txt"
FUNCTION_SECONDS = 600
INLINE = "inline"


class Skip(Exception):
    """Why the suite can't run here."""


def go(*arguments, cwd="/"):
    ran = subprocess.run(["go", *arguments], cwd=cwd, capture_output=True, text=True, env={**os.environ, "GOFLAGS": "-mod=mod"})
    if ran.returncode:
        raise Skip("go " + " ".join(arguments) + ": " + (ran.stderr or ran.stdout).strip()[-300:])
    return ran.stdout


def check_tools():
    for tool in ("go", "jq", "openssl", "curl"):
        if not shutil.which(tool):
            raise Skip(f"{tool} is not installed")
    version = go("env", "GOVERSION").strip()
    if tuple(int(n) for n in version.removeprefix("go").split("-")[0].split(".")[:2]) < MIN_GO:
        raise Skip(f"Go is {version}, and Kubernetes wants {MIN_GO[0]}.{MIN_GO[1]}")


def fetch_tree():
    """A writable copy of what the suite reads of the module."""
    module = pathlib.Path(json.loads(go("mod", "download", "-json", MODULE))["Dir"])
    tree = WORK / f"tree-{VERSION}"
    if not tree.exists():
        for part in TREES:
            shutil.copytree(module / part, tree / part)
        subprocess.run(["chmod", "-R", "u+w", tree], check=True)
        for program in (tree / "test/fixtures/pkg/kubectl/plugins").rglob("kubectl-*"):
            program.chmod(0o755)  # a module keeps no modes
        script = tree / "test/cmd/generic-resources.sh"
        script.write_text(script.read_text(encoding="utf-8").replace(NETWORK_COPY, "hack/testdata/"), encoding="utf-8")
    return module, tree


def build_binaries(module):
    """kubectl and kubectl-convert of the module, with the version that the server has."""
    binaries = WORK / f"bin-{VERSION}"
    if (binaries / "kubectl-convert").exists():
        return binaries
    source = WORK / "source"
    source.mkdir(parents=True, exist_ok=True)
    staged = re.findall(r"^\t(k8s\.io/\S+) => \./staging", (module / "go.mod").read_text(encoding="utf-8"), re.MULTILINE)
    library = f"v0.{VERSION.split('.', 1)[1]}"
    (source / "go.mod").write_text("\n".join(
        ["module keelson.example/commands", "", "go 1.25.0", "", f"require k8s.io/kubernetes v{VERSION}", "", "replace ("]
        + [f"\t{name} => {name} {library}" for name in staged] + [")", ""]))
    (source / "commands.go").write_text("//go:build tools\n\npackage commands\n\nimport (\n\t_ \"k8s.io/kubernetes/cmd/kubectl\"\n"
                                        "\t_ \"k8s.io/kubernetes/cmd/kubectl-convert\"\n)\n")
    go("mod", "tidy", cwd=source)
    stamp = "k8s.io/component-base/version"
    major, minor = VERSION.split(".")[:2]
    flags = f"-s -w -X {stamp}.gitVersion={SERVED} -X {stamp}.gitMajor={major} -X {stamp}.gitMinor={minor}"
    for command in ("kubectl", "kubectl-convert"):
        go("build", "-ldflags", flags, "-o", str(binaries / command), f"k8s.io/kubernetes/cmd/{command}", cwd=source)
    return binaries


def functions(tree):
    """The suite's functions in its own order, and the checks between them."""
    script = (tree / "test/cmd/legacy-script.sh").read_text(encoding="utf-8")
    names = re.findall(r"^\s+record_command (run_\w+)$", script[script.index("\nrunTests()"):], re.MULTILINE)
    return [*dict.fromkeys(names), INLINE]


class Servers:
    """An API server and controllers for one function."""

    def __init__(self, executable, tree, directory):
        data = tree / "hack/testdata"
        self.directory = directory
        self.executable = executable
        self.api = programs.Program(executable, lambda p: [
            "kube-apiserver", "--bind-address=127.0.0.1", f"--secure-port={p.port}", f"--data-dir={directory / 'data'}",
            f"--cert-dir={directory / 'tmp'}", f"--token-auth-file={data / 'auth-tokens.csv'}",
            f"--client-ca-file={data / 'ca/ca.crt'}", "--authorization-mode=RBAC,AlwaysAllow", "--service-cluster-ip-range=10.0.0.0/24",
            "--enable-admission-plugins=LimitRanger,ResourceQuota",
            "--disable-admission-plugins=ServiceAccount,DefaultStorageClass,DefaultTolerationSeconds,MutatingAdmissionWebhook,"
            "ValidatingAdmissionWebhook,StorageObjectInUseProtection", "--service-account-issuer=https://kubernetes.default.svc",
        ], directory, token="admin-token")
        self.signing = [f"--cluster-signing-cert-file={data / 'ca/ca.crt'}", f"--cluster-signing-key-file={data / 'ca/ca.key'}"]
        self.controllers = None

    def __enter__(self):
        self.api.start()
        kubeconfig = self.directory / "controllers.kubeconfig"
        kubeconfig.write_text(json.dumps({
            "apiVersion": "v1", "kind": "Config", "current-context": "c", "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
            "clusters": [{"name": "c", "cluster": {"server": self.api.url, "insecure-skip-tls-verify": True}}],
            "users": [{"name": "u", "user": {"token": "admin-token"}}]}))
        with open(self.directory / "controllers.log", "ab") as log:
            self.controllers = subprocess.Popen(
                [self.executable, "kube-controller-manager", f"--kubeconfig={kubeconfig}", "--bind-address=127.0.0.1", "--secure-port=0",
                 "--leader-elect=false", *self.signing], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        return self

    def __exit__(self, *_):
        if self.controllers:
            self.controllers.terminate()
            self.controllers.wait()
        self.api.stop()


def run_function(name, executable, tree, binaries, logs):
    """(name, None or what went wrong, seconds)"""
    started = time.monotonic()
    directory = pathlib.Path(tempfile.mkdtemp(prefix="keelson-command-"))
    (directory / "tmp").mkdir()
    log = logs / f"{name}.log"
    try:
        with Servers(executable, tree, directory) as servers, open(log, "wb") as output:
            shell = subprocess.Popen(
                ["bash", HERE / "one.sh", tree, binaries, str(servers.api.port), name], stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                start_new_session=True, env={**{k: v for k, v in os.environ.items() if k != "KUBECONFIG"}, "HOME": str(directory),
                                             "TMPDIR": str(directory / "tmp"), "KUBE_JUNIT_REPORT_DIR": str(directory / "junit"), "TERM": "xterm", "ALLOW_SKEW": "true"})
            try:
                status = shell.wait(FUNCTION_SECONDS)
                problem = None if status == 0 else f"ended with {status}"
            except subprocess.TimeoutExpired:
                problem = f"was not done in {FUNCTION_SECONDS} s"
            end_session(shell)
        for server_log in directory.glob("*log*"):
            if server_log.is_file():
                shutil.copy(server_log, logs / f"{name}.{server_log.name.split('-')[0]}.txt")
    except programs.NotReady as error:
        problem = str(error)
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    return name, problem and f"{problem}: {last_failure(log)}", time.monotonic() - started


def end_session(shell):
    """What a function leaves running (proxies, watches) ends with it."""
    try:
        os.killpg(shell.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    shell.wait()


def last_failure(log):
    """The last lines that say something, in one line."""
    text = log.read_text(errors="replace") if log.exists() else ""
    text = text[text.rfind("+++ command: run_"):].split("Call tree:")[0].split("+++ exit code")[0]
    lines = [re.sub(r"\x1b\S*?m", "", line).strip() for line in text.splitlines()]
    marks = [i for i, line in enumerate(lines) if "FAIL!" in line and "FAILED TESTS" not in line]
    wanted = lines[max(marks[-1] - 1, 0):marks[-1] + 6] if marks else lines[-5:]
    return " | ".join(line for line in wanted if line)[:600]


def expectations():
    """{function: reason}"""
    entries = {}
    for line in EXPECTED.read_text(encoding="utf-8").splitlines():
        name, _, reason = line.partition("  # ")
        if name.strip() and not line.startswith("#"):
            entries[name.strip()] = reason.strip()
    return entries


def run_all(arguments):
    check_tools()
    WORK.mkdir(parents=True, exist_ok=True)
    module, tree = fetch_tree()
    binaries = build_binaries(module)
    logs = WORK / "logs"
    logs.mkdir(exist_ok=True)
    names = [name for name in functions(tree) if re.search(arguments.only, name)]
    entries, passed, expected, wrong = expectations(), 0, 0, []
    executable = str(pathlib.Path(arguments.program).resolve())
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        for done in concurrent.futures.as_completed([pool.submit(run_function, n, executable, tree, binaries, logs) for n in names]):
            name, problem, seconds = done.result()
            known = entries.get(name)
            print(f"{'passed' if problem is None else 'failed'} {name} ({seconds:.0f} s)" + (f": {problem}" if problem else ""), flush=True)
            if problem is None and not known:
                passed += 1
            elif problem is None:
                wrong.append(f"{name} passes, but expected_failures.txt has it")
            elif known:
                expected += 1
            else:
                wrong.append(f"{name}: {problem}")
    wrong += [f"expected_failures.txt: no function is called {name}" for name in entries if name not in functions(tree)]
    return passed, expected, wrong


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", required=True)
    parser.add_argument("--count")
    parser.add_argument("--only", default="", help="functions whose name this regular expression finds")
    parser.add_argument("--jobs", type=int, default=4, help="most of the time is sleep: more than the processors")
    arguments = parser.parse_args()
    try:
        passed, expected, wrong = run_all(arguments)
    except Skip as reason:
        print(f"skipped: {reason}")
        passed, expected, wrong = 0, 1, []
    for message in wrong:
        print(message)
    print(f"{passed} passed, {len(wrong)} wrong, {expected} expected to fail")
    if arguments.count:
        pathlib.Path(arguments.count).write_text(f"{passed} {len(wrong)} {expected}\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
