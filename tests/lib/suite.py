"""Runs unittest suites the way ./dev counts them."""
import pathlib
import sys
import unittest


def run(suite, name, count_file=None, verbosity=1):
    """Runs it, prints the reason of every skip, writes "passed failed skipped"; the exit status."""
    result = unittest.TextTestRunner(verbosity=verbosity, stream=sys.stdout).run(suite)
    for test, reason in result.skipped:
        print(f"skipped {test.id()}: {reason}")
    # A failed subtest is recorded apart from its test, which is counted once in testsRun.
    broken = {id(getattr(t, "test_case", t)) for t, _ in result.failures + result.errors}
    failed, skipped = len(broken) + len(result.unexpectedSuccesses), len(result.skipped)
    passed = max(result.testsRun - failed - skipped, 0)
    if count_file:
        pathlib.Path(count_file).write_text(f"{passed} {failed} {skipped}\n")
    print(f"{name}: {passed} tests passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0
