#!/usr/bin/env python3
"""Runs rig tests: real processes, driven from Python.

Arguments are test files, or names such as `kill_test.KillTest.test_x`; none means every *_test.py
of this folder.
"""

import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.dont_write_bytecode = True
sys.path.insert(0, str(HERE.parent))

import cases  # noqa: E402

if __name__ == "__main__":
    sys.exit(cases.run(sys.argv[1:], HERE))
