#!/usr/bin/env python3
"""Tests of the checks themselves: each rule is fed a small bad snippet and must find it.

Arguments are test files, or names such as `style_test.Tokens.test_clock`; none means all.
"""

import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.dont_write_bytecode = True
sys.path.insert(0, str(HERE.parent))

import cases  # noqa: E402

if __name__ == "__main__":
    sys.exit(cases.run(sys.argv[1:], HERE))
