#!/usr/bin/env python3
"""Real clients against the built program: kubectl of every version at hand, client-go, Helm, the Python, JavaScript
and Java clients, restarts, custom resources, and the components as processes of their own.

run.py --program build/release/keelson [--only kubectl|go|python|javascript|java|restart|components|definitions …] [--kubectl NAME] [--jobs N] [--count FILE]
"""
import argparse
import concurrent.futures
import json
import os
import pathlib
import shutil
import subprocess
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path[:0] = [str(HERE), str(HERE.parent / "lib")]
import components_test  # noqa: E402
import definitions_test  # noqa: E402
import kubectl_test  # noqa: E402
import program as programs  # noqa: E402
import restart_test  # noqa: E402

WORK = ROOT / "build" / "clients"
NODES = 3
MIN_GO = (1, 25)
CLIENT_SECONDS = 180


class Tally:
    """What passed, failed and was skipped, over all kinds of clients."""

    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    def add(self, name, outcome, text=""):
        setattr(self, outcome, getattr(self, outcome) + 1)
        if outcome != "passed":
            print(f"{outcome} {name}" + (f": {text.strip()}" if text else ""), flush=True)

    def add_suite(self, suite):
        """Runs a unittest suite; a test with failed subtests fails once."""
        result = unittest.TestResult()
        result.addSuccess = lambda test: self.add(test.id(), "passed")
        suite.run(result)
        broken = {}
        for test, trace in result.failures + result.errors:
            broken.setdefault(getattr(test, "test_case", test).id(), trace)
        for name, trace in broken.items():
            self.add(name, "failed", trace)
        for test, reason in result.skipped:
            self.add(test.id(), "skipped", reason)


def go_problem():
    """Why the Go clients can't be built here, or None."""
    if not shutil.which("go"):
        return "Go is not installed"
    version = subprocess.run(["go", "env", "GOVERSION"], capture_output=True, text=True, cwd=ROOT).stdout.strip()
    if tuple(int(n) for n in version.removeprefix("go").split("-")[0].split(".")[:2]) < MIN_GO:
        return f"Go is {version}, and client-go wants {MIN_GO[0]}.{MIN_GO[1]}"
    fetched = subprocess.run(["go", "mod", "download"], cwd=HERE / "go", capture_output=True, text=True)
    return f"the Go modules can't be fetched: {fetched.stderr.strip().splitlines()[-1]}" if fetched.returncode else None


def build_kubectl(tally):
    """{name: path} of the kubectl that is built from its Go module."""
    path = WORK / "kubectl.1.35"
    run = subprocess.run(["go", "build", "-o", path, "./kubectl"], cwd=HERE / "go", capture_output=True, text=True)
    if run.returncode:
        tally.add("go build kubectl", "failed", run.stderr)
        return {}
    return {path.name: str(path)}


def run_kubectl(tally, kubeconfig, extra, only, jobs):
    timed, others = kubectl_test.make_suites(kubeconfig, extra, only)
    for suite in timed:
        tally.add_suite(suite)
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        list(pool.map(tally.add_suite, others))


def run_go(tally, kubeconfig):
    env = {**os.environ, "KEELSON_KUBECONFIG": str(kubeconfig)}
    run = subprocess.Popen(["go", "test", "-count=1", "-timeout=300s", "-json", ".", "./helm", "./operator"], cwd=HERE / "go", env=env,
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    output, seen = {}, 0
    for line in run.stdout:
        try:
            event = json.loads(line)
        except ValueError:
            print(line, end="")
            continue
        name = event.get("Test")
        if event["Action"] == "output":
            output.setdefault(name, []).append(event["Output"])
        elif name and event["Action"] in ("pass", "fail", "skip"):
            seen += 1
            tally.add(f"go {name}", {"pass": "passed", "fail": "failed", "skip": "skipped"}[event["Action"]], "".join(output.get(name, [])))
    if run.wait() and not seen:
        tally.add("go test", "failed", "".join(sum(output.values(), [])))


def python_client():
    """(interpreter that has the Python client, None) or (None, reason)."""
    interpreter = WORK / "python" / "bin" / "python"
    if not interpreter.exists():
        made = subprocess.run([sys.executable, "-m", "venv", WORK / "python"], capture_output=True, text=True)
        if made.returncode:
            return None, f"no virtual environment: {made.stderr or made.stdout}"
    if subprocess.run([interpreter, "-c", "import kubernetes"], capture_output=True).returncode:
        got = subprocess.run([interpreter, "-m", "pip", "install", "-q", "-r", HERE / "python-requirements.txt"], capture_output=True, text=True)
        if got.returncode:
            return None, f"the Python client can't be fetched: {got.stderr.strip().splitlines()[-1]}"
    return interpreter, None


def javascript_client():
    """(directory that has the JavaScript client, None) or (None, reason)."""
    if not shutil.which("npm"):
        return None, "Node.js and npm are not installed"
    directory = WORK / "javascript"
    shutil.copytree(HERE / "javascript", directory, dirs_exist_ok=True)
    got = subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--silent"], cwd=directory, capture_output=True, text=True)
    return (directory, None) if got.returncode == 0 else (None, f"the JavaScript client can't be fetched: {got.stderr.strip()[-300:]}")


def java_client():
    """(directory with the Java client's archives, None) or (None, reason)."""
    if not shutil.which("mvn") or not shutil.which("java"):
        return None, "Java and Maven are not installed"
    directory = WORK / "java"
    got = subprocess.run(["mvn", "-q", "-B", "-f", HERE / "java" / "pom.xml", "dependency:copy-dependencies", f"-DoutputDirectory={directory}"],
                         capture_output=True, text=True)
    return (directory, None) if got.returncode == 0 else (None, f"the Java client can't be fetched: {got.stdout.strip()[-300:]}")


def run_lines(tally, name, command, kubeconfig):
    """Runs a test program that prints lines as "passed|failed|skipped name: text"."""
    try:
        run = subprocess.run(command, capture_output=True, text=True, timeout=CLIENT_SECONDS,
                             env={**os.environ, "KEELSON_KUBECONFIG": str(kubeconfig)})
    except subprocess.TimeoutExpired as hung:
        tally.add(f"{name} client", "failed", f"hangs; it said {hung.stdout}")
        return
    for line in run.stdout.splitlines():
        outcome, _, rest = line.partition(" ")
        if outcome in ("passed", "failed", "skipped"):
            test, _, text = rest.partition(": ")
            tally.add(test, outcome, text)
    if run.returncode or "passed" not in run.stdout:
        tally.add(f"{name} client", "failed", run.stderr)


def run_fetched(tally, chosen, kubeconfig):
    """The clients that a package registry gives; each with the command that runs its tests."""
    for name, fetch, command in (
            ("python", python_client, lambda found: [found, HERE / "python_test.py"]),
            ("javascript", javascript_client, lambda found: ["node", found / "client_test.mjs"]),
            ("java", java_client, lambda found: ["java", "-cp", f"{found}/*", HERE / "java" / "ClientTest.java"])):
        if name not in chosen:
            continue
        found, problem = fetch()
        if problem:
            tally.add(f"{name} client", "skipped", problem)
        else:
            run_lines(tally, name, command(found), kubeconfig)


def main():
    kinds = ("kubectl", "go", "python", "javascript", "java", "restart", "components", "definitions")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True)
    parser.add_argument("--only", action="append", choices=kinds)
    parser.add_argument("--kubectl", metavar="NAME", help="this kubectl only, e.g. kubectl.1.33")
    parser.add_argument("--jobs", type=int, default=3)
    parser.add_argument("--count", metavar="FILE")
    args = parser.parse_args()
    chosen = args.only or kinds
    WORK.mkdir(parents=True, exist_ok=True)
    tally = Tally()
    if "restart" in chosen:
        tally.add_suite(restart_test.make_suite(args.program))
    if "definitions" in chosen:
        tally.add_suite(definitions_test.make_suite(args.program))
    if "components" in chosen:
        tally.add_suite(components_test.make_suite(args.program))
    if set(chosen) - {"restart", "components", "definitions"}:
        run_against_one(tally, chosen, args)
    if args.count:
        pathlib.Path(args.count).write_text(f"{tally.passed} {tally.failed} {tally.skipped}\n")
    print(f"clients: {tally.passed} tests passed, {tally.failed} failed, {tally.skipped} skipped")
    return 1 if tally.failed else 0


def run_against_one(tally, chosen, args):
    """The clients that share one running program."""
    problem, extra = (go_problem(), {}) if set(chosen) & {"kubectl", "go"} else (None, {})
    if problem:
        tally.add("go clients, kubectl 1.35", "skipped", problem)
    elif "kubectl" in chosen and args.kubectl in (None, "kubectl.1.35"):
        extra = build_kubectl(tally)
    try:
        with programs.Program(args.program, lambda p: programs.control_plane_arguments(p, NODES)) as server:
            kubeconfig = server.directory / "kubeconfig"
            run_fetched(tally, chosen, kubeconfig)
            if "go" in chosen and not problem:
                run_go(tally, kubeconfig)
            if "kubectl" in chosen:
                run_kubectl(tally, kubeconfig, extra, args.kubectl, args.jobs)
            if server.process.poll() is not None:
                tally.add("the program stays up", "failed", server.log_end())
    except programs.NotReady as error:
        tally.add("the program starts", "failed", str(error))


if __name__ == "__main__":
    sys.exit(main())
