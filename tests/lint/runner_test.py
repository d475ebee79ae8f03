"""Tests of tools/lib/run_tests.py: how the result of one program becomes cases; and of
tools/lib/same_traces.py: when two simulators compute the same."""

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
import same_traces  # noqa: E402


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

    def test_each_run_says_which_day_it_is(self):
        env = run_tests.environment(run_tests.BUILDS[0], with_long=True)
        self.assertIn(int(env["EBB_SIM_TENTH"]), range(1, 367))

    def test_another_compilers_simulator_is_compared_with_one_that_is_built_before(self):
        earlier = {}
        compared = []
        for build in run_tests.BUILDS:
            if build.same_as:
                self.assertNotEqual(earlier[build.same_as].compiler, build.compiler)
                self.assertIn("sim", build.suites)
                compared.append(build.only_long)
            earlier[build.name] = build
        self.assertIn(False, compared)


class Traces(unittest.TestCase):
    ONE, OTHER = "ab" * 32, "cd" * 32

    def test_reads_the_line_of_a_run_and_that_of_a_fleet(self):
        run = f"steps: 7\ntrace: {self.ONE}\nfaults: 0\n"
        self.assertEqual(same_traces.trace_of(run), self.ONE)
        self.assertEqual(same_traces.trace_of(f"seed 1, 7 steps, trace {self.ONE}\n"), self.ONE)
        self.assertIsNone(same_traces.trace_of("trace: ab\n"))
        self.assertIsNone(same_traces.trace_of(f"trace: {self.ONE}\n" * 2))

    def test_other_traces_and_missing_ones_are_differences(self):
        one, other = f"trace: {self.ONE}\n", f"trace: {self.OTHER}\n"
        self.assertIsNone(same_traces.difference(one, one))
        self.assertIn(self.OTHER, same_traces.difference(one, other))
        self.assertIn("the second", same_traces.difference(one, ""))
        self.assertIn("the first and the second", same_traces.difference("", ""))
        bad = f"{one}exit code 1\n"
        self.assertIn("exit code", same_traces.difference(f"{one}exit code 0\n", bad))
        self.assertIsNone(same_traces.difference(bad, bad))

    def test_seeds_that_leave_a_kind_out_are_a_failure(self):
        self.assertEqual(same_traces.lacking(["  real: yes\n"])[0], "the daemon's channel")
        self.assertNotIn("a liar", same_traces.lacking(["  liar: host 4, 30 permille\n"]))
        self.assertIn("a liar", same_traces.lacking(["  liar: none\n"]))

    def counted(self, *programs):
        """(passed, failed) of the step with such programs in the place of ebb-sim."""
        with tempfile.TemporaryDirectory() as directory:
            count = run_tests.Count()
            build = dataclasses.replace(run_tests.BUILDS[0], name="none")
            runner = run_tests.Runner(build, run_tests.parse([]), run_tests.Clock(), count)
            runner.logs = pathlib.Path(directory)
            paths = []
            for number, text in enumerate(programs):
                path = pathlib.Path(directory) / f"sim{number}"
                path.write_text(f"#!/bin/sh\n{text}\n")
                path.chmod(0o755)
                paths.append(str(path))
            with contextlib.redirect_stdout(io.StringIO()):
                runner.count_command("traces", [sys.executable, same_traces.__file__, *paths])
            return count.passed, count.failed

    def test_the_step_counts_each_run(self):
        runs = len(list(same_traces.runs()))
        one = f"echo 'trace: {self.ONE}'"
        # Which of the kinds the seeds have is a case too, and here there are none.
        self.assertEqual(self.counted(one, one), (runs, 1))
        self.assertEqual(self.counted(one, f"echo 'trace: {self.OTHER}'"), (0, runs + 1))
        self.assertEqual(self.counted(one, "exit 1"), (0, runs + 1))

    def test_a_simulator_that_is_not_there_is_a_failure(self):
        with tempfile.TemporaryDirectory() as directory:
            count = run_tests.Count()
            build = dataclasses.replace(run_tests.BUILDS[0], name="none", same_as="nothing")
            runner = run_tests.Runner(build, run_tests.parse([]), run_tests.Clock(), count)
            runner.logs = pathlib.Path(directory)
            with contextlib.redirect_stdout(io.StringIO()):
                runner.compare()
            self.assertEqual((count.passed, count.failed), (0, 1))


if __name__ == "__main__":
    unittest.main()
