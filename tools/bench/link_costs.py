"""What goes between two `ebb` processes: catch-up and live news, and what encrypting them costs."""

import contextlib
import json
import os
import pathlib
import shutil
import socket
import statistics
import threading
import time

import ebb_node

LIVE_EVENTS = 1000
LIVE_RATE = 100  # a second
TURNS = 3
POLL = 0.01  # s, at most a hundredth of what a bulk run takes
TICKS = os.sysconf("SC_CLK_TCK")
# What a plain link begins with (tests/mesh/plain_channel.cc). The dialled end of an encrypted one
# says nothing to whoever has not shown that it knows the mesh secret.
PLAIN_PREAMBLE = b"ebb-plain-1"


def catch_up(bench, target, address, events):
    """Seconds from the start of the process to the last of the events shown by it."""
    start = time.perf_counter()
    bench.start(target, address)
    ebb_node.wait_until(lambda: target.status()["events"] == events, 600, "catch-up", POLL)
    return time.perf_counter() - start


def live_delays(first, second, count=LIVE_EVENTS):
    """Milliseconds from each append on the first to its arrival at a follower of the second."""
    arrivals, sent = {}, {}
    follower = threading.Thread(target=follow, args=(second, count, arrivals), daemon=True)
    follower.start()
    ebb_node.wait_until(lambda: arrivals.get("open"), 10, "the follower")
    connection = first.connect()
    begin = time.perf_counter()
    for number in range(count):
        while time.perf_counter() < begin + number / LIVE_RATE:
            time.sleep(0.0005)
        sent[number] = time.perf_counter()
        connection.request("POST", "/v1/events", f'{{"type":"live","payload":{number}}}',
                           {"Content-Type": "application/json"})
        connection.getresponse().read()
    follower.join(timeout=30)
    delays = sorted(1000 * (arrivals[n] - sent[n]) for n in sent if n in arrivals)
    if len(delays) != len(sent):
        raise ebb_node.EbbError(f"{len(sent) - len(delays)} live events did not arrive")
    return delays


def follow(node, count, arrivals):
    connection = node.connect(timeout=30)
    connection.request("GET", "/v1/events?follow=sse&type=live")
    answer = connection.getresponse()
    arrivals["open"] = True
    for line in answer:
        if line.startswith(b"data:"):
            arrivals[json.loads(line[5:])["payload"]] = time.perf_counter()
            if len(arrivals) > count:
                break
    connection.close()


class ChannelCost:
    """The same two devices, from the same bytes on disk, with `ebb` and with `ebb-plain-links`."""

    def __init__(self, bench):
        self.bench = bench
        self.events = bench.options.events
        plain = pathlib.Path(bench.options.build) / "tools" / "bench" / "ebb-plain-links"
        self.programs = {"plain links": plain, "the channel": bench.program}
        self.figures = {name: {} for name in self.programs}
        self.copies = 0

    def run(self):
        source, _, target = self.bench.full_source("channel-bulk", self.events)
        self.bench.stop_all()
        self.in_turns(self.bulk, (source, target))
        self.in_turns(self.live, self.bench.mesh("channel-live", 2))
        rows = [("catch-up through the channel", "rate", "events/s", ">= 0.8 x"),
                ("  its processor time, both ends", "processor", "s", ""),
                ("live latency through the channel, p50", "p50", "ms", ""),
                ("live latency through the channel, p99", "p99", "ms", "")]
        for what, key, unit, goal in rows:
            plain, channel = (statistics.median(taken[key]) for taken in self.figures.values())
            self.bench.report.add(what, channel, unit, plain, f"{unit}, plain links", goal)

    def in_turns(self, measure, devices):
        for _ in range(TURNS):
            for name, program in self.programs.items():
                first, second = (self.copy(program, device) for device in devices)
                os.sync()  # or the copies would be written while others wait for the disk
                address = self.bench.start(first)
                measured = measure(first, second, address)
                self.require_kind(name, address)
                self.bench.stop_all()
                print(f"  {name}: " + ", ".join(f"{k} {v:,.4g}" for k, v in measured.items()),
                      flush=True)
                for key, value in measured.items():
                    self.figures[name].setdefault(key, []).append(value)

    def copy(self, program, device):
        self.copies += 1
        directory = self.bench.dir / f"copy-{self.copies}" / device.name
        shutil.copytree(device.dir, directory, ignore=shutil.ignore_patterns("*.sock", "rig.log"))
        node = ebb_node.EbbNode(program, directory, device.name)
        self.bench.nodes.append(node)
        return node

    def bulk(self, source, target, address):
        before = processor_seconds(source)
        seconds = catch_up(self.bench, target, address, self.events)
        spent = processor_seconds(source) - before + processor_seconds(target)
        ebb_node.wait_until(lambda: ebb_node.in_sync([source, target], self.events), 60, "in sync")
        return {"rate": self.events / seconds, "processor": spent}

    def live(self, first, second, address):
        self.bench.start(second, address)
        ebb_node.wait_until(lambda: first.status()["links"] == 1, 30, "a link")
        delays = live_delays(first, second)
        return {"p50": delays[len(delays) // 2], "p99": delays[len(delays) * 99 // 100]}

    def require_kind(self, name, address):
        """The program that was measured is the one that it is told to be."""
        plain = first_bytes(address).startswith(PLAIN_PREAMBLE)
        if plain != (name == "plain links"):
            raise ebb_node.EbbError(f"{name}: these links are {'' if plain else 'not '}plain")


def first_bytes(address):
    """What the dialled end says to whoever says nothing."""
    host, port = address.rsplit(":", 1)
    with socket.create_connection((host, int(port)), timeout=0.5) as connection:
        with contextlib.suppress(TimeoutError):
            return connection.recv(64)
    return b""


def processor_seconds(node):
    fields = pathlib.Path(f"/proc/{node.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS
