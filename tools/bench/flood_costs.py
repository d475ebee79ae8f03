"""What 10,000 first messages of strangers a second cost the links of a node."""

import contextlib
import json
import os
import pathlib
import statistics
import subprocess

import ebb_node
import link_costs

FLOOD_RATE = 10000  # a second
FLOOD_SECONDS = 5
FLOOD_SECONDS_LONG = 60
TURNS = 5
MARGIN_S = 1  # the flood goes on behind the last live event


class FloodCost:
    """Live news between two nodes, in turns: in peace, beside a flood that a bare program takes on
    the same machine, and under the flood."""

    def __init__(self, bench):
        self.bench = bench
        self.program = pathlib.Path(bench.options.build) / "tools" / "bench" / "bench_flood"
        self.seconds = FLOOD_SECONDS_LONG if os.environ.get("EBB_LONG") else FLOOD_SECONDS
        self.figures = {}

    def run(self):
        first, second = self.bench.mesh("flood", 2)
        address = self.bench.start(first)
        self.bench.start(second, address)
        ebb_node.wait_until(lambda: first.status()["links"] == 1, 30, "a link")
        link = first.get("/v1/links")["links"][0]["link"]
        for _ in range(TURNS):
            self.turn("in peace", first, second, None)
            with self.sink() as sink:
                self.turn("flood at a bare program", first, second, sink)
            self.turn("flood", first, second, address)
        if first.get("/v1/links")["links"][0]["link"] != link:
            raise ebb_node.EbbError("the link did not last")
        self.report()
        self.bench.stop_all()

    def turn(self, name, first, second, target):
        events = int(self.seconds * link_costs.LIVE_RATE)
        flood = self.begin(target, first.dir.parent / "fleet.mesh") if target else None
        before = link_costs.processor_seconds(first)
        delays = link_costs.live_delays(first, second, events)
        taken = {"p50": delays[len(delays) // 2], "p99": delays[len(delays) * 99 // 100],
                 "processor": link_costs.processor_seconds(first) - before}
        if flood:
            sent = self.end(flood)
            taken["messages"] = sent["sent"] / sent["seconds"]
            if sent["bytes_back"]:
                raise ebb_node.EbbError("who has no mac was answered")
        print(f"  {name}: " + ", ".join(f"{k} {v:,.4g}" for k, v in taken.items()), flush=True)
        for key, value in taken.items():
            self.figures.setdefault(name, {}).setdefault(key, []).append(value)

    def begin(self, target, mesh_file):
        words = [self.program, "handshakes", target, mesh_file, str(self.seconds + MARGIN_S),
                 str(FLOOD_RATE)]
        return subprocess.Popen(words, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)

    @staticmethod
    def end(flood):
        out, _ = flood.communicate(timeout=60)
        if flood.returncode != 0:
            raise ebb_node.EbbError("the flood ended with an error")
        return json.loads(out)

    @contextlib.contextmanager
    def sink(self):
        process = subprocess.Popen([self.program, "sink"], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, text=True)
        try:
            address = process.stdout.readline().strip()
            if not address:
                raise ebb_node.EbbError("the bare program does not listen")
            yield address
        finally:
            process.communicate(timeout=60)

    def report(self):
        def middle(name, key):
            return statistics.median(self.figures[name][key])
        add = self.bench.report.add
        for key, goal in (("p50", ""), ("p99", "<= 2 x")):
            add(f"live latency under a flood, {key}", middle("flood", key), "ms",
                middle("in peace", key), "ms in peace", goal)
            add("  the flood at a bare program", middle("flood at a bare program", key), "ms",
                middle("in peace", key), "ms in peace")
        add("first messages, half with a mac", middle("flood", "messages"), "/s",
            middle("flood at a bare program", "messages"), "/s, a bare program", "10,000/s")
        add("  processor time of the node", middle("flood", "processor"), "s",
            middle("in peace", "processor"), "s in peace")
