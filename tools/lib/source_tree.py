"""What the checks share: which files belong to the project, and C++ text without its comments.

A check is a function `run(root) -> list[str]` of findings, `path:line: message`.
"""

import argparse
import os
import pathlib
import re
import sys

CODE_FOLDERS = ("src", "include", "sim", "tests", "tools")
CPP_SUFFIXES = (".h", ".cc")
SKIPPED_FOLDERS = {".git", "__pycache__", "node_modules", "subprojects"}

_LEXEME = re.compile(
    r"""(?P<line>//(?:\\\n|[^\n])*)
      | (?P<block>/\*.*?(?:\*/|\Z))
      | (?P<raw>\bu?8?[LU]?R"(?P<tag>[^()\\\s]{0,16})\(.*?\)(?P=tag)")
      | (?P<string>"(?:\\.|[^"\\\n])*")
      | (?P<char>(?<![0-9a-zA-Z_])(?:u8|[uUL])?'(?:\\.|[^'\\\n])+')""",
    re.DOTALL | re.VERBOSE,
)


def files_under(root, folders, suffixes):
    """Sorted paths, relative to root with forward slashes, of files with one of the suffixes."""
    found = []
    for folder in folders:
        for where, names, files in os.walk(pathlib.Path(root) / folder):
            names[:] = [n for n in names if n not in SKIPPED_FOLDERS and not n.startswith("build")]
            for name in files:
                if name.endswith(tuple(suffixes)):
                    path = pathlib.Path(where) / name
                    found.append(path.relative_to(root).as_posix())
    return sorted(found)


def cpp_files(root):
    return files_under(root, CODE_FOLDERS, CPP_SUFFIXES)


def read(root, path):
    return (pathlib.Path(root) / path).read_text(encoding="utf-8", errors="replace")


def blank_out(text):
    """The text with everything but its line breaks replaced by spaces."""
    return re.sub(r"[^\n]", " ", text)


def without_comments(text, keep_strings=False):
    """C++ text with comments, and unless kept string and character literals, blanked out in place.

    Quotes of the literals stay, so that `f("a")` remains a call with an argument.
    """

    def replace(match):
        lexeme = match.group(0)
        if match.group("line") or match.group("block"):
            return blank_out(lexeme)
        if keep_strings:
            return lexeme
        return '"' + blank_out(lexeme[1:-1]) + '"'

    return _LEXEME.sub(replace, text)


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


def main(run, description):
    """Command line of one check: prints the findings and returns the exit code."""
    parser = argparse.ArgumentParser(description=description)
    default_root = pathlib.Path(__file__).resolve().parents[2]
    parser.add_argument("--root", default=default_root, type=pathlib.Path, help="tree to check")
    findings = run(parser.parse_args().root)
    for finding in findings:
        print(finding)
    print(f"{len(findings)} findings", file=sys.stderr)
    return 1 if findings else 0
