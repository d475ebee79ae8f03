#!/usr/bin/env python3
"""Builds several times, runs the suites of each build and counts the cases. Entry: tools/test.

Every test program ends its output with `cases: P passed, F failed, S skipped`, after a line
`SKIP <name>: <reason>` for each skipped case. A program counts its passed cases in the first build
that runs it; failed cases count in every build. The last line printed is `N passed, N failed`.
"""

import argparse
import dataclasses
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

from builds import BUILDS

ROOT = pathlib.Path(__file__).resolve().parents[2]
TAIL_LINES = 60
REPEATED_SUITES = ("unit", "rig")
REPEATS_LONG = 19  # with the first run: 20 in a row

SANITIZER_OPTIONS = {
    # SQLite's LIKE calls strcspn at every place, and the wrapper reads to the end of the text.
    "ASAN_OPTIONS": "detect_leaks=1:detect_stack_use_after_return=1:strict_string_checks=1"
                    ":intercept_strspn=0",
    "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
    "TSAN_OPTIONS": "halt_on_error=1:second_deadlock_stack=1",
}

_CASES = re.compile(r"^cases: (\d+) passed, (\d+) failed, (\d+) skipped$", re.MULTILINE)
_SKIP = re.compile(r"^SKIP (.+)$", re.MULTILINE)
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


class StepFailed(Exception):
    """A command that must succeed did not; holds its log."""

    def __init__(self, log):
        super().__init__(str(log))
        self.log = log


@dataclasses.dataclass
class Count:
    """The cases of all builds together."""

    passed: int = 0
    failed: int = 0
    skips: dict = dataclasses.field(default_factory=dict)
    programs: set = dataclasses.field(default_factory=set)


class Clock:
    """Prints how long each step took."""

    def __init__(self):
        self.start = time.monotonic()

    def report(self, build, step, since, note=""):
        now = time.monotonic()
        line = f"{build:<6} {step:<6} {now - since:6.1f} s   at {now - self.start:6.1f} s   {note}"
        print(line.rstrip(), flush=True)


def environment(build, with_long):
    """What the commands of a build see; nothing of the caller's that would change the outcome."""
    env = dict(os.environ, LC_ALL="C.UTF-8", NO_COLOR="1", **SANITIZER_OPTIONS)
    # A build directory that is kept knows the day of its setup alone.
    env["EBB_SIM_TENTH"] = time.strftime("%j")
    for name in ("CFLAGS", "CXXFLAGS", "CPPFLAGS", "LDFLAGS", "MESON_TESTTHREADS", "EBB_LONG"):
        env.pop(name, None)
    for variable, program in zip(("CC", "CXX"), build.compiler):
        env[variable] = program if shutil.which(program) else program.removesuffix("-14")
    symbolizer = pathlib.Path("/usr/lib/llvm-14/bin/llvm-symbolizer")
    if symbolizer.exists():
        env["ASAN_SYMBOLIZER_PATH"] = env["TSAN_SYMBOLIZER_PATH"] = str(symbolizer)
    if with_long:
        env["EBB_LONG"] = "1"
    return env


def fixed_addresses():
    """Prefix that runs a command without address randomisation, where that is possible.

    The sanitizers of clang 14 stop at once on kernels that randomise more bits than they expect.
    """
    prefix = ["setarch", os.uname().machine, "-R"]
    if shutil.which("setarch") is None:
        return []
    works = subprocess.run([*prefix, "true"], stderr=subprocess.DEVNULL).returncode == 0
    return prefix if works else []


def run_logged(command, log, env):
    """Runs in the root with output to the log; returns the exit code."""
    with open(log, "wb") as out:
        return subprocess.run(
            command, cwd=ROOT, env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=out
        ).returncode


def tail(text, lines=TAIL_LINES):
    return "\n".join(_COLOUR.sub("", text).rstrip().splitlines()[-lines:])


class Runner:
    """Takes one build from nothing to counted cases."""

    def __init__(self, build, args, clock, count):
        self.build = build
        self.args = args
        self.clock = clock
        self.count = count
        self.directory = ROOT / "build" / build.name
        self.logs = ROOT / "build" / "logs"
        self.with_long = args.long and build.long_suite
        self.env = environment(build, self.with_long)
        self.prefix = fixed_addresses() if build.sanitizer else []

    def run(self):
        self.logs.mkdir(parents=True, exist_ok=True)
        try:
            self.timed("setup", self.setup)
            self.timed("build", self.compile)
        except StepFailed as failure:
            self.fail_build(failure.log)
            return False
        if self.build.suites:
            self.timed("test", self.test)
        if self.build.same_as:
            self.timed("traces", self.compare)
        if self.build.tool:
            self.timed(self.build.tool[0], self.work)
        if self.args.repeat and self.build is BUILDS[0]:
            self.timed("again", self.repeat)
        return True

    def timed(self, step, action):
        since = time.monotonic()
        try:
            note = action()
        except StepFailed:
            self.clock.report(self.build.name, step, since, "FAILED")
            raise
        self.clock.report(self.build.name, step, since, note or "")

    def must(self, step, command):
        log = self.logs / f"{self.build.name}-{step}.txt"
        if run_logged(self.prefix + command, log, self.env) != 0:
            raise StepFailed(log)

    def setup_command(self):
        build = self.build
        command = ["meson", "setup", str(self.directory), "--werror", "-Dtests=true"]
        command += build.options
        if build.sanitizer:
            command.append(f"-Db_sanitize={build.sanitizer}")
            command.append("-Dcpp_link_args=-fno-sanitize-recover=all")
        if build.cpp_args:
            command.append(f"-Dcpp_args={build.cpp_args}")
        return command

    def setup(self):
        """Configures afresh unless the directory was configured the same way before."""
        command = self.setup_command()
        stamp = self.directory / "configured-with.txt"
        wanted = " ".join([*command[3:], self.env["CXX"]])
        same = stamp.exists() and stamp.read_text() == wanted
        if same and (self.directory / "build.ninja").exists():
            return "unchanged"
        shutil.rmtree(self.directory, ignore_errors=True)
        self.must("setup", command)
        stamp.write_text(wanted)
        return None

    def compile(self):
        jobs = ["-j", str(self.args.jobs)] if self.args.jobs else []
        self.must("build", ["ninja", "-C", str(self.directory), *jobs, *self.build.targets])

    def fail_build(self, log):
        print(f"--- {self.build.name}: {log.relative_to(ROOT)} ends with:", flush=True)
        print(tail(log.read_text(errors="replace")), flush=True)
        self.count.failed += 1

    def test_command(self):
        command = ["meson", "test", "-C", str(self.directory), "--no-rebuild", *self.build.tests]
        for suite in self.build.suites + (("long",) if self.with_long else ()):
            command += ["--suite", suite]
        if not self.with_long:
            command += ["--no-suite", "long"]
        # Tests of real processes wait more than they work.
        jobs = self.args.jobs or (os.cpu_count() or 1) + 2
        command += ["--num-processes", str(jobs)]
        return command + ["--timeout-multiplier", str(self.build.timeout_multiplier)]

    def test(self):
        results = self.directory / "meson-logs" / "testlog.json"
        results.unlink(missing_ok=True)
        log = self.logs / f"{self.build.name}-test.txt"
        exit_code = run_logged(self.prefix + self.test_command(), log, self.env)
        tests = read_results(results)
        before = self.count.failed
        passed = sum(self.count_program(test) for test in tests)
        failed = self.count.failed - before
        missing = missing_programs(self.build, tests)
        for what in missing:
            print(f"--- {self.build.name}: {what}", flush=True)
        self.count.failed += len(missing)
        failed += len(missing)
        if exit_code != 0 and failed == 0:
            self.fail_build(log)
            failed = 1
        return f"{len(tests)} programs, {passed} cases passed, {failed} failed"

    def work(self):
        """Counts the cases of the program of tools/ that works on the build."""
        name, *arguments = self.build.tool
        return self.count_command(
            name, [str(ROOT / "tools" / name), "-p", str(self.directory), *arguments])

    def compare(self):
        """Counts the runs of which this build's simulator computes what the other build's does."""
        programs = [str(ROOT / "build" / name / "sim" / "ebb-sim")
                    for name in (self.build.same_as, self.build.name)]
        return self.count_command(
            "traces", [sys.executable, str(ROOT / "tools" / "lib" / "same_traces.py"), *programs])

    def count_command(self, name, command):
        """Counts the cases of one program that is no test of meson."""
        log = self.logs / f"{self.build.name}-{name}.txt"
        exit_code = run_logged(self.prefix + command, log, self.env)
        passed = self.count_program({"name": name, "returncode": exit_code,
                                     "result": "OK" if exit_code == 0 else "FAIL",
                                     "stdout": log.read_text(errors="replace")})
        return f"{passed} cases passed"

    def repeat(self):
        """Runs the suites that start threads and processes over and over; counts failures alone."""
        log = self.logs / f"{self.build.name}-again.txt"
        command = ["meson", "test", "-C", str(self.directory), "--no-rebuild", "--no-suite", "long"]
        for suite in REPEATED_SUITES:
            command += ["--suite", suite]
        command += ["--repeat", str(self.args.repeat), "--maxfail", "1"]
        if run_logged(command, log, self.env) == 0:
            return f"{self.args.repeat} times"
        self.fail_build(log)
        return "failed"

    def count_program(self, test):
        """Adds one program to the count; returns its passed cases."""
        name, output = test["name"], test.get("stdout") or ""
        passed, failed, problem = judge_program(test)
        for skip in _SKIP.findall(output):
            self.count.skips.setdefault(skip, self.build.name)
        if name not in self.count.programs:
            self.count.programs.add(name)
            self.count.passed += passed
        self.count.failed += failed
        if failed:
            print(f"--- {self.build.name}: {name}: {problem}; its output ends with:")
            print(tail(output + "\n" + (test.get("stderr") or "")), flush=True)
        return passed


def missing_programs(build, tests):
    """What a build was to run and has not, one sentence each: a selection that matches nothing."""
    if not tests:
        return ["ran no test program"]
    ran = {program_of(test) for test in tests}
    return [f"no test is called {name}" for name in build.tests if name not in ran]


def program_of(test):
    """The name of a test in meson.build; meson puts the project and the suite before it."""
    return test["name"].rsplit("/", 1)[-1].strip()


def judge_program(test):
    """(passed, failed, what is wrong) of one entry of testlog.json."""
    result = test.get("result", "ERROR")
    lines = _CASES.findall(test.get("stdout") or "")
    if result == "SKIP":
        return 0, 0, ""
    if not lines:
        return 0, 1, f"{result}, exit code {test.get('returncode')}, without a `cases:` line"
    passed, failed, skipped = (int(number) for number in lines[-1])
    if failed == 0 and result not in ("OK", "EXPECTEDFAIL"):
        return passed, 1, f"{result}, exit code {test.get('returncode')}, though no case failed"
    if passed + failed + skipped == 0:
        return 0, 1, "ran no case"
    return passed, failed, f"{failed} cases failed"


def read_results(path):
    """The entries of a testlog.json: one JSON object a line."""
    if not path.exists():
        return []
    lines = path.read_text(errors="replace").splitlines()
    return [json.loads(line) for line in lines if line.strip()]


def print_skips(skips):
    if skips:
        print(f"skipped: {len(skips)} cases")
    for skip in sorted(skips):
        print(f"  {skip}")


def parse(arguments):
    parser = argparse.ArgumentParser(prog="tools/test", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="only the g++ build")
    parser.add_argument("--long", action="store_true", help="the long suites as well")
    parser.add_argument("--repeat", type=int, metavar="N",
                        help="run units and rigs of the g++ build N times more; "
                             f"{REPEATS_LONG} with --long")
    parser.add_argument("-j", dest="jobs", type=int, default=0, metavar="N", help="jobs at a time")
    args = parser.parse_args(arguments)
    if args.repeat is None:
        args.repeat = REPEATS_LONG if args.long else 0
    return args


def main(arguments):
    args = parse(arguments)
    clock, count = Clock(), Count()
    builds = [build for build in BUILDS if args.long or not build.only_long]
    for build in builds[:1] if args.quick else builds:
        built = Runner(build, args, clock, count).run()
        if not built and build is BUILDS[0]:
            break  # The other builds would only repeat the same errors, slowly.
    print_skips(count.skips)
    print(f"total {time.monotonic() - clock.start:.0f} s")
    print(f"{count.passed} passed, {count.failed} failed", flush=True)
    return 1 if count.failed or not count.passed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
