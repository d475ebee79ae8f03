"""Measures wholes of real `ebb` processes, each beside the limit measured in the same run."""

import argparse
import contextlib
import json
import os
import pathlib
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / "tools" / "lib"))

import ebb_node  # noqa: E402
import flood_costs  # noqa: E402
import link_costs  # noqa: E402
import svg_plot  # noqa: E402
from shared_limits import SharedLimits  # noqa: E402
from wide_meshes import WideMeshes  # noqa: E402

BATCH = 1000
AUTHOR_EVENTS = 400000  # of clicks; a node takes 64 MiB of one author and day (core/limits.h)
MERGE_QUIET = 0.5  # kMergeQuiet of src/node/store_thread.cc, in seconds
TYPES = ["view", "click", "scroll", "hover", "submit", "purchase", "error", "heartbeat"]
SECTIONS = ["shop", "blog", "account", "help", "checkout"]


def clicks(count, seed=1):
    """JSON analytics events of about 215 bytes; skewed like tools/bench/clicks.h."""
    state, ts, session = seed, 1732250000000, 1
    for number in range(1, count + 1):
        state = (state * 6364136223846793005 + 1442695040888963407) % (1 << 64)
        low, high = (state >> 33) % 1000, (state >> 43) % 1000
        ts += 1 + low % 300
        if high < 5:
            session = state >> 32
        skew = min(low, high)
        page = skew * 50 // 1000
        yield (f'{{"type":"{TYPES[skew * 8 // 1000]}","ts":{ts},"source":"dev-0000002a",'
               f'"payload":{{"button_id":"btn-{skew * 20 // 1000:02d}","event_no":{number},'
               f'"page":"/{SECTIONS[page % 5]}/page-{page:02d}","session":"{session:08x}",'
               f'"value":{low}.{high % 100:02d},"visit":"{session * 128:016x}"}}}}')


class Report:
    def __init__(self):
        self.rows = []

    def add(self, what, figure, unit, limit=None, of="", goal=""):
        ratio = f"{figure / limit:.2f} x" if limit else ""
        shown = f"{limit:,.4g}" if limit else ""
        self.rows.append((what, f"{figure:,.4g} {unit}", f"{shown} {of}".strip(), ratio, goal))
        print("  ".join(part for part in self.rows[-1] if part), flush=True)

    def table(self):
        head = ("measure", "figure", "limit of this run", "ratio", "goal")
        print("\n| " + " | ".join(head) + " |\n|" + "---|" * len(head))
        for row in self.rows:
            print("| " + " | ".join(row) + " |")


class Bench:
    def __init__(self, options, directory):
        self.options = options
        self.dir = pathlib.Path(directory)
        self.program = pathlib.Path(options.build) / "ebb"
        self.report = Report()
        self.nodes = []
        self.wide = WideMeshes(pathlib.Path(options.build) / "tools" / "bench")

    def limit(self, *arguments):
        program = pathlib.Path(self.options.build) / "tools" / "bench" / "bench_limits"
        done = subprocess.run([program, *map(str, arguments)], capture_output=True, text=True,
                              check=True)
        return json.loads(done.stdout)

    def mesh(self, name, count):
        folder = self.dir / name
        folder.mkdir()
        names = [f"n{number}" for number in range(count)]
        nodes = ebb_node.make_mesh(self.program, folder, names)
        self.nodes += nodes
        return nodes

    def start(self, node, *peers):
        flags = [flag for peer in peers for flag in ("--peer", peer)]
        node.start("--listen", "127.0.0.1:0", *flags)
        return node.status()["listen"]

    def stop_all(self):
        for node in self.nodes:
            with contextlib.suppress(ebb_node.EbbError):
                node.stop()
        self.nodes.clear()

    def fill(self, node, events, seed=1):
        """Appends in batches of 1,000 through the API; seconds from first to last answer."""
        requests = [ndjson_request(body) for body in batches(events, seed)]
        connection = node.connect()
        connection.connect()
        start = time.perf_counter()
        for request in requests:
            connection.sock.sendall(request)
            answer = whole_answer(connection.sock)
            if not answer.startswith(b"HTTP/1.1 200"):
                raise ebb_node.EbbError(f"append: {answer[:300]!r}")
        spent = time.perf_counter() - start
        connection.close()
        return spent

    def full_source(self, name, events):
        """A running node with so many events, its address, and a device of its mesh without any."""
        writers = -(-events // AUTHOR_EVENTS)
        source, *others, target = self.mesh(name, writers + 1)
        address = self.start(source)
        self.fill(source, events // writers)
        for number, node in enumerate(others, 1):
            self.start(node)
            share = events * (number + 1) // writers - events * number // writers
            self.fill(node, share, number + 1)
            node.stop()
            self.start(node, address)
        ebb_node.wait_until(lambda: source.status()["events"] == events, 60, "the others' events")
        self.settle(source)
        for node in others:
            node.stop()
        return source, address, target

    # ---- measures

    def append(self):
        events = min(self.options.events, 400000)
        rows = self.limit("rows", self.dir, events)["events_per_second"]
        node = self.mesh("append", 1)[0]
        self.start(node)
        # The middle of three, as the limit is.
        rate = statistics.median(events / self.fill(node, events) for _ in range(3))
        self.report.add("append, batches of 1,000", rate, "events/s", rows,
                        "events/s, plain SQLite rows, FULL", ">= 0.7 x")
        stream = "\n".join(clicks(events, seed=2)).encode()
        start = time.perf_counter()
        status, body, _ = node.request("POST", "/v1/events", stream, "application/x-ndjson", 300)
        if status != 200:
            raise ebb_node.EbbError(f"stream: {status} {body[:200]!r}")
        self.report.add("append, one NDJSON stream", events / (time.perf_counter() - start),
                        "events/s", rows, "events/s, plain SQLite rows, FULL")
        self.stop_all()

    def append_one(self):
        sync, trip = self.limit("fsync", self.dir), self.limit("roundtrip")
        limit = 1000 / (sync["p50_ms"] + trip["p50_ms"] + 0.019)
        node = self.mesh("one", 1)[0]
        self.start(node)
        latencies = []
        connection = node.connect()
        for line in clicks(2000):
            start = time.perf_counter()
            connection.request("POST", "/v1/events", line.encode(),
                               {"Content-Type": "application/json"})
            connection.getresponse().read()
            latencies.append(time.perf_counter() - start)
        connection.close()
        self.report.add("append one by one", 1 / statistics.mean(latencies), "events/s", limit,
                        "1 / (fdatasync + round trip + signature)")
        self.stop_all()

    def catchup(self):
        events = self.options.events
        chain = self.limit("pipe", self.dir, events, "chain")["events_per_second"]
        batch = self.limit("pipe", self.dir, events, "batch")["events_per_second"]
        source, address, target = self.full_source("catchup", events)
        sent = source.metric("ebb_message_bytes_total")
        spent = link_costs.catch_up(self, target, address, events)
        ebb_node.wait_until(lambda: ebb_node.in_sync([source, target], events), 60, "in sync")
        self.report.add("catch-up between two processes", events / spent, "events/s", chain,
                        "events/s, bare pipe, same chain", ">= 0.3 x")
        self.report.add("  (pipe with one hash a segment)", batch, "events/s")
        wire = source.metric("ebb_message_bytes_total") - sent
        self.report.add("bytes on the wire per event", wire / events, "B")
        self.settle(target)
        target.stop()
        size = sum(path.stat().st_size for path in (target.dir / "store").iterdir())
        self.report.add("bytes on disk per event, merged", size / events, "B")
        self.stop_all()

    def settle(self, node):
        """Waits until the background merge has nothing left to do: it waits for a pause itself."""
        merges, since = -1.0, time.monotonic()

        def quiet():
            nonlocal merges, since
            before, merges = merges, node.metric("ebb_merges_total")
            if merges != before:
                since = time.monotonic()
            return time.monotonic() - since > 3 * MERGE_QUIET

        ebb_node.wait_until(quiet, 120, "merging to end")

    def live(self):
        first, second = self.mesh("live", 2)
        address = self.start(first)
        self.start(second, address)
        ebb_node.wait_until(lambda: first.status()["links"] == 1, 30, "a link")
        delays = link_costs.live_delays(first, second)
        sync, trip = self.limit("fsync", self.dir), self.limit("roundtrip")
        limit = 2 * sync["p50_ms"] + 2 * trip["p50_ms"]
        self.report.add("live latency A to B, both synced, p50", delays[len(delays) // 2], "ms",
                        limit, "ms, 2 fdatasync + 2 round trips")
        self.report.add("live latency A to B, p99", delays[len(delays) * 99 // 100], "ms")
        self.stop_all()

    def channel(self):
        """The same beside links that are not encrypted, in turns; nothing else of it differs."""
        link_costs.ChannelCost(self).run()

    def flood(self):
        """Live news while strangers send first messages; EBB_LONG for a minute a turn."""
        flood_costs.FloodCost(self).run()

    def handshake(self):
        """A side of a handshake beside its operations with public keys, in one thread."""
        program = pathlib.Path(self.options.build) / "tools" / "bench" / "bench_handshake"
        done = subprocess.run([program], capture_output=True, text=True, check=True)
        for row in json.loads(done.stdout):
            side = f"handshakes, {row['pattern']}, {row['side']}"
            rate, checks, keys = (1e6 / row[key + "_us"] for key in ("handshake", "checks", "keys"))
            self.report.add(side, rate, "/s", checks, "/s, its DHs and signature check", ">= 0.8 x")
            self.report.add("  the same", rate, "/s", keys, "/s, its key pair and signature too")

    def commit_bytes(self):
        node = self.mesh("bytes", 1)[0]
        self.start(node)
        count = 200
        for line in clicks(50):
            node.request("POST", "/v1/events", line.encode())
        before = written(node.process.pid)
        for line in clicks(count, seed=3):
            node.request("POST", "/v1/events", line.encode())
        spent = written(node.process.pid) - before
        self.report.add("bytes written per live commit", spent / count, "B", 4096, "B, one page")
        self.stop_all()

    def limits(self):
        """The limits themselves against the programs of ../shared/limits, best of three each."""
        if not SharedLimits.present():
            print("limits: needs ../shared/limits")
            return
        shared = SharedLimits(ROOT / "build" / "shared-limits", self.dir)
        pairs = [
            ("plain rows, FULL", "events/s", max, shared.rows,
             lambda: self.limit("rows", self.dir, 400000)["events_per_second"]),
            ("pipe, one hash a segment", "events/s", max, shared.pipe,
             lambda: self.limit("pipe", self.dir, 1000000, "batch")["events_per_second"]),
            ("fdatasync", "ms", min, shared.fsync_ms,
             lambda: self.limit("fsync", self.dir)["p50_ms"]),
            ("round trip", "ms", min, shared.roundtrip_ms,
             lambda: self.limit("roundtrip")["p50_ms"])]
        for what, unit, best, theirs, ours in pairs:
            runs = [(ours(), theirs()) for _ in range(3)]
            self.report.add(what, best(run[0] for run in runs), unit,
                            best(run[1] for run in runs), unit, "0.9 to 1.1 x")

    def parts(self):
        program = pathlib.Path(self.options.build) / "tools" / "bench" / "bench_parts"
        subprocess.run([program, "--benchmark_counters_tabular=true"], check=True, cwd=self.dir)

    def spread(self):
        """How news spread among 10,000 engines, and among 1,000 that write where they are."""
        self.wide.spread()

    def spread_log_normal(self):
        self.wide.spread_log_normal()

    def idle(self):
        """What links and nodes cost where nothing happens, beside fewer nodes than in spread."""
        self.wide.idle()

    def heal(self):
        """What 100 nodes send that were all cut off, by three seeds."""
        self.wide.heal()

    def beside_logs(self):
        program = pathlib.Path(self.options.build) / "tools" / "bench" / "bench_beside_logs"
        done = subprocess.run([program], capture_output=True, text=True, check=True)
        rows = json.loads(done.stdout)
        few, many = rows[0], rows[-1]
        self.report.add("an event beside 10,000 logs", many["event_us"], "us",
                        few["event_us"], "us beside 10 logs", "<= 1.3 x")
        self.report.add("memory of it", many["event_bytes"], "B",
                        few["event_bytes"], "B beside 10 logs", "<= 1.3 x")
        self.report.add("a link beside 10,000 logs", many["link_us"], "us",
                        few["link_us"], "us beside 10 logs", "<= 3 x")
        lines = [("processor time of an event", "event_us", "us"),
                 ("memory of an event", "event_bytes", "B"),
                 ("processor time of a link", "link_us", "us")]
        plot = svg_plot.Plot("What an event and a link cost beside many logs",
                             "logs that nothing happens to", "times the cost beside 10 logs", 3)
        for name, key, unit in lines:
            label = f"{name}: {few[key]:.4g} {unit} beside 10"
            plot.line(label, [(row["logs"], row[key] / few[key]) for row in rows])
        plot.mark("at most 1.3 x", 1.3)
        (ROOT / "docs" / "img" / "beside_logs.svg").write_text(plot.svg())

    def thousand(self):
        """An hour of 1,000 simulated devices, beside what its memory takes to be read."""
        program = pathlib.Path(self.options.build) / "sim" / "ebb-sim"
        fleet = ROOT / "docs" / "examples" / "thousand.toml"
        # Memory in large pages, or the tables of the small ones are what is waited for.
        environment = {**os.environ, "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"}
        cores = os.cpu_count()
        before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
        begin = time.monotonic()
        done = subprocess.run([program, "plan", fleet, "--threads", str(cores)],
                              capture_output=True, text=True, check=True, env=environment)
        seconds = time.monotonic() - begin
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        steps = int(re.search(r"(\d+) steps", done.stdout).group(1))
        deliveries = int(re.search(r"(\d+) deliveries,", done.stdout).group(1))
        line = self.limit("memory", min(usage.ru_maxrss // 1024, 4096))["line_ns"]
        self.report.add(f"an hour of 1,000 devices, {cores} threads", seconds, "s",
                        goal="<= 120 s")
        self.report.add("deliveries in it", deliveries, "")
        self.report.add("an input to one of them", (usage.ru_utime - before) * 1e9 / steps, "ns",
                        line, "ns, a line of such memory")


def batches(events, seed=1):
    lines = list(clicks(events, seed))
    return ["\n".join(lines[at:at + BATCH]).encode() for at in range(0, events, BATCH)]


# The client is not what is measured: it takes no more time than it must.
def ndjson_request(body):
    """The bytes of one append."""
    head = ("POST /v1/events HTTP/1.1\r\nHost: ebb\r\nContent-Type: application/x-ndjson\r\n"
            f"Content-Length: {len(body)}\r\n\r\n")
    return head.encode() + body


def whole_answer(connection):
    """One answer of a known length, with its headers."""
    answer = b""
    while True:
        part = connection.recv(1 << 16)
        if not part:
            raise ebb_node.EbbError(f"append: the answer ends early: {answer[:300]!r}")
        answer += part
        head, found, body = answer.partition(b"\r\n\r\n")
        if found:
            length = re.search(rb"(?i)^content-length: *(\d+)", head, re.MULTILINE)
            if length and len(body) >= int(length[1]):
                return answer


def written(pid):
    """Bytes that the process had the kernel write to storage."""
    lines = pathlib.Path(f"/proc/{pid}/io").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("write_bytes")).split()[1])


MEASURES = ["append", "append_one", "catchup", "live", "channel", "flood", "handshake",
            "commit_bytes", "parts", "spread", "spread_log_normal", "idle", "heal", "beside_logs",
            "thousand", "limits"]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--events", type=int, default=1000000)
    parser.add_argument("--dir", default=str(ROOT / "build"))
    parser.add_argument("measures", nargs="*", metavar="|".join(MEASURES))
    options = parser.parse_args()
    unknown = set(options.measures) - set(MEASURES)
    if unknown:
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    directory = tempfile.mkdtemp(prefix="bench-", dir=options.dir)
    bench = Bench(options, directory)
    try:
        for name in options.measures or MEASURES:
            getattr(bench, name)()
        bench.report.table()
    finally:
        bench.stop_all()
        shutil.rmtree(directory, ignore_errors=True)
    for missed in bench.wide.missed:
        print(f"bench: a goal was missed: {missed}", file=sys.stderr)
    return 1 if bench.wide.missed else 0


if __name__ == "__main__":
    sys.exit(main())
