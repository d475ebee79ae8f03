"""Tests of tools/check_format: an unformatted file is found."""

import unittest

from tree import ROOT, TreeTest, load_check

STYLE = (ROOT / ".clang-format").read_text()
UGLY = "int   f( ){return 1;}\n"
TIDY = "int f() { return 1; }\n"


@unittest.skipIf(load_check("check_format").formatter() is None, "no clang-format 14")
class Format(TreeTest):
    check = "check_format"

    def findings(self, tree):
        return super().findings(tree | {".clang-format": STYLE})

    def test_unformatted_file_is_found_once(self):
        self.expect({"src/core/a.cc": UGLY + UGLY}, "src/core/a.cc:1: not formatted")

    def test_formatted_file_is_clean(self):
        self.expect_clean({"src/core/a.cc": TIDY})

    def test_build_folders_are_not_read(self):
        self.expect_clean({"tests/build-x/a.cc": UGLY})

    def test_fix_formats(self):
        self.write(".clang-format", STYLE)
        self.write("src/core/a.cc", UGLY)
        load_check(self.check).fix(self.root)
        self.assertEqual((self.root / "src/core/a.cc").read_text(), TIDY)


if __name__ == "__main__":
    unittest.main()
