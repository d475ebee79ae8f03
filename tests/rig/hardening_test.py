"""What a release build of `ebb` has against its own mistakes, read from the program itself."""

import re
import unittest

import rig

ENDBR64 = bytes.fromhex("f30f1efa")


class HardeningTest(unittest.TestCase):
    def setUp(self):
        self.symbols = rig.readelf("--dyn-syms")
        if rig.is_sanitized():
            self.skipTest("a build with sanitizers is not one for release")

    def test_it_can_be_loaded_anywhere_and_its_tables_are_read_only(self):
        self.assertIn("DYN (Position-Independent Executable file)", rig.readelf("-h"))
        self.assertIn("BIND_NOW", rig.readelf("-d"))
        self.assertIn("GNU_RELRO", rig.readelf("-l"))

    def test_nothing_is_both_written_and_run(self):
        for line in rig.readelf("-l").splitlines():
            found = re.match(r"\s+(LOAD|GNU_STACK)\s.*\s([R ][W ][E ])\s+0x", line)
            if found:
                self.assertFalse("W" in found[2] and "E" in found[2], line)
        self.assertRegex(rig.readelf("-l"), r"GNU_STACK.* RW ")

    def test_no_library_is_looked_for_beside_it(self):
        dynamic = rig.readelf("-d")
        self.assertNotIn("RPATH", dynamic)
        self.assertNotIn("RUNPATH", dynamic)

    def test_stacks_and_buffers_are_watched(self):
        self.assertIn("__stack_chk_fail", self.symbols)
        self.assertRegex(self.symbols, r"__\w+_chk@GLIBC")

    def test_jumps_land_where_they_may(self):
        if "X86-64" not in rig.readelf("-h"):
            self.skipTest("not x86-64")
        with open(rig.PROGRAM, "rb") as program:
            self.assertGreater(program.read().count(ENDBR64), 1000)
