#!/usr/bin/env python3
"""Tests of the project's own tools: run.py [--count FILE]. They need no built program."""
import argparse
import pathlib
import sys
import unittest

TESTS = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TESTS / "lib"))
import suite as suites  # noqa: E402


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count")
    args = parser.parse_args()
    suite = unittest.TestSuite()
    for folder in ("exchanges", "scripts"):
        suite.addTests(unittest.TestLoader().discover(str(TESTS / folder), pattern="*_test.py", top_level_dir=str(TESTS / folder)))
    return suites.run(suite, "tools", args.count)


if __name__ == "__main__":
    sys.exit(main())
