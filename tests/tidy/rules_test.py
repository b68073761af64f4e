"""Each rule fires on a small bad tree, and stays silent on a small good one."""
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import rules  # noqa: E402
from source import Tree, blank_cpp, functions  # noqa: E402

GOOD = {
    "tools/dependencies.txt": "# comment\nbase:\nnet: base\nauth: net\ntop: auth\ntop/inner: auth\ntesting: top\n",
    "src/base/README.md": "base\n",
    "src/base/CMakeLists.txt": "keelson_library(base SOURCES a.cc deep/b.cc TESTS a_test.cc)\n",
    "src/base/a.h": "#pragma once\n#include <string>\n",
    "src/base/a.cc": '#include "base/a.h"\n#include <openssl/ssl.h>\nint f() { return 1; }\n',
    "src/base/deep/b.cc": "int g();\n",
    "src/base/a_test.cc": '#include "testing/clock.h"\nTEST(A, B) { GTEST_SKIP() << "no disk"; }\n',
    "docs/life_of_a_request.md": "1. `base/a.cc`\n## Planned\n1. `net/server.cc`\n",
    "docs/life_of_a_reconcile.md": "1. `base/a.h`\n",
}


class RuleTest(unittest.TestCase):
    def findings(self, rule, changes):
        with tempfile.TemporaryDirectory() as root:
            for name, text in {**GOOD, **changes}.items():
                path = pathlib.Path(root) / name
                path.parent.mkdir(parents=True, exist_ok=True)
                if text is not None:
                    path.write_text(text)
            return [f"{f.path}:{f.line} {f.message}" for f in rule(Tree(root))]

    def fires(self, rule, changes, *expected):
        self.assertEqual(self.findings(rule, changes), list(expected))

    def test_good_tree_is_clean(self):
        for rule in rules.ALL:
            with self.subTest(rule.__name__):
                self.assertEqual(self.findings(rule, {}), [])

    def test_table(self):
        at = "tools/dependencies.txt"
        self.fires(rules.table_is_sound, {at: GOOD[at] + "odd: nowhere\n"}, f"{at}:8 odd names the unknown folder nowhere")
        self.fires(rules.table_is_sound, {at: "base: net\nnet: auth\nauth: base\n"},
                   *[f"{at}:{n} {f} is part of a cycle" for n, f in ((1, "base"), (2, "net"), (3, "auth"))])
        self.fires(rules.table_is_sound, {"src/new/x.cc": ""}, "src/new/x.cc:1 its folder is not in the dependency table")

    def test_include_arrows(self):
        rule = rules.includes_follow_the_table
        self.fires(rule, {"src/auth/x.cc": '#include "base/a.h"\n#include "net/n.h"\n'})
        self.fires(rule, {"src/base/x.cc": '\n#include "net/n.h"\n'}, "src/base/x.cc:2 base may not include net (net/n.h)")
        self.fires(rule, {"src/top/x.cc": '#include "top/inner/n.h"\n'},
                   "src/top/x.cc:1 top may not include top/inner (top/inner/n.h)")
        self.fires(rule, {"src/top/inner/x.cc": '#include "top/n.h"\n'},
                   "src/top/inner/x.cc:1 top/inner may not include top (top/n.h)")
        self.fires(rule, {"src/base/x.cc": '#include "x.h"\n'},
                   'src/base/x.cc:1 "x.h" does not begin with a folder of the dependency table')
        self.fires(rule, {"src/base/x.cc": '#include "testing/clock.h"\n'},
                   "src/base/x.cc:1 base may not include testing (testing/clock.h)")
        self.fires(rule, {"src/base/x.cc": '// #include "net/n.h"\n/*\n#include "net/n.h"\n*/\n'})

    def test_headers(self):
        rule = rules.headers_are_light
        self.fires(rule, {"src/net/n.h": "// #pragma once\n"}, "src/net/n.h:1 has no #pragma once")
        for heavy in ("asio.hpp", "asio/ip/tcp.hpp", "openssl/ssl.h", "nghttp2/nghttp2.h", "simdjson.h", "yaml-cpp/yaml.h", "regex"):
            header = {"src/net/n.h": f"#pragma once\n#include <{heavy}>\n"}
            self.fires(rule, {**header, "src/net/n.cc": '#include "net/n.h"\n'})
            found = self.findings(rule, {**header, "src/auth/n.cc": '#include "net/n.h"\n'})
            self.assertEqual(found, [f"src/net/n.h:2 {heavy} belongs in a .cc file: every includer pays for it"])
            self.assertEqual(self.findings(rule, {**header, "src/net/m.h": '#pragma once\n#include "net/n.h"\n'}), found)

    def test_sizes(self):
        rule, ratchet = rules.sizes_stay_small, "tests/tidy/ratchet.txt"
        long_function = "namespace n {\nint big(int a) {\n" + "  a++;\n" * 80 + "}\n}\n"
        long_file = "int x;\n" * 801
        self.fires(rule, {"src/net/x.cc": long_function}, "src/net/x.cc:2 big has 82 lines; at most 70")
        self.fires(rule, {"src/net/x.cc": long_file}, "src/net/x.cc:1 the file has 801 lines; at most 800")
        self.fires(rule, {"src/net/x.cc": long_file, ratchet: "src/net/x.cc 801\n"})
        self.fires(rule, {"src/net/x.cc": long_file, ratchet: "src/net/x.cc 900\n"},
                   f"{ratchet}:1 src/net/x.cc has shrunk to 801 lines: lower its entry")
        self.fires(rule, {ratchet: "\nsrc/net/x.cc::big 900\n"}, f"{ratchet}:2 src/net/x.cc::big is within the limit: strike it off")
        self.fires(rule, {"src/net/x.cc": long_function, ratchet: "src/net/x.cc::big 82\n"})
        self.fires(rule, {"tools/x.py": "def big():\n" + "    a = 1\n" * 75}, "tools/x.py:1 big has 76 lines; at most 70")

    def test_walks(self):
        rule, walk = rules.walks_name_real_files, "docs/life_of_a_request.md"
        self.fires(rule, {walk: "text\n1. `net/gone.cc` serves\n"}, f"{walk}:2 net/gone.cc does not exist")
        self.fires(rule, {walk: "## Planned\n`net/gone.cc`\n## Now\n`net/gone.cc`\n"}, f"{walk}:4 net/gone.cc does not exist")
        self.fires(rule, {walk: None}, f"{walk}:1 is missing")

    def test_listing(self):
        rule, cmake = rules.sources_are_listed, "src/base/CMakeLists.txt"
        self.fires(rule, {"src/base/deep/c.cc": ""}, f"src/base/deep/c.cc:1 is not in {cmake}")
        self.fires(rule, {"src/net/c.cc": ""}, "src/net/c.cc:1 is not in src/net/CMakeLists.txt")
        self.fires(rule, {cmake: "# a.cc\nkeelson_library(base SOURCES deep/b.cc aa.cc TESTS a_test.cc)\n"},
                   f"src/base/a.cc:1 is not in {cmake}")
        self.assertIn(f"{cmake}:1 lists files with GLOB; name them", self.findings(rule, {cmake: "file(GLOB x *.cc)\n"}))

    def test_readmes(self):
        rule = rules.folders_explain_themselves
        self.fires(rule, {"src/net/n.h": ""}, "src/net/README.md:1 is missing")
        self.fires(rule, {"src/base/README.md": "x\n" * 61}, "src/base/README.md:1 has 61 lines; at most 60")

    def test_skips(self):
        rule = rules.skips_say_why
        for bad in ("GTEST_SKIP();", 'GTEST_SKIP() << "";', "GTEST_SKIP()\n;", "GTEST_SKIP() <<;"):
            self.fires(rule, {"src/base/b_test.cc": f"\n{bad}\n"}, "src/base/b_test.cc:2 GTEST_SKIP() without a reason")
        self.fires(rule, {"src/base/b_test.cc": "GTEST_SKIP() << reason;\nGTEST_SKIP()\n    << \"why\";\n"})
        self.fires(rule, {"src/base/b_test.cc": "TEST(A, DISABLED_b) {}\n"},
                   "src/base/b_test.cc:1 a disabled test: repair it, or skip it with a reason")
        self.fires(rule, {"tests/x.py": "class T:\n    @unittest.skip\n    def a(self): self.skipTest()\n"},
                   "tests/x.py:2 a skip without a reason", "tests/x.py:3 a skip without a reason")
        self.fires(rule, {"tests/x.py": '@unittest.skip("why")\ndef a(self): self.skipTest("why")\n'})
        self.fires(rule, {"tests/x_test.go": 't.Skip()\nt.Skip("why")\nt.SkipNow()\n'},
                   "tests/x_test.go:1 a skip without a reason", "tests/x_test.go:3 a skip without a reason")

    def test_machine_paths(self):
        rule = rules.no_machine_paths
        for path in ("/work" + "/main", "/root" + "/.cache"):
            self.fires(rule, {"docs/x.md": f"see\n{path}\n"}, "docs/x.md:2 a path of one machine")
        self.fires(rule, {"docs/x.md": "$HOME/work/x and build/work/y and a-network/root/z\n"})

    def test_format(self):
        style = {".clang-format": "BasedOnStyle: Google\n", "src/base/a.cc": "int a;\n", "src/base/a_test.cc": "int b;\n"}
        self.fires(rules.formatted, {**style, "src/net/x.cc": "int a;\nint   b ;\n"},
                   "src/net/x.cc:2 is not formatted: run ./dev fmt")


class CppTest(unittest.TestCase):
    def test_comments_and_literals_are_blanked(self):
        self.assertEqual(blank_cpp('a("}//", \'{\'); // {\n/*{\n*/b 1\'000\'000'), 'a(' + " " * 5 + ", " + " " * 3 + ");" + " " * 5 + "\n   \n  b 1'000'000")
        self.assertNotIn("{", blank_cpp('R"x({")x"'))
        self.assertEqual(blank_cpp('#include "a/b.h"'), '#include "a/b.h"')

    def test_functions_are_found(self):
        code = """
namespace a::b {
struct S {
  int get() const {
    return 1;
  }
};
template <typename T>
S::S(T x) : a_(x), b_(2) {
  if (x) {
  }
}
const int kTable[] = {f(1),
  f(2)};
auto l = [](int x) {
  return x;
};
enum class E { kA };
TEST(Suite, Name) {
}
}
"""
        self.assertEqual(functions(code), [("get", 4, 3), ("S::S", 9, 4), ("TEST(Suite,Name)", 19, 2)])


if __name__ == "__main__":
    unittest.main()
