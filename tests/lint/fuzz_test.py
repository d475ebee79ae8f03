"""Tests of tools/fuzz: what its targets begin with."""

import pathlib
import sys
import tempfile
import unittest

from tree import ROOT, load_check

sys.path.insert(0, str(ROOT / "tools" / "lib"))

import fuzz_targets  # noqa: E402

MESON = """\
fuzz_corpora = {
  'event': 'vectors/events.txt',
  'config': 'fuzz/seeds/config',
}
other = {
  'x': 'y.txt',
}
"""


class Corpora(unittest.TestCase):
    def setUp(self):
        self.fuzz = load_check("fuzz")

    def test_targets_are_those_of_the_table(self):
        self.assertEqual(fuzz_targets.corpora(MESON),
                         {"event": "vectors/events.txt", "config": "fuzz/seeds/config"})

    def test_every_target_of_the_tree_has_inputs(self):
        known = fuzz_targets.corpora_of_tree()
        self.assertGreaterEqual(len(known), 13)
        for name, corpus in known.items():
            self.assertTrue(self.fuzz.seeds_of(ROOT / "tests" / corpus), name)

    def test_vectors_go_over_lines_and_comments_are_none(self):
        text = "# of these\none = 00ff\ntwo =\n  01 02\n  03  # three\nthree =\n"
        self.assertEqual(self.fuzz.vectors_of(text), [b"\x00\xff", b"\x01\x02\x03", b""])

    def test_a_directory_gives_its_files(self):
        with tempfile.TemporaryDirectory() as directory:
            (pathlib.Path(directory) / "b").write_bytes(b"2")
            (pathlib.Path(directory) / "a").write_bytes(b"1")
            self.assertEqual(self.fuzz.seeds_of(pathlib.Path(directory)), [b"1", b"2"])
