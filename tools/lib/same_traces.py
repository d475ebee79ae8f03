#!/usr/bin/env python3
"""Whether two builds of ebb-sim compute the same: seeds and a planned fleet, run with each.

    same_traces.py EBB_SIM OTHER_EBB_SIM

A case for each run, and one that the seeds still have all in which compilers could
differ.
Ends with `cases: P passed, F failed, 0 skipped`, as every test program does.
"""

import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
FLEET = ROOT / "docs" / "examples" / "kiosks.toml"

SECONDS_MAX = 600
SEEDS = (2, 6, 15, 52, 102, 124)
# What a description of a run says of what some seed has to have.
KINDS = {
    "the daemon's store and signatures": r"^  real: yes$",
    "the daemon's channel": r"^  real_channel: yes$",
    "a secret": r"^  secret: yes$",
    "two issuers": r"^  members: 2 issuers",
    "a host that is let in": r"^  members: .*late host",
    "partial scopes": r"^  partial: [1-9]",
    "rare paths": r"^  rare_paths: \w+=",
    "two wire versions": r"^  wire_versions: 1 and 2$",
    "a liar": r"^  liar: host",
    "strangers": r"^  strangers: [1-9]",
    "a local network": r"^  lan: [1-9]",
}

# The line of a run; a fleet's is within its tables.
_TRACE = re.compile(r"(?:^|, )trace:? ([0-9a-f]{64})$", re.MULTILINE)


_END = re.compile(r"^exit code (-?\d+)$", re.MULTILINE)


def runs():
    """(what it is, arguments) of each run."""
    for seed in SEEDS:
        yield f"seed {seed}", ["--seed", str(seed), "--nodes", "5", "--seconds", "300"]
    yield f"fleet {FLEET.name}", ["plan", str(FLEET), "--duration", "2m"]


def output_of(program, arguments):
    """What it prints, and how it ends: a bad run has to be as bad by the other program."""
    try:
        done = subprocess.run([program, *arguments], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, text=True, errors="replace",
                              timeout=SECONDS_MAX)
    except subprocess.TimeoutExpired:
        return f"no end after {SECONDS_MAX} s\n"
    return f"{done.stdout}\nexit code {done.returncode}\n"


def trace_of(output):
    """The hash of the trace; None where there is no such line, or more than one."""
    found = _TRACE.findall(output)
    return found[0] if len(found) == 1 else None


def difference(one, other):
    """What is wrong with the outputs of two programs for the same run; None: nothing."""
    traces = trace_of(one), trace_of(other)
    if None in traces:
        return "no trace line of " + " and ".join(
            name for name, trace in zip(("the first", "the second"), traces) if trace is None)
    if traces[0] != traces[1]:
        return f"trace {traces[0]} and {traces[1]}"
    ends = [_END.findall(output) for output in (one, other)]
    return None if ends[0] == ends[1] else f"exit code {ends[0]} and {ends[1]}"


def lacking(outputs):
    """Which of the kinds none of the seeds has."""
    return [kind for kind, pattern in KINDS.items()
            if not any(re.search(pattern, output, re.MULTILINE) for output in outputs)]


def main(arguments):
    if len(arguments) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    passed, failures, outputs = 0, [], []
    for name, run in runs():
        one, other = (output_of(program, run) for program in arguments)
        outputs.append(one)
        problem = difference(one, other)
        print(f"{name}: {problem or trace_of(one)}")
        if problem:
            failures.append(name)
        else:
            passed += 1
    missing = lacking(outputs)
    if missing:
        print("no seed has " + ", ".join(missing) + ": choose others (SEEDS)")
        failures.append("kinds")
    else:
        passed += 1
    print(f"cases: {passed} passed, {len(failures)} failed, 0 skipped")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
