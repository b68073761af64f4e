#!/usr/bin/env python3
"""The tidy test: the structure of the repository, checked file by file. First the rules are tested, then they are used.

tidy_test.py [--root DIR] [--count FILE] [--update-ratchet]
"""
import argparse
import pathlib
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import rules  # noqa: E402
from source import Tree  # noqa: E402


def update_ratchet(tree):
    """Lowers and strikes off entries; never adds one."""
    found, path = rules.oversized(tree), tree.root / rules.RATCHET
    kept = [line for line in path.read_text().splitlines() if line.startswith("#")]
    for key, (allowed, _) in rules.read_ratchet(tree).items():
        if key in found:
            kept.append(f"{key} {min(allowed, found[key][2])}")
    path.write_text("\n".join(kept) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", default=HERE.parent.parent)
    parser.add_argument("--count")
    parser.add_argument("--update-ratchet", action="store_true")
    args = parser.parse_args()
    tree = Tree(args.root)
    if args.update_ratchet:
        update_ratchet(tree)
        return 0
    own = unittest.TextTestRunner(verbosity=0, stream=sys.stderr).run(
        unittest.defaultTestLoader.discover(str(HERE), pattern="*_test.py"))
    broken = len(own.failures) + len(own.errors)
    passed, failed = own.testsRun - broken, broken
    for rule in rules.ALL:
        findings = list(rule(tree))
        for f in findings:
            print(f"{f.path}:{f.line}: {f.message} [{f.rule}]")
        passed, failed = passed + (not findings), failed + bool(findings)
    if args.count:
        pathlib.Path(args.count).write_text(f"{passed} {failed} 0\n")
    print(f"tidy: {passed} rules and rule tests passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
