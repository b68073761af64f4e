"""What the tidy rules look at: a tree of files, the dependency table, and C++ with comments and strings blanked out."""
import pathlib
import re
import subprocess


class Tree:
    """The project's files. Text is read once; binary files have text ""."""

    def __init__(self, root, files=None):
        self.root = pathlib.Path(root)
        self.files = sorted(files if files is not None else list_files(self.root))
        self._text = {}
        self._code = {}

    def text(self, path):
        if path not in self._text:
            data = (self.root / path).read_bytes()
            self._text[path] = "" if b"\0" in data[:8192] else data.decode("utf-8", "replace")
        return self._text[path]

    def code(self, path):
        """C++ text, same line numbers, with the insides of comments and literals blanked."""
        if path not in self._code:
            self._code[path] = blank_cpp(self.text(path))
        return self._code[path]

    def matching(self, top, *suffixes):
        return [f for f in self.files if f.startswith(top) and f.endswith(suffixes)]


def list_files(root):
    """Tracked files and new ones that are not ignored; a tree without git is walked."""
    if (root / ".git").exists():
        out = subprocess.run(["git", "ls-files", "-z", "-c", "-o", "--exclude-standard"], cwd=root, check=True,
                             capture_output=True).stdout.decode()
        names = [n for n in out.split("\0") if n]
    else:
        names = [str(p.relative_to(root)) for p in root.rglob("*") if p.is_file()]
    return [n for n in dict.fromkeys(names) if not n.startswith("build/") and (root / n).is_file()]


class Table:
    """tools/dependencies.txt: folder -> folders it may include, closed transitively."""

    def __init__(self, text):
        self.direct, self.lines = {}, {}
        for number, line in enumerate(text.splitlines(), 1):
            line = line.split("#")[0].strip()
            if not line:
                continue
            folder, _, deps = line.partition(":")
            self.direct[folder.strip()] = deps.split()
            self.lines[folder.strip()] = number

    def folder_of(self, path):
        """The longest folder of the table that contains the path, or None."""
        parts = path.split("/")
        for n in range(len(parts) - 1, 0, -1):
            if (name := "/".join(parts[:n])) in self.direct:
                return name
        return None

    def reach(self, folder):
        """Every folder that this one may include, itself among them only when the table has a cycle."""
        seen, todo = set(), list(self.direct.get(folder, []))
        while todo:
            if (name := todo.pop()) not in seen:
                seen.add(name)
                todo += self.direct.get(name, [])
        return seen


CPP_TOKEN = re.compile(
    r'//[^\n]*|/\*.*?\*/|R"(?P<d>[^(\s]*)\(.*?\)(?P=d)"|"(?:\\.|[^"\\\n])*"|(?<![0-9a-fA-F])\'(?:\\.|[^\'\\\n])+\'', re.S)


def blank_cpp(text):
    def blank(match):
        word = match.group(0)
        if word[0] == '"' and text[:match.start()].rsplit("\n", 1)[-1].lstrip().startswith("#include"):
            return word
        return re.sub(r"[^\n]", " ", word)

    return CPP_TOKEN.sub(blank, text)


NOT_A_FUNCTION = re.compile(r"\b(namespace|class|struct|enum|union|extern)\b[^()]*$|^\s*#|=\s*$|\breturn\b")
NAME_BEFORE_PAREN = re.compile(r"([~\w:<>=!+\-*/\[\]]+)\s*\(")


def functions(code):
    """(name, first line, lines) of every outermost function body in blanked C++: a brace after a parameter list."""
    found, line, head, stack = [], 1, "", []
    inside = 0  # depth of the function being measured, 0 outside of one
    for char in code:
        if char == "\n":
            line += 1
        if char == "{":
            name = None if inside else function_name(head)
            stack.append((name, line))
            inside = inside or (len(stack) if name else 0)
            head = ""
        elif char == "}" and stack:
            name, start = stack.pop()
            if name:
                found.append((name, start, line - start + 1))
                inside = 0
            head = ""
        elif char == ";":
            head = ""
        elif not inside:
            head += char
    return found


def function_name(head):
    head = re.sub(r"^\s*#.*$", "", head, flags=re.M).strip()
    if "(" not in head or NOT_A_FUNCTION.search(head) or re.match(r"[^(]*[^=!<>]=[^=]", head):
        return None
    match = NAME_BEFORE_PAREN.search(head)
    if not match:
        return None
    if match.group(1) in ("TEST", "TEST_F", "TEST_P"):
        return re.sub(r"\s+", "", head[match.start():])
    return match.group(1)
