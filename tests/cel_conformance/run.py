#!/usr/bin/env python3
"""The public conformance tests of CEL (cel.dev/expr, got as a Go module) against the engine.

run.py --program build/release/tests/cel_conformance [--count FILE] [--only PREFIX] [--list]
expected_failures.txt lists what does not pass: "file/section/test  # reason", or "file/section/*  # reason" for a section
of which no test passes, or "file/*". An entry that passes, or a test that fails without one, fails the run.
"""
import argparse
import json
import pathlib
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import convert  # noqa: E402

MODULE = "cel.dev/expr@v0.24.0"  # what Kubernetes 1.35 is built with
EXPECTED = HERE / "expected_failures.txt"


def data_folder():
    """The folder of the test data, or None with the reason."""
    if not shutil.which("go"):
        return None, "Go is not installed"
    got = subprocess.run(["go", "mod", "download", "-json", MODULE], cwd="/", capture_output=True, text=True)
    if got.returncode != 0:
        return None, "the Go module cannot be had: " + (got.stderr or got.stdout).strip()[-200:]
    return pathlib.Path(json.loads(got.stdout)["Dir"]) / "tests" / "simple" / "testdata", ""


def expectations():
    """{pattern: reason}"""
    entries = {}
    for line in EXPECTED.read_text(encoding="utf-8").splitlines():
        pattern, _, reason = line.partition("  # ")
        if pattern.strip() and not line.startswith("#"):
            entries[pattern.strip()] = reason.strip()
    return entries


def pattern_of(name, entries):
    parts = name.split("/")
    for pattern in (name, "/".join(parts[:2]) + "/*", parts[0] + "/*"):
        if pattern in entries:
            return pattern
    return None


def outcomes(program, tests):
    """{name: None when it passes, else what happened}"""
    ran = subprocess.run([program], input=json.dumps(tests), capture_output=True, text=True, timeout=300)
    if ran.returncode != 0:
        raise SystemExit(f"{program} ended with {ran.returncode}: {ran.stderr[-2000:]}")
    results = {}
    for line in ran.stdout.splitlines():
        result = json.loads(line)
        results[result["name"]] = result.get("problem")
    return results


def judge(results, entries):
    """(passed, expected failures, messages about what is wrong)"""
    passed, expected, wrong, used = 0, 0, [], {pattern: [] for pattern in entries}
    for name, problem in results.items():
        pattern = pattern_of(name, entries)
        if pattern:
            used[pattern].append(problem)
        if problem is None and not pattern:
            passed += 1
        elif problem is None:
            wrong.append(f"{name} passes, but expected_failures.txt has {pattern}")
        elif pattern:
            expected += 1
        else:
            wrong.append(f"{name}: {problem}")
    wrong += [f"expected_failures.txt: no test is called {pattern}" for pattern, hits in used.items() if not hits]
    return passed, expected, wrong


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", required=True)
    parser.add_argument("--count")
    parser.add_argument("--only", default="")
    parser.add_argument("--list", action="store_true", help="print every test that fails, with what happened")
    arguments = parser.parse_args()
    folder, reason = data_folder()
    if folder is None:
        print(f"skipped: {reason}")
        if arguments.count:
            pathlib.Path(arguments.count).write_text("0 0 1\n")
        return 0
    tests = [test for path in sorted(folder.glob("*.textproto")) for test in convert.convert_file(path)]
    results = outcomes(arguments.program, [test for test in tests if test["name"].startswith(arguments.only)])
    if arguments.list:
        for name, problem in results.items():
            if problem is not None:
                print(f"{name}  # {problem}")
        return 0
    entries = {pattern: why for pattern, why in expectations().items() if pattern.startswith(arguments.only)}
    passed, expected, wrong = judge(results, entries)
    for message in wrong:
        print(message)
    print(f"{passed} passed, {len(wrong)} wrong, {expected} expected to fail")
    if arguments.count:
        pathlib.Path(arguments.count).write_text(f"{passed} {len(wrong)} {expected}\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
