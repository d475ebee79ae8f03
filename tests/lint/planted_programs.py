"""The programs of a default build contain no planted bug; those of a test build do.

Environment: EBB_PLANTED, `yes` or `no`; EBB_PROGRAM and EBB_SIM, the programs of the build.
"""

import os
import pathlib
import re
import unittest

TABLE = pathlib.Path(__file__).resolve().parents[2] / "sim" / "planted_bugs.cc"
NAME = re.compile(r'PlantedInfo\{Bug::\w+, "(\w+)"')
SYMBOL = b"planted_bug"  # the variable that says which bug is planted


class PlantedTest(unittest.TestCase):
    """One build: what it says of itself, and what its programs are made of."""

    def test_programs_hold_planted_bugs_only_where_asked_for(self):
        planted = os.environ["EBB_PLANTED"] == "yes"
        node = pathlib.Path(os.environ["EBB_PROGRAM"]).read_bytes()
        simulator = pathlib.Path(os.environ["EBB_SIM"]).read_bytes()
        bugs = [name.encode() for name in NAME.findall(TABLE.read_text())]
        self.assertGreaterEqual(len(bugs), 20)
        for bug in bugs:
            self.assertNotIn(bug, node, "a name in the daemon's program")
            self.assertEqual(bug in simulator, planted, bug)
        self.assertEqual(SYMBOL in node, planted)
