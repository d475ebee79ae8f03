"""Tests of tools/check_claims: a row that names something absent is refused."""

import unittest

from tree import TreeTest

TABLE = "| claim | command | figure | limit of the same run | where |\n|---|---|---|---|---|\n"
TEST = 'TEST_CASE("two nodes agree") {}\nTEST_CASE_FIXTURE(Fix, "three "\n    "agree") {}\n'
RIG = "class Kill(unittest.TestCase):\n    def test_twenty(self):\n        pass\n"


class Claims(TreeTest):
    check = "check_claims"

    def claim(self, row):
        tree = {"docs/claims.md": TABLE + row + "\n", "tools/bench/run": ""}
        return tree | {"tests/a_test.cc": TEST, "tests/rig/kill_test.py": RIG}

    def test_existing_program_with_arguments(self):
        self.expect_clean(self.claim("| fast | `tools/bench/run append` | 9 | 10 | --long |"))

    def test_missing_program(self):
        tree = self.claim("| fast | `tools/gone append` | 9 | 10 | suite |")
        self.expect(tree, "no program tools/gone")

    def test_program_outside_the_tree(self):
        self.expect(self.claim("| fast | /bin/true | 9 | 10 | suite |"), "no program /bin/true")

    def test_existing_cases(self):
        rig = ("Kill.test_twenty", "kill_test.Kill.test_twenty")
        for name in ("two nodes agree", "three agree", *rig):
            with self.subTest(name=name):
                self.expect_clean(self.claim(f"| true | `test: {name}` | equal | - | suite |"))

    def test_missing_case(self):
        tree = self.claim("| true | test: four agree | 1 | - | suite |")
        self.expect(tree, "no test case 'four agree'")

    def test_case_in_a_comment_does_not_exist(self):
        tree = self.claim("| true | test: ghost | 1 | - | suite |")
        tree["tests/b_test.cc"] = '// TEST_CASE("ghost") {}\n'
        self.expect(tree, "no test case 'ghost'")

    def test_unknown_place(self):
        tree = self.claim("| fast | tools/bench/run | 9 | 10 | nightly |")
        self.expect(tree, "where is 'nightly'")

    def test_empty_figure(self):
        self.expect(self.claim("| fast | tools/bench/run |  | 10 | suite |"), "figure is empty")

    def test_wrong_number_of_cells(self):
        self.expect(self.claim("| fast | tools/bench/run | 9 | suite |"), "4 cells, expected 5")

    def test_escaped_bar_stays_in_its_cell(self):
        self.expect_clean(self.claim(r"| a \| b | tools/bench/run | 9 | 10 | suite |"))

    def test_missing_document(self):
        self.expect({}, "docs/claims.md:1: missing")

    def test_document_without_the_table(self):
        self.expect({"docs/claims.md": "# Claims\n"}, "no table")


if __name__ == "__main__":
    unittest.main()
