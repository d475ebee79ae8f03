"""Runs the demo: three nodes, real events, one of them away and back, then the comparison."""

import argparse
import array
import contextlib
import itertools
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile

import demo_feed
from demo_lines import FeedError, check_ids, parse_line
from ebb_node import EbbError, in_sync, make_mesh, wait_until

NAMES = ["kiosk-a", "kiosk-b", "kiosk-c"]
AWAY = 2  # the node that loses its network for the middle third of the feed
VITALS_ROUNDS = 60
# How long convergence may take by default: that, and a second for so many events.
TIMEOUT_SECONDS, EVENTS_A_SECOND = 120, 1000
# A port that a node had before may belong to another program by now.
ANY_PORT = ["--listen", "127.0.0.1:0"]


def say(text):
    print(text, file=sys.stderr, flush=True)


class Progress:
    """One line that grows on a terminal; a line now and then elsewhere."""

    def __init__(self, what):
        self.what = what
        self.terminal = sys.stderr.isatty()
        self.last = 0

    def show(self, count, note=""):
        if self.terminal:
            print(f"\r\033[K{self.what}: {count:,} events {note}", end="", file=sys.stderr,
                  flush=True)
        elif count - self.last >= 100000:
            self.last = count
            say(f"{self.what}: {count:,} events {note}")

    def done(self, count):
        print("\r\033[K" if self.terminal else "", end="", file=sys.stderr)
        say(f"{self.what}: {count:,} events")


def with_numbers(text, numbers):
    """What a node says of the lines of its stream, said of those of the input."""
    def of_input(found):
        place = int(found.group(1))
        return f"line {numbers[place - 1]}" if 0 < place <= len(numbers) else found.group()
    return re.sub(r"\bline (\d+)\b", of_input, text)


class Feeder:
    """Pipes lines into `ebb append --ndjson -`, one such process a node."""

    def __init__(self, nodes):
        self.nodes = nodes
        self.pipes = [None] * len(nodes)
        self.numbers = [None] * len(nodes)  # of the input's lines, in the order of each stream

    def write(self, index, number, line):
        if self.pipes[index] is None:
            self.numbers[index] = array.array("Q")
            node = self.nodes[index]
            self.pipes[index] = subprocess.Popen(
                node.command("append", "--ndjson", "-"), stdin=subprocess.PIPE,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=node.environment())
        self.numbers[index].append(number)
        with contextlib.suppress(BrokenPipeError):  # its exit code tells why
            self.pipes[index].stdin.write(line + b"\n")

    def close(self, index):
        """Ends the stream of one node and waits until all of it is stored."""
        pipe, self.pipes[index] = self.pipes[index], None
        if pipe is None:
            return
        output, _ = pipe.communicate()
        if pipe.returncode != 0:
            text = with_numbers(output.decode(errors="replace").strip(), self.numbers[index])
            raise EbbError(f"append on {self.nodes[index].name} failed: {text}")

    def close_all(self):
        for index in range(len(self.nodes)):
            self.close(index)


class Demo:
    def __init__(self, options, directory):
        self.options = options
        self.directory = pathlib.Path(directory)
        self.nodes = make_mesh(options.program, directory, NAMES)
        self.fed = demo_feed.Tally()
        self.with_ts = True  # every line of the input has a ts of its own
        self.peers = []
        self.is_away = False

    # ---- nodes

    def up(self):
        for node in self.nodes:
            node.run("up", *ANY_PORT, *self.peer_flags(node))
            self.peers.append(node.status()["listen"])
        say("three nodes are up: " + ", ".join(self.peers))

    def peer_flags(self, node):
        known = self.peers[: self.nodes.index(node)]
        return [flag for peer in known for flag in ("--peer", peer)]

    def network_away(self):
        """The node goes on without any link."""
        self.is_away = True
        node = self.nodes[AWAY]
        node.run("down")
        node.run("up", "--listen", "off")
        say(f"{node.name} has lost its network; its programs go on appending")

    def network_back(self):
        self.is_away = False
        node = self.nodes[AWAY]
        node.run("down")
        node.run("up", *ANY_PORT, *self.peer_flags(node))
        say(f"{node.name} is back")

    def down(self):
        for node in self.nodes:
            with contextlib.suppress(EbbError, OSError, subprocess.TimeoutExpired):
                node.run("down", check=False)

    # ---- feed

    def lines(self):
        """(numbered lines, how many of them the outage begins and ends at)."""
        if self.options.input:
            total = sum(1 for _ in demo_feed.file_lines(self.options.input))
            return demo_feed.file_lines(self.options.input), total // 3, 2 * total // 3
        first = list(demo_feed.vitals_lines(2))
        per_round = max(1, len(first) // 2)
        lines = itertools.chain(first, demo_feed.vitals_lines(VITALS_ROUNDS - 2))
        total = per_round * VITALS_ROUNDS
        return enumerate(lines, 1), total // 3, 2 * total // 3

    def feed(self):
        lines, away_at, back_at = self.lines()
        spread, feeder = demo_feed.Spread(len(self.nodes)), Feeder(self.nodes)
        progress = Progress("fed")
        count = 0
        for count, (number, line) in enumerate(lines, 1):
            if count == away_at + 1 or (self.is_away and count > back_at):
                feeder.close_all()
                self.network_back() if self.is_away else self.network_away()
            event = parse_line(line, number)
            self.with_ts = self.with_ts and event.get("ts") is not None
            self.fed.add_input(event)
            feeder.write(spread.node_of(demo_feed.device_of(event)), number, line)
            if count % 500 == 0:
                progress.show(count)
        feeder.close_all()
        if self.is_away:  # the input ended during the outage
            self.network_back()
        if not self.with_ts:
            self.fed = self.fed_without_ts()
        progress.done(count)
        return count

    def fed_without_ts(self):
        """Lines without a ts get one at the append, so the comparison leaves ts out."""
        tally = demo_feed.Tally()
        for _, line in demo_feed.file_lines(self.options.input):
            event = json.loads(line)
            tally.add(event.get("type"), demo_feed.device_of(event), None, event.get("payload"))
        return tally

    # ---- comparison

    def converge(self, events):
        progress = Progress("held everywhere")
        held = [0] * len(self.nodes)

        def settled():
            before = min(held)
            held[:] = [node.status()["events"] for node in self.nodes]
            if min(held) != before:
                progress.show(min(held), f"of {events:,}")
            return min(held) >= events and in_sync(self.nodes, events)

        def state():
            each = ", ".join(f"{node.name} {count}" for node, count in zip(self.nodes, held))
            return f"not in sync with all {events} events; held: {each}"

        seconds = self.options.timeout
        if seconds is None:
            seconds = TIMEOUT_SECONDS + events / EVENTS_A_SECOND
        wait_until(settled, seconds, state)
        progress.done(events)

    def compare(self, events):
        """Every node's own API, dot by dot, with each other and with what was fed."""
        stored, count = demo_feed.Tally(), 0
        for lines in itertools.zip_longest(*(node.event_lines() for node in self.nodes)):
            if len(set(lines)) != 1:
                return f"event {count + 1} differs:\n" + "\n".join(
                    f"  {node.name}: {(line or b'(none)').decode()}"
                    for node, line in zip(self.nodes, lines))
            stored.add_stored(json.loads(lines[0]), self.with_ts)
            count += 1
        if count != events:
            return f"{events} events were fed, {count} are stored"
        if stored != self.fed:
            return "the nodes agree, but not with what was fed"
        digests = {node.digest()["digest"] for node in self.nodes}
        return None if len(digests) == 1 else f"digests differ: {sorted(digests)}"

    def table(self):
        print(f"{'node':<10} {'device':<10} {'events':>9} {'links':>6}  "
              f"{'completeness':<12} digest")
        for node in self.nodes:
            status, digest = node.status(), node.digest()
            print(f"{node.name:<10} {status['device'][:8]:<10} {digest['events']:>9} "
                  f"{status['links']:>6}  {status['completeness']['state']:<12} "
                  f"{digest['digest'][:16]}")

    def run(self):
        self.up()
        events = self.feed()
        self.converge(events)
        if self.options.before_compare:
            subprocess.run(self.options.before_compare, shell=True, check=True,
                           env={**os.environ, "EBB_DEMO_DIR": str(self.directory)})
        difference = self.compare(events)
        self.table()
        if difference:
            say(f"error: {difference}")
            return 1
        digest = self.nodes[0].digest()["digest"]
        print(f"converged: {len(self.nodes)}/{len(self.nodes)} nodes, {events} events, "
              f"digest {digest}", flush=True)
        return 0


def parse_arguments():
    parser = argparse.ArgumentParser(prog="tools/demo", description=__doc__)
    parser.add_argument("--program", help=argparse.SUPPRESS)
    parser.add_argument("--check", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--input", metavar="FILE", help="NDJSON: type, ts, payload, device a line")
    parser.add_argument("--keep", action="store_true",
                        help="leave the nodes and what they stored, also when the demo fails")
    parser.add_argument("--timeout", type=float, metavar="S",
                        help=f"how long convergence may take ({TIMEOUT_SECONDS}, and a second for "
                             f"each {EVENTS_A_SECOND} events)")
    parser.add_argument("--before-compare", metavar="COMMAND",
                        help="run this before the comparison (how its test alters a node)")
    options = parser.parse_args()
    if options.input and not os.path.isfile(options.input):
        parser.error(f"--input {options.input}: no such file")
    if not options.program and not options.check:
        parser.error("--program is missing")
    return options


def check_input(path):
    """Every line can be used, and there is one."""
    events = ((number, parse_line(line, number)) for number, line in demo_feed.file_lines(path))
    try:
        count = sum(1 for _ in check_ids(events))
    except OSError as error:
        raise EbbError(f"cannot read {path}: {error.strerror}") from None
    if count == 0:
        raise EbbError(f"no events in {path}")


def say_how_to_stop(nodes, directory):
    program = nodes[0].program
    for node in nodes:
        print(f"{node.name}: {program} --dir {node.dir} status")
    print("stop them and remove what they stored:")
    for node in nodes:
        print(f"  {program} --dir {node.dir} down")
    print(f"  rm -r {directory}", flush=True)


def main():
    options = parse_arguments()
    try:
        if options.input:
            check_input(options.input)
    except (EbbError, FeedError) as error:
        say(f"error: {error}")
        return 1
    if options.check:
        return 0
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    directory = tempfile.mkdtemp(prefix="ebb-demo-")
    demo, code, stopped = None, 1, True
    try:
        demo = Demo(options, directory)
        code = demo.run()
        stopped = False
    except (EbbError, FeedError, subprocess.SubprocessError) as error:
        say(f"error: {error}")
        stopped = False
    except KeyboardInterrupt:
        code = 130
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # the nodes shall not be left behind
        if options.keep and demo is not None and not stopped:
            say_how_to_stop(demo.nodes, directory)
        else:
            if demo is not None:
                demo.down()
            shutil.rmtree(directory, ignore_errors=True)
    return code


if __name__ == "__main__":
    sys.exit(main())
