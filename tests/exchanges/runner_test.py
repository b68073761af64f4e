"""run.py from end to end, with a program that answers as recorded over TLS, one that damages answers, and one that dies."""
import pathlib
import subprocess
import sys
import tempfile
import textwrap
import unittest

HERE = pathlib.Path(__file__).resolve().parent
PROGRAM = """\
#!{python}
import ssl, subprocess, sys, time
sys.path.insert(0, {here!r})
import fake_server, replay
flags = dict(a.removeprefix("--").split("=", 1) for a in sys.argv[2:])
assert sys.argv[1] == "kube-apiserver" and flags["authorization-mode"] == "Node,RBAC", sys.argv
if {dies}:
    sys.exit("no luck today")
[scenario] = replay.load_scenarios(replay.ARCHIVE, only=["dry-run"])
damage = fake_server.damage_every({every}) if {every} else lambda step, document: document
fake = fake_server.FakeServer(scenario, damage, int(flags["secure-port"]))
subprocess.run("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=x -keyout k -out c".split(), check=True)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("c", "k")
fake.server.socket = context.wrap_socket(fake.server.socket, server_side=True)
with fake:
    time.sleep(60)
"""


class RunnerTest(unittest.TestCase):
    def run_with(self, expected, *flags, every=0, dies=False):
        """(exit status, counts, output, the list afterwards)"""
        with tempfile.TemporaryDirectory() as d:
            program, listed, count = pathlib.Path(d) / "keelson", pathlib.Path(d) / "expected.txt", pathlib.Path(d) / "count"
            program.write_text(textwrap.dedent(PROGRAM).format(python=sys.executable, here=str(HERE), every=every, dies=dies))
            program.chmod(0o755)
            listed.write_text(expected)
            run = subprocess.run([sys.executable, str(HERE / "run.py"), "--program", program, "--only", "dry-run", "--expected", listed,
                                  "--count", count, *flags], capture_output=True, text=True)
            return run.returncode, count.read_text().split() if count.exists() else None, run.stdout + run.stderr, listed.read_text()

    def test_all_as_recorded(self):
        status, counts, output, _ = self.run_with("")
        self.assertEqual((status, counts[1:]), (0, ["0", "0"]), output)
        self.assertGreater(int(counts[0]), 10)

    def test_failure_must_be_listed_and_pass_must_not(self):
        status, counts, output, _ = self.run_with("", every=5)
        self.assertEqual(status, 1, output)
        self.assertIn("FAIL  dry-run/", output)
        _, _, _, listed = self.run_with("# head\n", "--accept", "damaged on purpose", every=5)
        self.assertIn("  # damaged on purpose", listed)
        self.assertTrue(listed.startswith("# head\n"))
        status, counts, output, _ = self.run_with(listed, every=5)
        self.assertEqual((status, counts[1]), (0, "0"), output)
        self.assertEqual(int(counts[2]), listed.count("damaged on purpose"))
        status, _, output, struck = self.run_with(listed, "--strike")
        self.assertEqual(status, 1)
        self.assertIn("STRIKE dry-run/", output)
        self.assertEqual(struck, "# head\n")

    def test_program_that_does_not_start(self):
        status, counts, output, _ = self.run_with("", dies=True)
        self.assertEqual((status, counts[0]), (1, "0"))
        self.assertIn("no luck today", output)


if __name__ == "__main__":
    unittest.main()
