"""docs/compat.md follows from the list of known failures."""
import pathlib
import subprocess
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


class CompatTest(unittest.TestCase):
    def test_document_is_up_to_date(self):
        run = subprocess.run([sys.executable, str(ROOT / "tools" / "gen_compat.py"), "--check"], capture_output=True, text=True)
        self.assertEqual(run.returncode, 0, run.stderr)


if __name__ == "__main__":
    unittest.main()
