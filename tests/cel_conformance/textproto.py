"""Protocol buffers' text format to Python: a message is a dict of lists, a scalar a string, bytes or bare word."""
import re

TOKEN = re.compile(r"""\s+|\#[^\n]*|(?P<string>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')|(?P<word>[-+]?[\w.]+(?:(?<=\d[eE])[-+]\d+)?)|(?P<mark>[{}\[\]<>:,;/])""",
                   re.X | re.S)
SIMPLE = {"n": 10, "r": 13, "t": 9, "a": 7, "b": 8, "f": 12, "v": 11, "\\": 92, "'": 39, '"': 34, "?": 63}


class Word(str):
    """A scalar that was not quoted."""


def tokens(text):
    at = 0
    while at < len(text):
        match = TOKEN.match(text, at)
        if not match:
            raise ValueError(f"cannot read {text[at:at + 20]!r}")
        at = match.end()
        for kind in ("string", "word", "mark"):
            if match.group(kind) is not None:
                yield kind, match.group(kind)
    yield "end", ""


def unquoted(literal):
    """The bytes of a quoted literal."""
    out, text, at = bytearray(), literal[1:-1], 0
    while at < len(text):
        if text[at] != "\\":
            out += text[at].encode()
            at += 1
            continue
        mark = text[at + 1]
        if mark in "xX":
            digits = re.match(r"[0-9a-fA-F]{1,2}", text[at + 2:]).group()
            out.append(int(digits, 16))
            at += 2 + len(digits)
        elif mark in "uU":
            width = 4 if mark == "u" else 8
            out += chr(int(text[at + 2:at + 2 + width], 16)).encode("utf-8", "surrogatepass")
            at += 2 + width
        elif mark in "01234567":
            digits = re.match(r"[0-7]{1,3}", text[at + 1:]).group()
            out.append(int(digits, 8) & 255)
            at += 1 + len(digits)
        else:
            out.append(SIMPLE[mark])
            at += 2
    return bytes(out)


class Parser:
    def __init__(self, text):
        self.tokens = list(tokens(text))
        self.at = 0

    def peek(self):
        return self.tokens[self.at]

    def take(self, mark=None):
        token = self.tokens[self.at]
        if mark is not None and token[1] != mark:
            raise ValueError(f"expected {mark!r}, found {token[1]!r}")
        self.at += 1
        return token

    def accept(self, *marks):
        if self.peek()[0] == "mark" and self.peek()[1] in marks:
            return self.take()[1]
        return None

    def name(self):
        if not self.accept("["):
            return self.take()[1]
        name = ""
        while not self.accept("]"):
            name += self.take()[1]
        return f"[{name}]"

    def value(self):
        closing = {"{": "}", "<": ">"}.get(self.peek()[1]) if self.peek()[0] == "mark" else None
        if closing:
            self.take()
            return self.message(closing)
        if self.peek()[0] == "string":
            out = b""
            while self.peek()[0] == "string":
                out += unquoted(self.take()[1])
            return out
        return Word(self.take()[1])

    def message(self, closing):
        fields = {}
        while not (self.accept(closing) if closing else self.peek()[0] == "end"):
            name = self.name()
            self.accept(":")
            if self.accept("["):
                while not self.accept("]"):
                    fields.setdefault(name, []).append(self.value())
                    self.accept(",")
            else:
                fields.setdefault(name, []).append(self.value())
            self.accept(",", ";")
        return fields


def parse(text):
    return Parser(text).message(None)
