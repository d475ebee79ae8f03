"""Finds function bodies in C++ text by matching braces. A heuristic, not a parser.

Knows namespaces, types, constructor initialisers with braces, test cases and lambdas at namespace
scope. Anything else in braces at namespace scope is data.
"""

import dataclasses
import re

from source_tree import blank_out, line_of, without_comments

_SCOPE = re.compile(r'\b(?:namespace|class|struct|union|enum|concept)\b|\bextern\s*"')
_PREPROCESSOR = re.compile(r"^[ \t]*#(?:\\\n|[^\n])*", re.MULTILINE)
_INITIALISERS = re.compile(r"\)[^()]*?(?<!:):(?!:)")


@dataclasses.dataclass(frozen=True)
class Function:
    name: str
    line: int
    lines: int


def functions(text):
    """Outermost functions in order, with the number of lines from signature to closing brace."""
    code = _PREPROCESSOR.sub(lambda m: blank_out(m.group(0)), without_comments(text))
    found, stack, start = [], [], 0
    for match in re.finditer(r"[{};]", code):
        at = match.start()
        if match.group() == "{":
            kind = _kind(code[start:at], stack)
            stack.append((kind, start))
            start = start if kind == "initialiser" else at + 1
        elif match.group() == "}" and stack:
            kind, opened = stack.pop()
            if kind == "function":
                found.append(_measure(code, opened, at))
            start = opened if kind == "initialiser" else at + 1
        elif match.group() == ";" and not _in_header(stack):
            start = at + 1
    return found


def _in_header(stack):
    return bool(stack) and stack[-1][0] == "initialiser"


def _kind(header, stack):
    """What the brace after this header opens: scope, function, initialiser or block."""
    if stack and stack[-1][0] != "scope":
        return "block"
    plain = _without_parentheses(header)
    if plain is None:
        return "block"
    if "(" in header and _opens_member_initialiser(header):
        return "initialiser"
    # `struct X f() {` has parentheses, `struct alignas(8) X {` has them before the name.
    if _SCOPE.search(plain) and not re.search(r"\)[\s\w]*$", header):
        return "scope"
    if "(" in header:
        return "function"
    return "block"


def _without_parentheses(header):
    """The header without what stands in parentheses; None when they do not match."""
    depth, kept = 0, []
    for char in header:
        depth += (char == "(") - (char == ")")
        if depth < 0:
            return None
        if depth == 0:
            kept.append(char)
    return "".join(kept) if depth == 0 else None


def _opens_member_initialiser(header):
    """True for `X::X(int a) : a_` and `X(int a) : b_{b}, a_`, whose brace is not the body's."""
    if re.search(r"[\w>]\s*$", header) is None:
        return False
    tail = re.sub(r"^(?:.|\n)*?(?=\()", "", header, count=1)
    if _INITIALISERS.search(tail) is None:
        return False
    return re.search(r"(?::|,)\s*[\w:]+(?:<[^{}]*>)?\s*$", tail) is not None


def _measure(code, opened, closed):
    text = code[opened:closed]
    begin = opened + len(text) - len(text.lstrip())
    first, last = line_of(code, begin), line_of(code, closed)
    name = re.search(r"([\w:~]+|operator\s*\S+?)\s*\(", text)
    return Function(name.group(1) if name else "?", first, last - first + 1)
