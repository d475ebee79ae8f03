"""Thousands of engines in one process, in virtual time: programs that judge their own figures."""

import subprocess

GOAL_MISSED = 1  # their exit code


class WideMeshes:
    def __init__(self, programs):
        self.programs = programs
        self.missed = []

    def run(self, name, *flags):
        """Where a goal is missed the others are measured all the same, and the run fails at its
        end; a program that does not come to its own end is the end of the run."""
        done = subprocess.run([self.programs / name, *flags], check=False)
        if done.returncode == GOAL_MISSED:
            self.missed.append(" ".join([name, *flags]))
        else:
            done.check_returncode()

    def spread(self):
        self.run("bench_spread")
        self.run("bench_spread", "--nodes", "1000", "--presence")

    def spread_log_normal(self):
        self.run("bench_spread", "--log-normal")

    def idle(self):
        self.run("bench_spread", "--short", "--nodes", "100", "--authors", "50")
        self.run("bench_spread", "--short", "--nodes", "1000")

    def heal(self):
        for seed in ("1", "2", "3"):
            self.run("bench_heal", "--seed", seed)
