#!/usr/bin/env python3
"""Kubernetes' own end-to-end tests (k8s.io/kubernetes/test/e2e, got as a Go module) against the built program.

run.py --program build/release/keelson [--focus REGEX] [--all] [--list] [--count FILE] [--jobs N]
By default the tests of passing.txt run, and each must pass. --all runs those of failing.txt too (they wait for minutes
each) and says which of them pass by now. --focus picks among them; --list prints what would run.

The first run builds the suite, which takes ten minutes and 3 GB: this is no part of CI.
"""
import argparse
import concurrent.futures
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(HERE.parent / "lib"))
import program as programs  # noqa: E402

VERSION = "1.35.6"
# Modules that the proxy has of an earlier patch only. The suite needs little of them.
EARLIER = {"externaljwt": "0.35.4", "kube-proxy": "0.35.4", "mount-utils": "0.35.4", "sample-apiserver": "0.35.4"}
WORK = ROOT / "build" / "kubernetes_e2e"
SUITE = WORK / f"e2e-{VERSION}.test"
NODES = 3
SUITE_SECONDS = 3 * 3600
ADDRESS = "10.0.0.1"  # of the kubernetes Service's endpoint; nothing connects to it


def read_list(name):
    """{test: reason}, in the file's order. A line is `test  # reason`."""
    tests = {}
    for line in (HERE / name).read_text(encoding="utf-8").splitlines():
        test, _, reason = line.partition("  # ")
        if test.strip() and not line.startswith("#"):
            tests[test.strip()] = reason.strip()
    return tests


def go(*arguments, **options):
    environment = {**os.environ, "GOFLAGS": "-mod=mod", **options.pop("env", {})}
    return subprocess.run(["go", *arguments], env=environment, text=True, **options)


def module_files():
    """go.mod and go.sum of a module that builds the suite as upstream does: its requirements, with released modules
    in the place of the folders of its own repository."""
    got = go("mod", "download", "-json", f"k8s.io/kubernetes@v{VERSION}", cwd="/", capture_output=True)
    if got.returncode != 0:
        raise SystemExit("the Go module cannot be had: " + (got.stderr or got.stdout).strip()[-300:])
    folder = pathlib.Path(json.loads(got.stdout)["Dir"])
    staged = "0." + VERSION.partition(".")[2]

    def released(match):
        name = match.group(1)
        return f"=> k8s.io/{name} v{EARLIER.get(name, staged)}"

    text = (folder / "go.mod").read_text()
    text = re.sub(r"^module .*", "module keelson.dev/kubernetes-e2e", text, flags=re.M)
    text = re.sub(r"=> \./staging/src/k8s\.io/([a-z-]+)", released, text)
    text = text.replace("require (", f"require (\n\tk8s.io/kubernetes v{VERSION}", 1)
    return text, (folder / "go.sum").read_text()


def build():
    if SUITE.exists():
        return
    if not shutil.which("go"):
        raise SystemExit("Go is not installed")
    module = WORK / "module"
    module.mkdir(parents=True, exist_ok=True)
    for name, text in zip(("go.mod", "go.sum"), module_files()):
        (module / name).write_text(text)
    print("building the suite", flush=True)
    flags = f"-s -w -X k8s.io/component-base/version.gitVersion=v{VERSION}"
    made = go("test", "-c", "-ldflags", flags, "-o", str(SUITE), "k8s.io/kubernetes/test/e2e", cwd=module)
    if made.returncode != 0:
        raise SystemExit("the suite does not build")


def exactly(tests):
    """-ginkgo.focus flags for these tests and no others. What is matched is the suite's title and the test's name."""
    patterns = ["^Kubernetes e2e suite " + re.sub(r"([\\.+*?()|\[\]{}^$])", r"\\\1", test) + "$" for test in tests]
    return [f"-ginkgo.focus={'|'.join(patterns[i:i + 40])}" for i in range(0, len(patterns), 40)]


def run_suite(executable, tests, folder):
    """{test: (state, message, seconds)} of one program of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    kubeconfig = folder / "kubeconfig"
    arguments = lambda p: ["up", "--data-dir", p.directory / "data", "--port", p.port, "--nodes", NODES,
                           "--advertise-address", ADDRESS, "--kubeconfig", kubeconfig]
    server = UpProgram(executable, arguments, kubeconfig)
    server.start()
    try:
        with open(folder / "log.txt", "w", encoding="utf-8") as log:
            subprocess.run([SUITE, f"--kubeconfig={kubeconfig}", "--provider=skeleton", f"--num-nodes={NODES}",
                            "--disable-log-dump", "--dump-logs-on-failure=false",
                            f"--report-dir={folder}", "--report-complete-ginkgo", "--ginkgo.no-color", "--ginkgo.v",
                            f"--kubectl-path={shutil.which('kubectl') or 'kubectl'}", f"--ginkgo.timeout={SUITE_SECONDS}s",
                            *exactly(tests)], stdout=log, stderr=log, cwd=folder, check=False)
    finally:
        server.stop()
    return read_report(folder / "ginkgo" / "report.json")


class UpProgram(programs.Program):
    """`keelson up`, whose client certificate is in the kubeconfig that it writes."""

    def __init__(self, executable, arguments, kubeconfig):
        super().__init__(executable, arguments)
        self.kubeconfig = kubeconfig

    def is_ready(self):
        if not self.kubeconfig.exists():
            return False
        ready = subprocess.run(["kubectl", "--kubeconfig", self.kubeconfig, "get", "--raw", "/readyz"],
                               capture_output=True, text=True, check=False)
        return ready.returncode == 0


def name_of(spec):
    return " ".join([*(spec.get("ContainerHierarchyTexts") or []), spec["LeafNodeText"]])


def read_report(path):
    if not path.exists():
        raise SystemExit(f"the suite left no report: see {path.parent.parent}/log.txt")
    outcomes = {}
    for spec in json.loads(path.read_text(encoding="utf-8"))[0]["SpecReports"]:
        if spec["LeafNodeType"] != "It":
            if spec["State"] == "failed":
                print(f"failed {spec['LeafNodeType']}: {spec.get('Failure', {}).get('Message', '')}")
            continue
        message = spec.get("Failure", {}).get("Message", "")
        if spec["State"] == "skipped" and not message:
            continue  # not asked for
        outcomes[name_of(spec)] = (spec["State"], message, spec["RunTime"] / 1e9)
    return outcomes


def is_serial(test):
    return "[Serial]" in test or "[Disruptive]" in test


def parts(tests, jobs):
    """Groups that run side by side, each against a program of its own; tests that want a cluster for themselves share one
    group, where they run one after the other."""
    groups = [[] for _ in range(jobs)]
    ordered = sorted(tests, key=lambda test: (not is_serial(test), test))
    for i, test in enumerate(ordered):
        groups[0 if is_serial(test) else i % jobs].append(test)
    return [group for group in groups if group]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True)
    parser.add_argument("--focus", default="")
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--count")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    arguments = parser.parse_args()
    passing, failing = read_list("passing.txt"), read_list("failing.txt")
    chosen = [test for test in [*passing, *(failing if arguments.all else [])] if re.search(arguments.focus, test)]
    if arguments.list:
        print("\n".join(chosen))
        return 0
    if not chosen:
        raise SystemExit("no test of passing.txt matches")
    build()
    groups = parts(chosen, max(arguments.jobs, 1))
    outcomes = {}
    with concurrent.futures.ThreadPoolExecutor(len(groups)) as pool:
        folders = [WORK / f"run-{i}" for i in range(len(groups))]
        for folder in folders:
            shutil.rmtree(folder, ignore_errors=True)
        for result in pool.map(run_suite, [arguments.program] * len(groups), groups, folders):
            outcomes.update(result)
    return judge(chosen, outcomes, failing, arguments.count)


def judge(chosen, outcomes, failing, count_file):
    passed, failed, expected = 0, 0, 0
    for test in chosen:
        state, message, _ = outcomes.get(test, ("missing", "the suite did not run it", 0))
        if test in failing:
            expected += 1
            if state == "passed":
                print(f"passes by now: {test}")
        elif state == "passed":
            passed += 1
        else:
            failed += 1
            print(f"{state} {test}: {message.strip()[:1000]}")
    print(f"{passed} passed, {failed} failed, {expected} expected to fail")
    if count_file:
        pathlib.Path(count_file).write_text(f"{passed} {failed} {expected}\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
