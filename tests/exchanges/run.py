#!/usr/bin/env python3
"""Replays every recorded scenario against the built program, each on a fresh server, and holds the result against
expected_failures.txt: a step that fails without being listed there breaks the test, and so does a listed one that passes.

run.py --program build/release/keelson [--jobs N] [--only GLOB …] [--profile core|ctrl] [-v]
       [--strike]         remove the entries that pass now
       [--refine]         put the steps that fail in the place of "scenario *"
       [--accept REASON]  add the steps that fail now, with this reason
       [--count FILE]     write "passed failed skipped" there; a step that fails as listed counts as skipped
"""
import argparse
import concurrent.futures
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "lib")]
import expectations  # noqa: E402
import program as programs  # noqa: E402
import replay  # noqa: E402

ARGUMENTS = {"core": programs.api_server_arguments, "ctrl": programs.control_plane_arguments}


def run_scenario(executable, scenario):
    """{step id: differences}, with the step "(server)" for a server that does not start or dies."""
    results = {}
    described = {}

    def report(step, found):
        results[step["id"]], described[step["id"]] = found, replay.describe(step)

    try:
        with programs.Program(executable, ARGUMENTS[scenario.profile]) as server:
            replay.Replay(replay.Server(server.url), scenario).run(report)
            if server.process.poll() is not None:
                results["(server)"] = [f"ended with status {server.process.returncode}: {server.log_end()}"]
    except (programs.NotReady, OSError) as error:
        results["(server)"] = [str(error)]
        for step in scenario.steps:  # what could not run has not passed
            if step.get("op") != "sleep":
                results.setdefault(step["id"], ["not run: the server is gone"])
    return results, described


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True)
    parser.add_argument("--scenarios", default=replay.ARCHIVE)
    parser.add_argument("--expected", default=HERE / "expected_failures.txt")
    parser.add_argument("--jobs", type=int, default=4)
    parser.add_argument("--only", action="append", default=[], metavar="GLOB")
    parser.add_argument("--profile", choices=("core", "ctrl"))
    parser.add_argument("--strike", action="store_true")
    parser.add_argument("--refine", action="store_true")
    parser.add_argument("--accept", metavar="REASON")
    parser.add_argument("--count", metavar="FILE")
    parser.add_argument("-v", "--verbose", action="store_true", help="show the differences of listed failures too")
    args = parser.parse_args()

    scenarios = replay.load_scenarios(args.scenarios, args.profile, args.only)
    listed = expectations.Expectations.read(args.expected)
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        runs = dict(zip((s.name for s in scenarios), pool.map(lambda s: run_scenario(args.program, s), scenarios)))
    complete = not args.only and not args.profile
    outcome = expectations.judge({name: run[0] for name, run in runs.items()}, listed, complete=complete)
    # A busy machine can make one step late: what went against expectation runs once more, alone.
    again = {name for name, _, _ in outcome.unexpected} | {entry.scenario for entry in outcome.stale}
    for scenario in scenarios:
        if scenario.name in again and not (args.strike or args.refine or args.accept):
            runs[scenario.name] = run_scenario(args.program, scenario)
    outcome = expectations.judge({name: run[0] for name, run in runs.items()}, listed, complete=complete)
    for name, step, found in outcome.unexpected + (outcome.known if args.verbose else []):
        known = (name, step, found) in outcome.known
        print("known" if known else "FAIL ", f"{name}/{step}", runs[name][1].get(step, ""))
        for line in found:
            print("     " + line)
    for entry in outcome.stale:
        print(f"STRIKE {entry.key()}: it passes now (or is no more); remove it from {pathlib.Path(args.expected).name}")
    if args.strike or args.refine or args.accept:
        expectations.rewrite(args.expected, listed, outcome, args.strike, args.refine, args.accept)
    counts = (outcome.passed, len(outcome.unexpected) + len(outcome.stale), len(outcome.known))
    if args.count:
        pathlib.Path(args.count).write_text("%d %d %d\n" % counts)
    print("exchanges: %d steps as recorded, %d against expectation, %d fail as listed" % counts)
    return 1 if counts[1] else 0


if __name__ == "__main__":
    sys.exit(main())
