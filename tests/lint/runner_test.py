"""Tests of tools/lib/run_tests.py: how the result of one program becomes cases."""

import contextlib
import dataclasses
import io
import pathlib
import sys
import tempfile
import unittest

from tree import ROOT

sys.path.insert(0, str(ROOT / "tools" / "lib"))

import run_tests  # noqa: E402


def entry(result, stdout="", code=0):
    return {"name": "unit / core", "result": result, "returncode": code, "stdout": stdout}


class Judge(unittest.TestCase):
    def judged(self, *args):
        passed, failed, _ = run_tests.judge_program(entry(*args))
        return passed, failed

    def test_counts_the_last_line(self):
        text = "cases: 1 passed, 0 failed, 0 skipped\ncases: 5 passed, 0 failed, 1 skipped\n"
        self.assertEqual(self.judged("OK", text), (5, 0))

    def test_counts_failed_cases(self):
        text = "cases: 5 passed, 2 failed, 0 skipped\n"
        self.assertEqual(self.judged("FAIL", text, 1), (5, 2))

    def test_program_that_dies_is_one_failed_case(self):
        for result in ("FAIL", "TIMEOUT", "ERROR", "INTERRUPT"):
            self.assertEqual(self.judged(result, "half a line", -6), (0, 1))

    def test_program_that_fails_after_its_cases_is_one_failed_case(self):
        text = "cases: 5 passed, 0 failed, 0 skipped\n"
        self.assertEqual(self.judged("FAIL", text, 23), (5, 1))

    def test_program_without_the_line_is_a_failure_even_with_exit_0(self):
        self.assertEqual(self.judged("OK", "all good\n"), (0, 1))

    def test_program_that_ran_nothing_is_a_failure(self):
        self.assertEqual(self.judged("OK", "cases: 0 passed, 0 failed, 0 skipped\n"), (0, 1))

    def test_program_that_skipped_everything_is_none(self):
        self.assertEqual(self.judged("OK", "cases: 0 passed, 0 failed, 3 skipped\n"), (0, 0))


class Missing(unittest.TestCase):
    def missing(self, tests, *names):
        return run_tests.missing_programs(
            dataclasses.replace(run_tests.BUILDS[0], tests=tests), [{"name": n} for n in names])

    def test_build_that_ran_nothing_is_a_failure(self):
        self.assertEqual(self.missing(()), ["ran no test program"])
        self.assertEqual(self.missing(("node",)), ["ran no test program"])

    def test_name_that_matches_no_test_is_a_failure(self):
        self.assertEqual(self.missing(("node", "http"), "ebb:unit / node"),
                         ["no test is called http"])
        self.assertEqual(self.missing(("node", "rig_kill"), "ebb:unit / node", "rig_kill"), [])

    def test_build_without_names_runs_what_there_is(self):
        self.assertEqual(self.missing((), "ebb:unit / node"), [])

    def test_build_counts_what_is_missing(self):
        with tempfile.TemporaryDirectory() as directory:
            count = run_tests.Count()
            args = run_tests.parse([])
            build = dataclasses.replace(run_tests.BUILDS[0], name="none", tests=("nobody",))
            runner = run_tests.Runner(build, args, run_tests.Clock(), count)
            runner.directory = runner.logs = pathlib.Path(directory)
            runner.test_command = lambda: ["true"]
            with contextlib.redirect_stdout(io.StringIO()) as out:
                runner.test()
            self.assertEqual(count.failed, 1)
            self.assertIn("ran no test program", out.getvalue())


class Builds(unittest.TestCase):
    def test_first_build_runs_every_suite(self):
        first, *others = run_tests.BUILDS
        for build in others:
            self.assertLessEqual(set(build.suites), set(first.suites), build.name)

    def test_callers_flags_do_not_reach_the_compiler(self):
        env = run_tests.environment(run_tests.BUILDS[0], with_long=False)
        self.assertFalse({"CXXFLAGS", "LDFLAGS", "EBB_LONG"} & set(env))


if __name__ == "__main__":
    unittest.main()
