"""tools/count_tests.py counts what ctest and GoogleTest report, and a program that died."""
import pathlib
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tools"))
import count_tests  # noqa: E402

GTEST = """<testsuites><testsuite>
<testcase name="a" classname="S" status="run" result="completed"/>
<testcase name="b" classname="S" status="run" result="skipped"><skipped message="&#x0A;no disk"/></testcase>
<testcase name="c" classname="S" status="notrun" result="suppressed"/>
{}</testsuite></testsuites>"""
FAILED = '<testcase name="d" classname="S" status="run" result="completed"><failure message="x"/></testcase>'


class CountTest(unittest.TestCase):
    def count(self, ctest, **reports):
        with tempfile.TemporaryDirectory() as d:
            directory = pathlib.Path(d)
            cases = "".join(f'<testcase name="{n}">{"" if ok else "<failure/>"}</testcase>' for n, ok in ctest.items())
            (directory / "ctest.xml").write_text(f"<testsuite>{cases}</testsuite>")
            for name, text in reports.items():
                (directory / f"{name}_test.xml").write_text(text)
            passed, failed, skips = count_tests.count(directory)
            return passed, failed, skips

    def test_cases(self):
        self.assertEqual(self.count({"kv": True}, kv=GTEST.format("")), (1, 0, [("S.b", "no disk")]))
        self.assertEqual(self.count({"kv": False}, kv=GTEST.format(FAILED)), (1, 1, [("S.b", "no disk")]))

    def test_programs_without_a_report(self):
        self.assertEqual(self.count({"plain": True, "died": False}), (1, 1, []))

    def test_program_that_died_after_its_report(self):
        self.assertEqual(self.count({"kv": False}, kv=GTEST.format(""))[:2], (1, 1))
        self.assertEqual(self.count({"kv": False}, kv="<testsuites><testcase")[:2], (0, 1))


if __name__ == "__main__":
    unittest.main()
