"""The tidy rules. Each is a function of the tree that yields findings; ALL at the end lists them."""
import ast
import collections
import concurrent.futures
import hashlib
import os
import re
import subprocess

from source import Table, functions

Finding = collections.namedtuple("Finding", "rule path line message")

MAX_FILE_LINES = 800
MAX_FUNCTION_LINES = 70
MAX_README_LINES = 60
TABLE = "tools/dependencies.txt"
RATCHET = "tests/tidy/ratchet.txt"
WALKS = ("docs/life_of_a_request.md", "docs/life_of_a_reconcile.md")
INCLUDE = re.compile(r'^[ \t]*#\s*include\s+(["<])([^">]+)[">]', re.M)
# Headers that cost too much to be seen by every includer, or that would leak a library through our interfaces.
HEAVY = re.compile(r"^(asio|openssl|nghttp2|simdjson|yaml-cpp|re2|fmt|grpc|grpcpp|google/protobuf)(/|\.h|\.hpp|$)"
                   r"|^(http_parser\.h|zlib\.h|iostream|regex|gtest/gtest\.h|gmock/gmock\.h)$")
# Test code may use the test folder whatever its own folder may include.
TEST_ONLY_FOLDER = "testing"


def line_at(text, offset):
    return text.count("\n", 0, offset) + 1


def table_is_sound(tree):
    """Every name in the dependency table is a folder of the table, every source folder is in it, and there is no cycle."""
    table = Table(tree.text(TABLE))
    for folder, deps in table.direct.items():
        for dep in deps:
            if dep not in table.direct:
                yield Finding("table", TABLE, table.lines[folder], f"{folder} names the unknown folder {dep}")
        if folder in table.reach(folder):
            yield Finding("table", TABLE, table.lines[folder], f"{folder} is part of a cycle")
    for path in tree.matching("src/", ".cc", ".h"):
        if not table.folder_of(path[4:]):
            yield Finding("table", path, 1, "its folder is not in the dependency table")


def includes_follow_the_table(tree):
    table = Table(tree.text(TABLE))
    for path in tree.matching("src/", ".cc", ".h"):
        folder = table.folder_of(path[4:])
        if not folder:
            continue
        allowed = table.reach(folder) | {folder}
        for match in INCLUDE.finditer(tree.code(path)):
            name, line = match.group(2), line_at(tree.code(path), match.start())
            target = table.folder_of(name)
            if match.group(1) == "<":
                continue
            if target is None:
                yield Finding("include", path, line, f'"{name}" does not begin with a folder of the dependency table')
            elif target == TEST_ONLY_FOLDER and path.endswith("_test.cc"):
                continue
            elif target not in allowed:
                yield Finding("include", path, line, f"{folder} may not include {target} ({name})")


def is_private(tree, header):
    """Whether only .cc files of its own folder include it: an adapter's header, which no one else pays for."""
    table = Table(tree.text(TABLE))
    folder = table.folder_of(header[4:])
    directive = f'#include "{header[4:]}"'
    users = [p for p in tree.matching("src/", ".cc", ".h") if directive in tree.text(p)]
    return all(p.endswith(".cc") and table.folder_of(p[4:]) == folder for p in users)


def headers_are_light(tree):
    for path in tree.matching("src/", ".h"):
        code = tree.code(path)
        if not re.search(r"^\s*#pragma once\s*$", code, re.M):
            yield Finding("pragma", path, 1, "has no #pragma once")
        if path.startswith(f"src/{TEST_ONLY_FOLDER}/"):
            continue
        for match in INCLUDE.finditer(code):
            if HEAVY.search(match.group(2)) and not is_private(tree, path):
                yield Finding("heavy", path, line_at(code, match.start()),
                              f"{match.group(2)} belongs in a .cc file: every includer pays for it")


def python_functions(text):
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.name, node.lineno, node.end_lineno - node.lineno + 1


def oversized(tree):
    """{key: (path, line, lines, limit)} of everything above its limit; a function's key is path::name."""
    found = {}
    tops = ("src/", "tests/", "bench/", "tools/", "api/")
    for path in (f for f in tree.files if f.startswith(tops) and f.endswith((".cc", ".h", ".py", ".go"))):
        lines = tree.text(path).count("\n")
        if lines > MAX_FILE_LINES:
            found[path] = (path, 1, lines, MAX_FILE_LINES)
        if path.endswith(".py"):
            parts = python_functions(tree.text(path))
        else:
            parts = functions(tree.code(path))
        for name, line, length in parts:
            if length > MAX_FUNCTION_LINES:
                key = f"{path}::{name}"
                if key not in found or found[key][2] < length:
                    found[key] = (path, line, length, MAX_FUNCTION_LINES)
    return found


def read_ratchet(tree):
    """{key: lines allowed} with the line number of each entry."""
    entries = {}
    if RATCHET in tree.files:
        for number, line in enumerate(tree.text(RATCHET).splitlines(), 1):
            line = line.split("#")[0].strip()
            if line:
                key, lines = line.rsplit(None, 1)
                entries[key] = (int(lines), number)
    return entries


def sizes_stay_small(tree):
    """Above the limit only with a ratchet entry, which follows its file downwards and goes when it is no longer needed."""
    found, ratchet = oversized(tree), read_ratchet(tree)
    for key, (path, line, lines, limit) in found.items():
        allowed, number = ratchet.get(key, (limit, 0))
        what = key.split("::")[1] if "::" in key else "the file"
        if lines > allowed:
            yield Finding("size", path, line, f"{what} has {lines} lines; at most {allowed}")
        elif lines < allowed:
            yield Finding("size", RATCHET, number, f"{key} has shrunk to {lines} lines: lower its entry")
    for key, (_, number) in ratchet.items():
        if key not in found:
            yield Finding("size", RATCHET, number, f"{key} is within the limit: strike it off")


def walks_name_real_files(tree):
    """docs/life_of_*.md: every `src path` in them exists, except below a heading that begins with "Planned"."""
    for path in WALKS:
        if path not in tree.files:
            yield Finding("walk", path, 1, "is missing")
            continue
        planned = False
        for number, line in enumerate(tree.text(path).splitlines(), 1):
            if line.startswith("#"):
                planned = line.lstrip("# ").startswith("Planned")
            for name in re.findall(r"`([\w./-]+\.(?:cc|h|md|json|py))`", line):
                if not planned and f"src/{name}" not in tree.files and name not in tree.files:
                    yield Finding("walk", path, number, f"{name} does not exist")


def sources_are_listed(tree):
    """Every .cc below src stands in the CMakeLists.txt of its folder."""
    table = Table(tree.text(TABLE))
    listed = {}
    for path in tree.matching("src/", "CMakeLists.txt"):
        text = re.sub(r"#.*", "", tree.text(path))
        listed[path] = set(re.findall(r"[\w./-]+\.cc\b", text))
        if re.search(r"GLOB[^)]*\.(cc|h|cpp)\b", text):
            yield Finding("listed", path, 1, "lists files with GLOB; name them")
    for path in tree.matching("src/", ".cc"):
        folder = table.folder_of(path[4:])
        here = path.rsplit("/", 1)[0]
        while f"{here}/CMakeLists.txt" not in listed and here not in ("src", f"src/{folder}"):
            here = here.rsplit("/", 1)[0]
        if path[len(here) + 1:] not in listed.get(f"{here}/CMakeLists.txt", ()):
            yield Finding("listed", path, 1, f"is not in {here}/CMakeLists.txt")


def folders_explain_themselves(tree):
    table = Table(tree.text(TABLE))
    for folder in sorted({table.folder_of(p[4:]) for p in tree.matching("src/", ".cc", ".h")} - {None}):
        readme = f"src/{folder}/README.md"
        if readme not in tree.files:
            yield Finding("readme", readme, 1, "is missing")
        elif (lines := tree.text(readme).count("\n")) > MAX_README_LINES:
            yield Finding("readme", readme, 1, f"has {lines} lines; at most {MAX_README_LINES}")


BAD_SKIPS = (
    ("_test.cc", re.compile(r'\bGTEST_SKIP\(\)(?!\s*<<\s*(?!""\s*;)[^\s;])'), "GTEST_SKIP() without a reason"),
    ("_test.cc", re.compile(r"\bDISABLED_\w*"), "a disabled test: repair it, or skip it with a reason"),
    (".py", re.compile(r"""@unittest\.skip\s*$|@unittest\.skip\(\s*\)|\.skipTest\(\s*(""|'')?\s*\)""", re.M), "a skip without a reason"),
    ("_test.go", re.compile(r'\bt\.(SkipNow\(|Skipf?\(\s*(""\s*)?\))'), "a skip without a reason"),
)


def skips_say_why(tree):
    for path in tree.files:
        for suffix, bad, message in BAD_SKIPS:
            if not path.endswith(suffix) or path.startswith("tests/tidy/"):
                continue
            for match in bad.finditer(tree.text(path)):
                yield Finding("skip", path, line_at(tree.text(path), match.start()), message)


MACHINE_PATH = re.compile(r"(?<![\w.$}/-])/(?:wor[k]|roo[t])/")
RECORDED = ("tests/exchanges/scenarios/",)


def no_machine_paths(tree):
    """Files that speak of the machine they were written on are wrong on every other one."""
    for path in tree.files:
        if path.startswith(RECORDED) or path.startswith("tests/tidy/"):
            continue
        for match in MACHINE_PATH.finditer(tree.text(path)):
            yield Finding("machine", path, line_at(tree.text(path), match.start()), "a path of one machine")


def formatted(tree):
    """clang-format agrees. What passed once is remembered by its content under build/, as the run takes seconds."""
    style = tree.text(".clang-format") if ".clang-format" in tree.files else ""
    memory = tree.root / "build" / "clang-format-passed"
    passed = set(memory.read_text().split()) if memory.exists() else set()
    todo = {}
    for path in (f for f in tree.files if f.endswith((".cc", ".h"))):
        digest = hashlib.sha256((style + tree.text(path)).encode()).hexdigest()
        if digest not in passed:
            todo[path] = digest

    def check(path):
        run = subprocess.run(["clang-format-19", "--dry-run", "-Werror", path], cwd=tree.root, capture_output=True, text=True)
        match = re.search(r":(\d+):\d+: ", run.stderr)
        return path, run.returncode, int(match.group(1)) if match else 1

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for path, status, line in pool.map(check, sorted(todo)):
            if status:
                yield Finding("format", path, line, "is not formatted: run ./dev fmt")
            else:
                passed.add(todo[path])
    memory.parent.mkdir(exist_ok=True)
    memory.write_text("\n".join(sorted(passed)) + "\n")


ALL = (table_is_sound, includes_follow_the_table, headers_are_light, sizes_stay_small, walks_name_real_files,
       sources_are_listed, folders_explain_themselves, skips_say_why, no_machine_paths, formatted)
