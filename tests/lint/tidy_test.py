"""Tests of tools/tidy: which files it looks at, and how it reads what clang-tidy prints."""

import json
import pathlib
import tempfile
import unittest

from tree import ROOT, load_check

OUTPUT = """\
/r/src/a.cc:7:3: warning: do not [bugprone-a]
  int x;
  ^
/r/build/x/../../src/b.h:87:17: error: invalid case style [readability-b,-warnings-as-errors]
/r/src/a.cc:9:1: note: because of this
../../src/d.h:3:1: warning: relative [bugprone-d]
/usr/include/c.h:1:1: warning: not ours [bugprone-c]
/r/src/a.cc:7:3: warning: do not [bugprone-a]
"""


class Findings(unittest.TestCase):
    def test_warnings_and_errors_are_findings_once_and_notes_are_not(self):
        found = load_check("tidy").findings_of(
            OUTPUT, pathlib.Path("/r/build/x"), pathlib.Path("/r"))
        self.assertEqual(found, [
            "src/a.cc:7: do not [bugprone-a]",
            "src/b.h:87: invalid case style [readability-b,-warnings-as-errors]",
            "src/d.h:3: relative [bugprone-d]",
            "/usr/include/c.h:1: not ours [bugprone-c]"])

    def test_output_without_findings_has_none(self):
        self.assertEqual(load_check("tidy").findings_of(
            "27109 warnings generated.\n", ROOT), [])


class Sources(unittest.TestCase):
    def test_sources_are_those_of_the_folders_each_once(self):
        with tempfile.TemporaryDirectory() as directory:
            build = pathlib.Path(directory)
            files = ["src/a.cc", "src/a.cc", "sim/b.cc", "tests/c.cc", "src/pch.h"]
            entries = [{"directory": str(ROOT), "file": file} for file in files]
            (build / "compile_commands.json").write_text(json.dumps(entries))
            found = load_check("tidy").sources_of(build, ["src", "sim"])
            self.assertEqual(found, [ROOT / "sim/b.cc", ROOT / "src/a.cc"])
            self.assertEqual(load_check("tidy").sources_of(build, ["tests/c.cc"]),
                             [ROOT / "tests/c.cc"])


if __name__ == "__main__":
    unittest.main()
