"""Words that the style forbids, where, and what to write instead."""

import dataclasses
import re

BELOW_NODE = tuple(
    f"src/{room}/" for room in ("core", "codec", "trust", "channel", "state", "store", "mesh")
) + ("include/",)
SHIPPED = ("src/", "include/")
ALL_CPP = ("src/", "include/", "sim/", "tests/", "tools/")


@dataclasses.dataclass(frozen=True)
class Token:
    """One forbidden pattern, searched in C++ code without comments and literals."""

    rule: str
    pattern: re.Pattern
    folders: tuple
    instead: str


def _token(rule, pattern, folders, instead):
    return Token(rule, re.compile(pattern), folders, instead)


TOKENS = (
    _token(
        "random",
        r"\b(?:\w+_distribution|random_device|mt19937(?:_64)?|default_random_engine"
        r"|std::(?:ranges::)?shuffle|std::sample)\b|(?<![\w.>:])(?:std::)?s?rand\s*\(",
        BELOW_NODE + ("sim/",),
        "take the generator of core/rng.h as an argument; std:: differs between libraries",
    ),
    _token(
        "clock",
        r"\b(?:system_clock|steady_clock|high_resolution_clock|utc_clock)\b"
        r"|\b(?:clock_gettime|gettimeofday)\b|(?<![\w.>])time\s*\(\s*(?:nullptr|NULL|0|&\w+)\s*\)",
        BELOW_NODE + ("sim/",),
        "take the time as an argument (core/time.h)",
    ),
    _token("getenv", r"\bgetenv\b", BELOW_NODE + ("sim/",), "pass the setting as an argument"),
    _token(
        "thread",
        r"\bstd::(?:j?thread|(?:\w+_)?mutex|condition_variable(?:_any)?|async|future|promise)\b"
        r"|\bpthread_\w+",
        BELOW_NODE,
        "threads belong to src/node; make it a passive object",
    ),
    _token(
        "sleep",
        r"\b(?:sleep_for|sleep_until|usleep|nanosleep)\b|(?<![\w.>])sleep\s*\(",
        ALL_CPP,
        "wait for the condition, with a deadline; in the daemon use a timer of the loop",
    ),
    _token(
        "float",
        r"\b(?:float|double)\b",
        ("src/mesh/",),
        "decide with integers; a probability is a ratio of two of them",
    ),
    _token(
        "shared_ptr",
        r"\b(?:shared_ptr|make_shared)\b",
        BELOW_NODE,
        "use unique_ptr and references",
    ),
    _token(
        "assert",
        r"(?<![\w.])assert\s*\(|<cassert>",
        ("src/", "include/", "sim/"),
        "use EBB_CHECK of core/check.h, which stays on in release builds",
    ),
    _token("throw", r"\bthrow\b", SHIPPED, "return a Result or Status of core/result.h"),
    _token(
        "format",
        r"\bstd::v?format(?:_to\w*)?\b|<format>",
        ALL_CPP,
        "use std::to_string or std::to_chars; g++ 12 has no std::format",
    ),
    _token(
        "views",
        r"\bstd::(?:ranges::)?views\b",
        ALL_CPP,
        "write a plain loop; clang 14 cannot compile std::views",
    ),
)
