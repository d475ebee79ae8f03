"""Runs unittest cases and prints what the test runner counts.

A line `SKIP <name>: <reason>` for each skipped case, and last
`cases: P passed, F failed, S skipped`. Progress and failures go to standard
error as unittest writes them.
"""

import pathlib
import sys
import unittest

sys.dont_write_bytecode = True


class Tally(unittest.TextTestResult):
    """Counts each case once, however many of its subtests fail."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.bad = set()
        self.passed = 0

    def addSuccess(self, test):
        super().addSuccess(test)
        self.passed += test.id() not in self.bad

    def addExpectedFailure(self, test, err):
        super().addExpectedFailure(test, err)
        self.passed += 1

    def addUnexpectedSuccess(self, test):
        super().addUnexpectedSuccess(test)
        self.bad.add(test.id())

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.bad.add(test.id())

    def addError(self, test, err):
        super().addError(test, err)
        self.bad.add(test.id())

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err is not None:
            self.bad.add(test.id())


def short_name(test):
    return ".".join(test.id().split(".")[-2:])


def module_of(path, root):
    """Import name of a file; its folder and the root of the tree become importable."""
    path = pathlib.Path(path).resolve()
    for folder in (str(root), str(path.parent)):
        if folder not in sys.path:
            sys.path.insert(0, folder)
    return path.stem


def load(names, folder):
    """A suite of files, of `module.Class.test` names, or of every *_test.py of the folder."""
    root = pathlib.Path(__file__).resolve().parents[1]
    sys.path.insert(0, str(folder))
    names = names or sorted(str(path) for path in pathlib.Path(folder).glob("*_test.py"))
    modules = [module_of(name, root) if name.endswith(".py") else name for name in names]
    return unittest.defaultTestLoader.loadTestsFromNames(modules)


def run(names, folder):
    """Runs and prints; returns the exit code."""
    runner = unittest.TextTestRunner(stream=sys.stderr, resultclass=Tally, verbosity=2)
    result = runner.run(load(names, folder))
    for test, reason in result.skipped:
        print(f"SKIP {short_name(test)}: {reason}")
    failed, skipped = len(result.bad), len(result.skipped)
    print(f"cases: {result.passed} passed, {failed} failed, {skipped} skipped", flush=True)
    return 1 if failed else 0
