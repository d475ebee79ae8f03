"""What the demo feeds: lines of a file, or this machine's own vitals, spread over the nodes."""

import datetime
import hashlib
import json
import pathlib
import time

from demo_lines import ts_ms

def file_lines(path):
    """(number, line without its newline) of an NDJSON file; blank ones only count."""
    with open(path, "rb") as lines:
        for number, line in enumerate(lines, 1):
            if line.strip():
                yield number, line.rstrip(b"\r\n")


def vitals_lines(rounds):
    """This machine's vitals, one line a reading, from /proc."""
    host = pathlib.Path("/proc/sys/kernel/hostname").read_text().strip() or "host"
    previous = cpu_ticks()
    for number in range(rounds):
        if number:
            time.sleep(0.1)  # the sampling interval
        ticks = cpu_ticks()
        now = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="milliseconds")
        for part, payload in readings(previous, ticks):
            event = {"device": f"{host}-{part}", "ts": now, "type": f"vitals.{part}",
                     "payload": payload}
            yield json.dumps(event).encode()
        previous = ticks


def cpu_ticks():
    with open("/proc/stat", encoding="ascii") as stat:
        return [int(word) for word in stat.readline().split()[1:9]]


def readings(previous, ticks):
    spent = [now - before for now, before in zip(ticks, previous)]
    total = sum(spent) or 1
    yield "cpu", {"busy": 1 - (spent[3] + spent[4]) / total, "iowait": spent[4] / total}
    memory = dict(line.split(":") for line in open("/proc/meminfo", encoding="ascii"))
    yield "memory", {key: int(memory[name].split()[0]) * 1024 for key, name in
                     (("total", "MemTotal"), ("available", "MemAvailable"))}
    load = pathlib.Path("/proc/loadavg").read_text().split()
    yield "load", {"one": float(load[0]), "five": float(load[1]), "tasks": load[3]}
    for line in pathlib.Path("/proc/net/dev").read_text().splitlines()[2:]:
        name, counts = line.split(":")
        words = counts.split()
        yield "network", {"interface": name.strip(), "received": int(words[0]),
                          "sent": int(words[8])}


class Spread:
    """Gives each device of the input to one node and keeps it there."""

    def __init__(self, nodes):
        self.nodes = nodes
        self.home = {}

    def node_of(self, device):
        if device not in self.home:
            self.home[device] = len(self.home) % self.nodes
        return self.home[device]


def device_of(event):
    """What stands behind the event: `source` and `device` are one field, and null is as absent."""
    source = event.get("source")
    return event.get("device") if source is None else source


class Tally:
    """An order-free sum over events: equal tallies, equal multisets of events."""

    def __init__(self):
        self.count = 0
        self.sum = 0

    def add(self, kind, source, ts, payload):
        text = json.dumps([kind, source, ts, payload], sort_keys=True, ensure_ascii=True)
        digest = hashlib.sha256(text.encode()).digest()
        self.sum = (self.sum + int.from_bytes(digest, "big")) % (1 << 256)
        self.count += 1

    def add_input(self, event):
        self.add(event["type"], device_of(event), ts_ms(event.get("ts")), event.get("payload"))

    def add_stored(self, event, with_ts):
        self.add(event["type"], event["source"], event["ts"] if with_ts else None,
                 event["payload"])

    def __eq__(self, other):
        return (self.count, self.sum) == (other.count, other.sum)
