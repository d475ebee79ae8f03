"""Runs the stand-alone limit programs of ../shared/limits beside those of this folder.

The figures of the bench are ratios to limits that its own programs measure; this says whether they
measure the same as the others do.
"""

import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
SOURCES = ROOT.parent / "shared" / "limits"
LIBRARIES = {"bench_sqlite": ["-lsqlite3", "-lzstd"],
             "bench_net": ["-luv"],
             "bench_e2e": ["-luv", "-lsqlite3", "-lsodium", "-lzstd"]}
SCALES = {"": 1, "k": 1e3, "M": 1e6}


def number(cell):
    """The median of a cell such as `702 k (690 k..710 k)`."""
    found = re.match(r"([0-9.]+) ?([kM]?)", cell)
    return float(found[1]) * SCALES[found[2]]


def cells(text, *start):
    """The cells of the table row whose first cells are `start`."""
    for line in text.splitlines():
        row = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if row[:len(start)] == list(start):
            return row
    raise ValueError(f"no row {start} in:\n{text}")


class SharedLimits:
    """The programs, built into `build`; figures as `bench_limits` gives them."""

    def __init__(self, build, scratch):
        self.build = pathlib.Path(build)
        self.scratch = pathlib.Path(scratch)
        self.build.mkdir(parents=True, exist_ok=True)

    @staticmethod
    def present():
        return SOURCES.is_dir()

    def output(self, name, *arguments):
        program = self.build / name
        if not program.exists():
            subprocess.run(["g++", "-std=c++20", "-O3", "-DNDEBUG", SOURCES / f"{name}.cpp", "-o",
                            program, "-pthread", *LIBRARIES[name]], check=True)
        return subprocess.run([program, *map(str, arguments)], check=True, text=True,
                              capture_output=True).stdout

    def rows(self):
        """Rows a second: batches of 1,000, FULL, without rowid."""
        return number(cells(self.output("bench_sqlite", "rows", self.scratch, "FULL"), "1000")[1])

    def fsync_ms(self):
        text = self.output("bench_sqlite", "fsync", self.scratch)
        return float(cells(text, "85 B, extend")[3]) / 1000

    def roundtrip_ms(self):
        return float(cells(self.output("bench_net", "ping"), "TCP 64 B")[1]) / 1000

    def pipe(self):
        """Events a second of a bare pipe: plain bodies, a hash a segment, ten segments a commit."""
        text = self.output("bench_e2e", self.scratch, "raw")
        return number(cells(text, "segments", "raw array", "insert segment", "FULL", "10")[5])
