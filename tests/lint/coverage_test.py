"""Tests of tools/coverage: which lines run, and when a room has too few of them."""

import contextlib
import io
import unittest

from tree import ROOT, load_check


def file_of(covered, count, segments=()):
    return {"filename": str(ROOT / "src" / "a.cc"), "segments": list(segments),
            "summary": {"lines": {"covered": covered, "count": count}}}


class Coverage(unittest.TestCase):
    def setUp(self):
        self.coverage = load_check("coverage")

    def judge(self, files):
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            return self.coverage.judge("room", files), out.getvalue()

    def test_a_room_needs_ninety_five_of_a_hundred_lines(self):
        self.assertTrue(self.judge([file_of(95, 100)])[0])
        self.assertFalse(self.judge([file_of(94, 100)])[0])
        self.assertTrue(self.judge([file_of(80, 100), file_of(200, 200)])[0] is False)

    def test_a_room_without_files_is_not_covered(self):
        self.assertFalse(self.judge([])[0])

    def test_lines_that_do_not_run_are_named(self):
        segments = [[3, 1, 5, True, True, False], [4, 9, 0, True, True, False],
                    [6, 2, 5, True, False, False], [8, 2, 0, False, False, False]]
        good, told = self.judge([file_of(99, 100, segments)])
        self.assertTrue(good)
        self.assertIn("src/a.cc: 5, 6", told)
