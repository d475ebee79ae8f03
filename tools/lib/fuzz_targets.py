"""The fuzz targets of the tree, as tests/meson.build has them."""

import pathlib
import re

TESTS = pathlib.Path(__file__).resolve().parents[2] / "tests"

_CORPUS = re.compile(r"^  '(?P<name>\w+)': '(?P<corpus>[\w/.]+)',$", re.MULTILINE)


def corpora(text):
    """{name of a target: where its first inputs are, below tests/} from the text of the file."""
    table = text.split("fuzz_corpora = {", 1)[1].split("\n}", 1)[0]
    return {match["name"]: match["corpus"] for match in _CORPUS.finditer(table)}


def corpora_of_tree():
    return corpora((TESTS / "meson.build").read_text(encoding="utf-8"))
