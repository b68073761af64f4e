#!/usr/bin/env python3
"""count_tests.py <directory> <count file>: how many tests passed, failed and were skipped in one ctest run.

The directory holds ctest's own report (ctest.xml) and one GoogleTest report per test program. A program that died
before it wrote its report is known from ctest.xml only: it counts as one failure. Skips are printed with their reasons.
"""
import pathlib
import sys
import xml.etree.ElementTree as xml


def count_gtest(path):
    """(passed, failed, [(test, reason)]) of one GoogleTest report."""
    passed, failed, skips = 0, 0, []
    for case in xml.parse(path).getroot().iter("testcase"):
        if case.get("status") == "notrun":
            continue
        skip = case.find("skipped")
        if case.find("failure") is not None:
            failed += 1
        elif skip is not None:
            skips.append((f'{case.get("classname")}.{case.get("name")}', (skip.get("message") or "").strip()))
        else:
            passed += 1
    return passed, failed, skips


def count(directory):
    """(passed, failed, [(test, reason)]) of all programs that ctest ran."""
    passed, failed, skips = 0, 0, []
    for case in xml.parse(directory / "ctest.xml").getroot().iter("testcase"):
        name, broke = case.get("name"), case.find("failure") is not None
        report = directory / f"{name}_test.xml"
        if not report.exists():
            passed, failed = passed + (not broke), failed + broke
            continue
        try:
            p, f, s = count_gtest(report)
        except xml.ParseError:
            p, f, s = 0, 1, []
        if broke and f == 0:
            f = 1
        passed, failed, skips = passed + p, failed + f, skips + s
    return passed, failed, skips


def main():
    directory, out = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    passed, failed, skips = count(directory)
    for test, reason in skips:
        print(f"skipped {test}: {reason or 'NO REASON GIVEN'}")
    out.write_text(f"{passed} {failed} {len(skips)}\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
