"""The builds of tools/test: how each is configured, and what runs in it."""

import dataclasses

GCC = ("gcc", "g++")
CLANG = ("clang-14", "clang++-14")
SANITIZED = ("-Db_lundef=false", "-Doptimization=1", "-Ddebug=false")
TRACES = "-g1 -fno-omit-frame-pointer -fno-sanitize-recover=all"
ALL_SUITES = ("unit", "sim", "rig", "lint", "fuzz-smoke")


@dataclasses.dataclass(frozen=True)
class Build:
    """One build directory: how it is configured, and which suites run in it."""

    name: str
    compiler: tuple
    options: tuple
    cpp_args: str
    suites: tuple
    targets: tuple = ()  # what to build; empty: everything
    tests: tuple = ()  # which tests of the suites; empty: all
    only_long: bool = False
    long_suite: bool = False
    same_as: str = ""  # the build whose simulator has to compute what this one's does
    tool: tuple = ()  # a program of tools/ that works on the build, and its arguments
    timeout_multiplier: int = 1
    sanitizer: str = ""


BUILDS = (
    Build(
        name="gcc",
        compiler=GCC,
        # g++ 12 warns of variables that are set after all when it optimises less.
        options=("-Doptimization=2", "-Ddebug=false", "-Dplanted_bugs=true"),
        cpp_args="-D_GLIBCXX_ASSERTIONS",
        suites=ALL_SUITES,
        long_suite=True,
    ),
    Build(
        name="clang",
        compiler=CLANG,
        # Without precompiled headers, as they hide that a source includes not what it uses.
        options=("-Doptimization=1", "-Ddebug=false", "-Db_pch=false"),
        cpp_args="",
        suites=("unit", "sim"),
        only_long=True,  # the sanitized builds are clang's too
        same_as="gcc",
        tool=("tidy",),
    ),
    Build(
        name="asan",
        compiler=CLANG,
        options=SANITIZED,
        cpp_args=TRACES,
        suites=("unit", "sim", "fuzz-smoke", "rig"),
        same_as="gcc",
        timeout_multiplier=5,
        sanitizer="address,undefined",
    ),
    Build(
        name="tsan",
        compiler=CLANG,
        options=SANITIZED,
        cpp_args=TRACES,
        suites=("unit", "rig"),
        # The rooms that have threads; the others are pure.
        targets=("tests/test_node", "tests/test_http", "tests/test_sim_threads", "ebb"),
        tests=("node", "http", "sim_threads", "rig_kill", "rig_sync"),
        timeout_multiplier=5,
        sanitizer="thread",
    ),
    Build(
        name="fuzz",
        compiler=CLANG,
        options=(*SANITIZED, "-Dfuzzer=true", "-Dsim=false"),
        cpp_args=f"-fsanitize=fuzzer-no-link {TRACES}",
        suites=(),
        targets=("fuzzers",),
        only_long=True,
        tool=("fuzz", "-s", "60"),
        sanitizer="address,undefined",
    ),
    Build(
        name="coverage",
        compiler=CLANG,
        options=("-Db_lundef=false", "-Doptimization=1", "-Ddebug=false", "-Dsim=false",
                 "-Dcpp_link_args=-fprofile-instr-generate"),
        cpp_args="-fprofile-instr-generate -fcoverage-mapping",
        suites=(),
        targets=("fuzzers", "tests/test_codec", "tests/test_channel", "tests/test_trust",
                 "tests/test_node"),
        only_long=True,
        tool=("coverage",),
    ),
)
